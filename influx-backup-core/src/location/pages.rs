//! [`Pages`]: the pages of one listing. A store says with each where the next one begins, and may say so without end.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
};

use crate::error::Misbehavior;

tokio::task_local! {
    static PAGES: Pages;
}

/// How many pages without a name may follow one another. Stores send such where much was deleted.
const EMPTY: usize = 1_000;

/// How many pages a listing may have: those of a billion objects.
const MOST: usize = 1_000_000;

/// What the pages of a listing had so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pages(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    markers: HashSet<u64>,
    names: HashSet<u64>,
    empty: usize,
}

impl Pages {
    /// Lists, and looks at the pages meanwhile.
    pub(crate) async fn during<T>(list: impl Future<Output = T>) -> T {
        PAGES.scope(Self::default(), list).await
    }

    /// The same for one of several requests of a listing, which has seen these pages.
    pub(super) async fn within<T>(&self, request: impl Future<Output = T>) -> T {
        PAGES.scope(self.clone(), request).await
    }

    /// Takes note of a page of the listing under way: its names, and where the next one begins.
    pub(super) fn check<'a>(names: impl Iterator<Item = &'a str>, next: Option<&str>) -> Result<(), Misbehavior> {
        PAGES.try_with(|pages| pages.take(names, next)).unwrap_or(Ok(()))
    }

    /// Takes note of a page. The last one says of no other where it begins, and so ends the listing whatever it has.
    pub(crate) fn take<'a>(&self, names: impl Iterator<Item = &'a str>, next: Option<&str>) -> Result<(), Misbehavior> {
        let Some(next) = next else { return Ok(()) };
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names = names.peekable();
        seen.empty = if names.peek().is_none() { seen.empty + 1 } else { 0 };
        let is_empty = seen.empty > 0;
        let mut hasher = DefaultHasher::new();
        names.for_each(|name| name.hash(&mut hasher));
        let flaw = if !seen.markers.insert(hash(next)) {
            "a page begins where one before it began"
        } else if !is_empty && !seen.names.insert(hasher.finish()) {
            "a page has the names of one before it"
        } else if seen.empty > EMPTY {
            "page after page has no name"
        } else if seen.markers.len() > MOST {
            "it has a million pages"
        } else {
            return Ok(());
        };
        Err(Misbehavior::Endless { flaw })
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_ends() {
        let pages = Pages::default();
        let take = |names: &[&str], next: Option<&str>| pages.take(names.iter().copied(), next);
        assert_eq!(take(&["a", "b"], Some("b")), Ok(()));
        assert_eq!(take(&["c"], Some("c")), Ok(()));
        let again = take(&["d"], Some("b"));
        assert_eq!(again, Err(Misbehavior::Endless { flaw: "a page begins where one before it began" }));
        let same = take(&["c"], Some("d"));
        assert_eq!(same, Err(Misbehavior::Endless { flaw: "a page has the names of one before it" }));
        assert_eq!(take(&["c"], None), Ok(()), "the last page");
        for page in 0..EMPTY {
            let next = format!("e{page}");
            assert_eq!(take(&[], Some(&next)), Ok(()));
        }
        let empty = take(&[], Some("f"));
        assert_eq!(empty, Err(Misbehavior::Endless { flaw: "page after page has no name" }));
    }
}
