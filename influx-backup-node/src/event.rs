//! Events: what happens while a verb runs, a class for each kind.

use influx_backup_core::{self as core, Event};
use napi::{Env, Result, Unknown, bindgen_prelude::ToNapiValue};

use crate::{
    convert::ToNode,
    document::{Data, Document, Field, field, from_json, no_field, to_json},
};

/// The fields of all events, before those of their kinds.
const FIELDS: &[Field] = &[field!(seq), field!(at), field!(kind)];

macro_rules! kinds {
    ($(
        $(#[doc = $doc:literal])+
        $class:ident = $pattern:pat => {
            $( $(#[doc = $attribute_doc:literal])+ $attribute:ident = $value:expr, )*
        }
    )+) => {
        /// The classes of all kinds.
        pub(crate) const CLASSES: &[&str] = &[$(stringify!($class)),+];

        impl Data for Event {
            fn class(&self) -> &'static str {
                #[allow(unused_variables, reason = "only the kind counts")]
                match &self.kind {
                    $($pattern => stringify!($class),)+
                    _ => "Event",
                }
            }

            fn fields(&self) -> &'static [Field] {
                #[allow(unused_variables, reason = "only the kind counts")]
                match &self.kind {
                    $($pattern => &[field!(seq), field!(at), field!(kind), $(field!($attribute)),*],)+
                    _ => FIELDS,
                }
            }

            fn field<'env>(&self, env: &'env Env, name: &str) -> Result<Unknown<'env>> {
                match name {
                    "seq" => return self.seq.to_node(env),
                    "at" => return self.at.to_node(env),
                    "kind" => return self.kind.name().to_node(env),
                    _ => {}
                }
                #[allow(unused_variables, reason = "each attribute takes its own from the pattern")]
                match &self.kind {
                    $($pattern => {
                        $(
                            if name == stringify!($attribute) {
                                return $value.to_node(env);
                            }
                        )*
                    })+
                    _ => {}
                }
                Err(no_field(self.class(), name))
            }

            fn json(&self) -> core::Result<Option<String>> {
                to_json(self)
            }

            fn text(&self) -> Option<String> {
                Some(self.kind.to_string())
            }
        }
    };
}

influx_backup_bindings::event_tables!(kinds);

impl ToNode for Event {
    fn to_node<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        Document::new(self.clone()).into_unknown(env)
    }
}

/// Reads the JSON of an event, whose kind has its own class.
pub(crate) fn read(class: &str, json: &str) -> Option<core::Result<Document>> {
    (class == "Event" || CLASSES.contains(&class)).then(|| from_json::<Event>(json, "event"))
}
