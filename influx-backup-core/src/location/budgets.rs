//! How many requests a store gets at once. Copies, listings and deletions have a budget each: a thousand deletions make no
//! listing wait, and a store that throttles one kind gets fewer requests of that kind.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use object_store::path::Path;
use tokio::time::Instant;

use super::{Location, request::Contact};
use crate::{
    adaptive::Adaptive,
    error::{Error, Result, StoreErrorKind},
};

/// The most listings of one location, and the most deletions, that run at once.
pub(crate) const MAX_CONCURRENT: usize = 16;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestKind {
    /// Reads and writes. Their budget is the run's.
    Copy,
    /// Listings.
    List,
    /// Deletions.
    Delete,
}

/// How often a store has asked to slow down, by kind of request.
#[derive(Debug, Default)]
pub(crate) struct ThrottleCounts([AtomicU64; 3]);

impl ThrottleCounts {
    /// Counts one more time.
    #[cfg(any(test, feature = "cloud"))]
    pub(crate) fn add(&self, kind: RequestKind) {
        self.0[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    fn of(&self, kind: RequestKind) -> u64 {
        self.0[kind as usize].load(Ordering::Relaxed)
    }
}

/// What the clones and children of a location share.
#[derive(Debug)]
pub(super) struct Budgets {
    throttle_counts: Arc<ThrottleCounts>,
    list: Arc<Adaptive>,
    delete: Arc<Adaptive>,
    /// Whether the store is there, as far as its last answers tell.
    pub(super) contact: Mutex<Contact>,
    /// When the store last answered something, as far as that was written down.
    pub(super) heard: Mutex<Option<Instant>>,
    /// What was found to be unreadable.
    unreadable: Mutex<BTreeSet<Path>>,
}

impl Budgets {
    pub(super) fn new(throttle_counts: Arc<ThrottleCounts>) -> Arc<Self> {
        Arc::new(Self {
            throttle_counts,
            list: Adaptive::new(MAX_CONCURRENT),
            delete: Adaptive::new(MAX_CONCURRENT),
            contact: Mutex::default(),
            heard: Mutex::new(None),
            unreadable: Mutex::default(),
        })
    }

    pub(super) fn unreadable(&self) -> MutexGuard<'_, BTreeSet<Path>> {
        self.unreadable.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Location {
    /// How often the store has asked to slow down so far, also where a retry succeeded.
    pub(crate) fn throttle_count(&self, kind: RequestKind) -> u64 {
        self.0.budgets.throttle_counts.of(kind)
    }

    /// Lists once the budget for listings allows it.
    pub(super) async fn listing<T>(&self, list: impl Future<Output = Result<T>>) -> Result<T> {
        #[cfg(feature = "cloud")]
        let list = super::pages::Pages::during(list);
        self.budgeted(RequestKind::List, &self.0.budgets.list, list).await
    }

    /// Deletes once the budget for deletions allows it.
    pub(super) async fn deletion<T>(&self, delete: impl Future<Output = Result<T>>) -> Result<T> {
        self.budgeted(RequestKind::Delete, &self.0.budgets.delete, delete).await
    }

    async fn budgeted<T>(
        &self,
        kind: RequestKind,
        budget: &Arc<Adaptive>,
        request: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let _permit = budget.acquire().await;
        // The object_store crate retries by itself: throttling that it hides shows only in the count.
        let before = self.throttle_count(kind);
        let done = request.await;
        match &done {
            Err(Error::Store { kind: StoreErrorKind::Throttled, .. }) => budget.throttled(),
            _ if self.throttle_count(kind) > before => budget.throttled(),
            Ok(_) => budget.succeeded(),
            Err(_) => {}
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        key::Key,
        testing::fault::{Fault, FaultPlan, FaultyStore, Op, Rule, Scope, When},
    };

    const SECOND: Duration = Duration::from_secs(1);

    /// A location whose deletions, or listings, take a second each.
    fn slow(op: Op) -> Location {
        let rule = Rule::new(Scope::of(op), When::Always, Fault::Delay(SECOND..SECOND * 1001 / 1000));
        Location::in_memory().through(|store| Arc::new(FaultyStore::new(store, FaultPlan::none().with(rule.clone()))))
    }

    fn keys(count: usize) -> Vec<Key> {
        (0..count).map(|number| Key::parse(format!("n/wal/{number:05}")).expect("a key")).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_deletions_take_turns_and_make_no_listing_wait() {
        let location = slow(Op::Delete);
        let keys = keys(1_000);
        for key in &keys {
            location.put(key, "x".into()).await.expect("put");
        }
        let began = Instant::now();
        let mine = location.child("n").expect("a location");
        let other = location.clone();
        let listing = async {
            tokio::time::sleep(SECOND * 10).await;
            let listed = mine.list("").await.expect("listed").len();
            (listed, began.elapsed().as_secs())
        };
        // Two who do not know of each other, as stages of two runs would be.
        let (first, second) = keys.split_at(500);
        let (one, two, (listed, when)) =
            tokio::join!(location.delete_all(first.to_vec()), other.delete_all(second.to_vec()), listing);
        one.and(two).expect("deleted");
        assert_eq!(
            began.elapsed().as_secs(),
            1_000_u64.div_ceil(MAX_CONCURRENT as u64),
            "16 at once, neither more nor fewer"
        );
        assert_eq!(when, 10, "the listing waited");
        assert!((800..900).contains(&listed), "{listed} when 160 are gone");
        assert!(location.list("").await.expect("listed").is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn listings_take_turns_and_make_no_deletion_wait() {
        let location = slow(Op::List);
        let began = Instant::now();
        let listings = (0..64).map(|_| location.list(""));
        let delete = async {
            location.delete(&keys(1)[0]).await.expect("deleted");
            began.elapsed()
        };
        let (listed, deleted_after) = tokio::join!(futures::future::try_join_all(listings), delete);
        listed.expect("listed");
        assert_eq!((began.elapsed().as_secs(), deleted_after), (4, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_asks_for_fewer_deletions_gets_fewer_and_as_many_listings() {
        let location = Location::in_memory();
        let allowed = || (location.0.budgets.list.allowed(), location.0.budgets.delete.allowed());
        let slowed = |work| {
            let throttle_counts = Arc::clone(&location.0.budgets.throttle_counts);
            async move {
                throttle_counts.add(work);
                Ok(())
            }
        };
        location.deletion(slowed(RequestKind::Delete)).await.expect("went well at last");
        assert_eq!(allowed(), (16, 8));
        // Throttled copies and listings do not slow deletions down.
        tokio::time::advance(SECOND * 2).await;
        location.deletion(slowed(RequestKind::Copy)).await.expect("deleted");
        location.deletion(slowed(RequestKind::List)).await.expect("deleted");
        assert_eq!(allowed(), (16, 8));
        location.listing(slowed(RequestKind::List)).await.expect("listed");
        assert_eq!(allowed(), (8, 8));
        for key in keys(200) {
            location.delete(&key).await.expect("deleted");
        }
        assert_eq!(allowed(), (8, 16), "deletions recover, listings were not tried");
        let denied = |kind| async move {
            let source = Box::new(std::io::Error::other("x"));
            Err::<(), _>(Error::Store {
                operation: "delete",
                key: String::new(),
                location: String::new(),
                kind,
                source,
            })
        };
        location.deletion(denied(StoreErrorKind::Denied)).await.expect_err("denied");
        assert_eq!(allowed().1, 16);
        location.deletion(denied(StoreErrorKind::Throttled)).await.expect_err("throttled");
        assert_eq!(allowed().1, 8);
    }
}
