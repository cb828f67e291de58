//! [`setters!`]: builder methods that set one field each.

/// Gives options a builder method for each field that is set as it is: `with_limits(limits: Limits)` sets `self.limits`.
macro_rules! setters {
    ($($(#[$doc:meta])+ $setter:ident($field:ident: $type:ty),)+) => {
        $(
            $(#[$doc])+
            #[must_use]
            pub fn $setter(mut self, $field: $type) -> Self {
                self.$field = $field;
                self
            }
        )+
    };
}

pub(crate) use setters;
