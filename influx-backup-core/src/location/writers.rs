//! [`Writers`]: who tells two writers of one place apart.

use std::io;

#[cfg(any(test, feature = "cloud"))]
use super::{Abilities, abilities::Known};
use super::{CreateOnly, Location};
use crate::{
    error::{Error, Result},
    key::Key,
};

/// How many processes may want to write to a place at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writers {
    /// Any number: the store creates an object only where there is none, and replaces only the version that is named.
    Several,
    /// One, as the caller promises (`object_store_single_writer`): the store may have no conditional writes. A look comes
    /// before each write that is to create an object. Two processes that look at the same moment both write.
    Single,
}

impl Location {
    /// How many processes may want to write here at once.
    pub(crate) fn writers(&self) -> Writers {
        match self.abilities().create_only {
            CreateOnly::SingleWriter => Writers::Single,
            _ => Writers::Several,
        }
    }

    /// The same location for one writer.
    #[cfg(any(test, feature = "cloud"))]
    pub(crate) fn for_single_writer(&self) -> Self {
        let abilities = Abilities { create_only: CreateOnly::SingleWriter, ..self.abilities() };
        self.with(|inner| inner.abilities = Known::new(abilities))
    }

    /// Refuses where the object exists, as a store does by itself that has conditional writes.
    pub(super) async fn require_vacant(&self, key: &Key) -> Result<()> {
        match self.head(key).await? {
            Some(_) => Err(Error::io("put", key, self, io::ErrorKind::AlreadyExists.into())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::{
        error::StoreErrorKind,
        location::Attributes,
        testing::fault::{Fault, FaultPlan, FaultyStore, Op, Rule, Scope, When},
    };

    /// A store that creates over what is there.
    fn without_conditions() -> (Location, Location) {
        let memory = Location::in_memory();
        let plan = FaultPlan::none().with(Rule::new(Scope::of(Op::Put), When::Always, Fault::IgnoreCreateOnly));
        let location = memory.through(|store| Arc::new(FaultyStore::new(store, plan.clone())) as Arc<_>);
        (memory, location)
    }

    #[tokio::test]
    async fn what_is_there_is_not_created_again() {
        let (memory, several) = without_conditions();
        let single = several.for_single_writer();
        let key = Key::parse("_influx_backup/manifest.json").expect("a key");
        single.create(&key, Bytes::from_static(b"own")).await.expect("created");
        let refused = single.create(&key, Bytes::from_static(b"another's")).await.expect_err("it is there");
        assert_eq!(refused.code(), "object-exists");
        assert_eq!(memory.get(&key, None).await.expect("read").expect("there"), "own");
        several.create(&key, Bytes::from_static(b"another's")).await.expect("this store ignores the condition");
        assert_eq!(memory.get(&key, None).await.expect("read").expect("there"), "another's");
    }

    #[tokio::test]
    async fn nothing_is_replaced_on_a_condition() {
        let location = Location::in_memory().for_single_writer();
        let key = Key::parse("x").expect("a key");
        let version = location.put(&key, Bytes::from_static(b"1")).await.expect("put");
        let bytes = Bytes::from_static(b"2");
        let none = Attributes::new();
        let refused = location.replace_conditionally(&key, &bytes, &none, &version).await.expect_err("no condition");
        assert!(matches!(refused, Error::Store { kind: StoreErrorKind::Unsupported, .. }), "{refused:?}");
        location.replace(&key, &bytes, &none, &version).await.expect("replaced all the same");
        assert_eq!(location.get(&key, None).await.expect("read").expect("there"), "2");
    }
}
