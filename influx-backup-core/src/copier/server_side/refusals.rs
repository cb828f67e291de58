//! [`Refusals`]: what stores have refused, so that they are not asked again for every object.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::key::Key;

/// After this many different objects in a row were refused, every object counts as refused. One may have an owner, tags or an
/// encryption key of its own.
const REFUSED_OBJECTS: usize = 3;

/// What stores have refused, by the pair of places or by the request. Shared by clones.
#[derive(Debug, Clone, Default)]
pub(super) struct Refusals(Arc<Mutex<BTreeMap<String, Refused>>>);

#[derive(Debug)]
enum Refused {
    Objects(BTreeSet<Key>),
    Always,
}

impl Refusals {
    /// Whether the store refuses every such request.
    pub(super) fn is_refused(&self, what: &str) -> bool {
        matches!(self.lock().get(what), Some(Refused::Always))
    }

    /// The store never does this.
    pub(super) fn refuse(&self, what: &str) {
        self.lock().insert(what.to_owned(), Refused::Always);
    }

    /// The store did not do this for one object.
    pub(super) fn refuse_object(&self, what: &str, object: &Key) {
        let mut refused = self.lock();
        let found = refused.entry(what.to_owned()).or_insert_with(|| Refused::Objects(BTreeSet::new()));
        if let Refused::Objects(objects) = found {
            objects.insert(object.clone());
            if objects.len() >= REFUSED_OBJECTS {
                *found = Refused::Always;
            }
        }
    }

    /// The store did this.
    pub(super) fn allow(&self, what: &str) {
        self.lock().remove(what);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Refused>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_object_speaks_only_for_itself() {
        let refusals = Refusals::default();
        let refuse = |name: &str| refusals.refuse_object("pair", &Key::parse(name).expect("a key"));
        (0..9).for_each(|_| refuse("a"));
        refuse("b");
        assert!(!refusals.is_refused("pair"), "two objects");
        refusals.allow("pair");
        refuse("c");
        refuse("d");
        assert!(!refusals.is_refused("pair"), "others were copied in between");
        refuse("e");
        assert!(refusals.is_refused("pair"));
        assert!(!refusals.is_refused("another pair"));
        refusals.refuse("another pair");
        assert!(refusals.is_refused("another pair"));
    }
}
