//! Listings of buckets and containers, page by page: a page that fails is asked for again, and none before it.
//!
//! A page is named by what the one before it said, so that nothing is lost or doubled however the store sorts.

use std::{collections::BTreeSet, sync::Arc};

use futures::FutureExt;
use object_store::list::{PaginatedListOptions, PaginatedListResult, PaginatedListStore};

use super::{ListLevel, Location, ObjectMeta, ObjectTable, pages::Pages};
use crate::{error::Result, key::Key};

/// A directory is listed by the directories in it where its first page shows at most as many, and so many objects in each.
const FEW: usize = 4;

/// More directories than this are not listed one by one: for most of them that would be a request for little.
const MOST: usize = 1_000;

/// A listing under way.
pub(super) struct Paged<'a> {
    location: &'a Location,
    store: Arc<dyn PaginatedListStore>,
    prefix: Option<&'a Key>,
    next: Next,
    seen: Pages,
}

/// Where the next page begins.
enum Next {
    First,
    At(String),
    End,
}

impl Location {
    /// For listing page by page; `None`: this store does not list so.
    pub(super) fn paged<'a>(&'a self, prefix: Option<&'a Key>) -> Option<Paged<'a>> {
        let store = Arc::clone(self.0.pages.as_ref()?);
        Some(Paged { location: self, store, prefix, next: Next::First, seen: Pages::default() })
    }
}

impl Paged<'_> {
    /// Everything.
    pub(super) async fn all(mut self) -> Result<ObjectTable> {
        let first = self.page().await?;
        self.rest(first).await
    }

    /// Everything, or the level below the prefix where the directories in it are to be listed by themselves.
    pub(super) async fn all_or_level(mut self) -> Result<Result<ObjectTable, ListLevel>> {
        let first = self.page().await?;
        let prefix = self.prefix.map_or("", Key::as_str);
        if !matches!(self.next, Next::End) && has_few_directories(prefix, &first) {
            let level = self.location.list_level(prefix).await?;
            if (2..=MOST).contains(&level.directories.len()) {
                return Ok(Err(level));
            }
        }
        self.rest(first).await.map(Ok)
    }

    /// The objects of a page, and of those after it.
    async fn rest(&mut self, first: Vec<ObjectMeta>) -> Result<ObjectTable> {
        let mut entries = ObjectTable::builder();
        let mut page = first;
        loop {
            self.location.listed(page.len() as u64);
            page.into_iter().for_each(|entry| entries.push(entry));
            if matches!(self.next, Next::End) {
                return Ok(entries.into());
            }
            page = self.page().await?;
        }
    }

    /// The next page.
    async fn page(&mut self) -> Result<Vec<ObjectMeta>> {
        let request = || self.location.listing(self.seen.within(self.request())).boxed();
        let page = self.location.retry(request).await?;
        self.next = page.page_token.filter(|token| !token.is_empty()).map_or(Next::End, Next::At);
        let entries = page.result.objects.into_iter();
        entries.filter_map(|meta| self.location.listed_entry(self.prefix, meta).transpose()).collect()
    }

    async fn request(&self) -> Result<PaginatedListResult> {
        let path = self.location.prefix_path(self.prefix);
        let prefix = if path.as_ref().is_empty() { None } else { Some(format!("{path}/")) };
        let mut options = PaginatedListOptions::default();
        if let Next::At(token) = &self.next {
            options.page_token = Some(token.clone());
        }
        let page = self.location.answer(self.store.list_paginated(prefix.as_deref(), options)).await;
        page.map_err(|error| self.location.not_listed(self.prefix.map_or("", Key::as_str), error))
    }
}

/// Whether a page has objects in few directories below a prefix, and none directly there.
fn has_few_directories(prefix: &str, page: &[ObjectMeta]) -> bool {
    let directory = |object: &ObjectMeta| {
        let below = object.key.as_str().strip_prefix(prefix)?.trim_start_matches('/');
        below.split_once('/').map(|(directory, _)| directory.to_owned())
    };
    let directories: Option<BTreeSet<_>> = page.iter().map(directory).collect();
    directories.is_some_and(|directories| (1..=FEW).contains(&directories.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::location::Version;

    #[test]
    fn few_directories_are_told_from_many_and_from_none() {
        let page = |names: &[&str]| -> Vec<_> {
            let version = || Version::new(std::time::SystemTime::UNIX_EPOCH.into());
            names.iter().map(|name| ObjectMeta::new(Key::parse(name).expect("a key"), 1, version())).collect()
        };
        for (names, expected) in [
            (&["n/dbs/1/t/1", "n/dbs/1/t/2", "n/dbs/1/u/1"][..], true),
            (&["n/dbs/1/t/1", "n/dbs/1/2"], false),
            (&["n/dbs/1/1/x", "n/dbs/1/2/x", "n/dbs/1/3/x", "n/dbs/1/4/x", "n/dbs/1/5/x"], false),
            (&[], false),
        ] {
            assert_eq!(has_few_directories("n/dbs/1", &page(names)), expected, "{names:?}");
        }
        assert!(has_few_directories("", &page(&["n/1", "m/1"])), "the whole location");
    }
}
