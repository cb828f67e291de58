//! One object that cannot be read is told apart from a store that cannot be asked.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use object_store::{GetOptions, GetRange, ObjectStoreExt, path::Path};
use tokio::time::{Instant, timeout};

use super::{Location, odd::is_odd};
use crate::{error::StoreErrorKind, key::Key};

/// How often the content of an object has to be refused before the store is asked for something else.
const FAILURES: u32 = 3;

/// For how long, at least.
const LEAST: Duration = Duration::from_secs(5);

/// How long it may take to ask.
const PATIENCE: Duration = Duration::from_secs(15);

/// How many of three others have to be sent: more may be rotten than one.
const MOST: u32 = 2;

/// How many objects are listed to find another one.
const LISTED: usize = 1_000;

/// How often, and for how long, the content of one object was refused.
#[derive(Debug, Default)]
pub(crate) struct Suspicion {
    failures: u32,
    since: Option<Instant>,
}

impl Suspicion {
    /// Counts a request for the content that has failed in this way. Returns whether there were so many that the store is to
    /// be asked for something else.
    fn grows(&mut self, kind: StoreErrorKind) -> bool {
        if !is_refusal(kind) {
            *self = Self::default();
            return false;
        }
        self.failures += 1;
        let since = *self.since.get_or_insert_with(Instant::now);
        self.failures >= FAILURES && since.elapsed() >= LEAST
    }

    /// Whether the last request was refused.
    pub(super) const fn has_begun(&self) -> bool {
        self.failures > 0
    }
}

/// Whether a request that has failed in this way may have failed for its object alone.
const fn is_refusal(kind: StoreErrorKind) -> bool {
    matches!(kind, StoreErrorKind::Throttled | StoreErrorKind::Unknown | StoreErrorKind::Unreadable)
}

impl Location {
    /// Whether the object is suspected of being unreadable, now that a request for its content has failed in this way: that was
    /// so often enough, or it was found to be unreadable before.
    pub(crate) fn suspects(&self, key: &Key, suspicion: &mut Suspicion, kind: StoreErrorKind) -> bool {
        let is_known = || self.0.budgets.unreadable().contains(&self.path(key));
        suspicion.grows(kind) || (is_refusal(kind) && is_known())
    }

    /// Whether the store describes this object, sends the content of others, and refuses that of this one all the same: what
    /// asked to slow down until now may send it. Where there are no others, that it describes this one has to do.
    pub(crate) async fn refuses_only(&self, key: &Key) -> bool {
        let path = self.path(key);
        let asked = async { self.describes(&path).await && self.sends_others(&path).await };
        let is_unreadable = timeout(PATIENCE, asked).await == Ok(true) && self.refuses_content(&path).await;
        if is_unreadable {
            self.0.budgets.unreadable().insert(path);
        }
        is_unreadable
    }

    /// Whether the store answers with an error where it is asked for the content of this object.
    async fn refuses_content(&self, path: &Path) -> bool {
        let read = async {
            let mut body = self.unlimited().get(path).await?.into_stream();
            while body.try_next().await?.is_some() {}
            Ok::<_, object_store::Error>(())
        };
        match timeout(PATIENCE * 4, read).await {
            Ok(Err(error)) => is_refusal(StoreErrorKind::of(&error)),
            _ => false,
        }
    }

    /// A file whose metadata cannot be read is described by its directory.
    async fn describes(&self, path: &Path) -> bool {
        match self.unlimited().head(path).await {
            Ok(_) => true,
            Err(error) => StoreErrorKind::of(&error) == StoreErrorKind::Unreadable,
        }
    }

    async fn sends_others(&self, path: &Path) -> bool {
        let store = self.unlimited();
        let listed = store.list(Some(self.base())).take(LISTED);
        let listed: Vec<_> = listed.filter_map(|entry| std::future::ready(entry.ok())).collect().await;
        let others: Vec<_> = listed.iter().filter(|other| is_other(other, path)).collect();
        let (Some(first), Some(last)) = (others.first(), others.last()) else { return true };
        let mut sent = 0;
        for other in [first, last, &others[others.len() / 2]] {
            let options = GetOptions { range: Some(GetRange::Bounded(0..1)), ..GetOptions::default() };
            let answer = async { store.get_opts(&other.location, options).await?.bytes().await };
            sent += u32::from(answer.await.is_ok());
        }
        sent >= MOST
    }
}

/// Whether an object can be asked for in place of the one at `path`.
fn is_other(other: &object_store::ObjectMeta, path: &Path) -> bool {
    other.size > 0 && other.location != *path && !is_odd(&other.location)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::testing::fault::{Failure, Fault, FaultPlan, FaultyStore, Op, Rule, Scope, When};

    #[tokio::test(start_paused = true)]
    async fn it_takes_several_refusals_for_some_time() {
        let mut suspicion = Suspicion::default();
        let kinds = [StoreErrorKind::Throttled, StoreErrorKind::Unknown, StoreErrorKind::Unreadable];
        assert_eq!(kinds.map(|kind| suspicion.grows(kind)), [false; 3], "all at once");
        tokio::time::advance(LEAST).await;
        assert!(suspicion.grows(StoreErrorKind::Throttled));
        assert!(!suspicion.grows(StoreErrorKind::Unreachable), "the store did not answer");
        assert!(!suspicion.grows(StoreErrorKind::Throttled), "it begins anew");
    }

    async fn holding(keys: &[&str], rule: Option<Rule>) -> (Location, Vec<Key>) {
        let location = Location::in_memory();
        let keys: Vec<_> = keys.iter().map(|key| Key::parse(*key).expect("a key")).collect();
        for key in &keys {
            location.put(key, Bytes::from_static(b"x")).await.expect("put");
        }
        let Some(rule) = rule else { return (location, keys) };
        let plan = FaultPlan::none().with(rule);
        (location.through(|store| Arc::new(FaultyStore::new(store, plan.clone()))), keys)
    }

    #[tokio::test(start_paused = true)]
    async fn another_object_tells() {
        let always = |scope| Some(Rule::new(scope, When::Always, Fault::Fail(Failure::Throttled)));
        let (healthy, keys) = holding(&["n/wal/1", "n/wal/2"], None).await;
        assert!(!healthy.refuses_only(&keys[0]).await, "it sends this one by now");
        let (rotten, keys) = holding(&["n/wal/1", "n/wal/2"], always(Scope::of(Op::Get).containing("wal/1"))).await;
        assert!(rotten.refuses_only(&keys[0]).await);
        let (busy, keys) = holding(&["n/wal/1", "n/wal/2"], always(Scope::of(Op::Get))).await;
        assert!(!busy.refuses_only(&keys[0]).await, "it sends no others either");
        let (alone, keys) = holding(&["n/wal/1"], always(Scope::of(Op::Get))).await;
        assert!(alone.refuses_only(&keys[0]).await, "there are none");
        let (away, keys) = holding(&["n/wal/1"], always(Scope::any())).await;
        assert!(!away.refuses_only(&keys[0]).await, "it does not describe this one");
    }
}
