use std::sync::Arc;

use bytes::Bytes;
use chrono::TimeDelta;
use tokio::time::{Instant, sleep};

use super::{
    heartbeat::{INTERVAL, LONGEST_REQUEST, RENEWAL_DEADLINE},
    *,
};
use crate::{
    StoreOptions,
    error::Category,
    location::ObjectTable,
    options::Takeover,
    read_limits,
    testing::fault::{Failure, Fault, FaultPlan, FaultyStore, Hold, Op, Rule, Scope, When},
};

fn scopes() -> [LeaseScope; 2] {
    [LeaseScope::Backup("n1".to_owned()), LeaseScope::Target]
}

async fn take(location: &Location, scope: &LeaseScope) -> Lease {
    let before = highest(location, scope, Clock::Local).await.expect("listed");
    Lease::take(location, scope.clone(), Some("cluster1"), before.as_ref()).await.expect("taken")
}

#[tokio::test]
async fn of_many_at_once_one_wins() {
    for (scope, code) in scopes().into_iter().zip(["backup-in-progress", "restore-in-progress"]) {
        let location = Location::in_memory();
        let attempts = (0..16).map(|_| Lease::take(&location, scope.clone(), Some("cluster1"), None));
        let taken: Vec<_> = futures::future::join_all(attempts).await;
        assert_eq!(taken.iter().filter(|lease| lease.is_ok()).count(), 1);
        for error in taken.into_iter().filter_map(Result::err) {
            assert_eq!(error.code(), code);
            assert!(error.to_string().contains(&format!("process {} on ", std::process::id())), "{error}");
        }
    }
}

/// Without conditional writes: at most one, and one where the others come later.
#[tokio::test(start_paused = true)]
async fn with_one_writer_of_many_at_once_no_two_win() {
    for (scope, code) in scopes().into_iter().zip(["backup-in-progress", "restore-in-progress"]) {
        let location = Location::in_memory().for_single_writer();
        let attempts = (0..16).map(|_| Lease::take(&location, scope.clone(), Some("cluster1"), None));
        let taken: Vec<_> = futures::future::join_all(attempts).await;
        let (held, refused): (Vec<_>, Vec<_>) = taken.into_iter().partition(Result::is_ok);
        assert_eq!(held.len(), 1, "times in memory have nanoseconds");
        for error in refused.into_iter().filter_map(Result::err) {
            assert_eq!(error.code(), code);
            assert!(error.to_string().contains(&format!("process {} on ", std::process::id())), "{error}");
        }
        let left = location.list("").await.expect("listed");
        assert_eq!(left.len(), 1, "those of the others are removed: {left:?}");
        let mut lease = held.into_iter().next().expect("one").expect("held");
        lease.check().await.expect("held");
        sleep(INTERVAL + Duration::from_secs(1)).await;
        lease.check().await.expect("renewed");
        let later = Lease::take(&location, scope.clone(), Some("cluster1"), None).await.expect_err("it is held");
        assert_eq!(later.code(), code, "an older one of the same number is there");
        let second = take(&location, &scope).await;
        second.check().await.expect("taken over");
        assert_eq!(lease.check().await.expect_err("lost").code(), "lease-lost");
        assert_eq!(lease.remove().await.expect_err("lost").code(), "lease-lost");
        second.release(RELEASE_TIMEOUT).await;
        let released = highest(&location, &scope, Clock::Local).await.expect("listed").expect("one");
        assert!(released.is_free(Takeover::AfterTimeout), "{released:?}");
        take(&location, &scope).await.remove().await.expect("removed");
    }
}

/// One that was written later, by the store's clock, loses although its name comes first.
#[tokio::test(start_paused = true)]
async fn with_one_writer_a_lease_of_the_same_number_is_found_whoever_wrote_it() {
    let scope = LeaseScope::Target;
    let location = Location::in_memory().for_single_writer();
    let first = take(&location, &scope).await;
    let key = first.held.key().expect("a key");
    let owner = "0".repeat(32);
    assert!(key.name() > format!("claim-000001-{owner}").as_str());
    location.put(&scope.own_key(1, &owner).expect("a key"), Bytes::from_static(b"cut sh")).await.expect("put");
    first.check().await.expect("still held");
    let held = highest(&location, &scope, Clock::Local).await.expect("listed").expect("one");
    assert!(!held.is_free(Takeover::AfterTimeout), "{held:?}");
}

#[tokio::test]
async fn a_lease_is_lost_to_the_next_number() {
    for scope in scopes() {
        let location = Location::in_memory();
        let mut first = take(&location, &scope).await;
        first.check().await.expect("still held");
        let second = take(&location, &scope).await;
        second.check().await.expect("held");
        assert_eq!(first.check().await.expect_err("lost").code(), "lease-lost");
        assert_eq!(first.remove().await.expect_err("lost").code(), "lease-lost");
        second.check().await.expect("still held");
    }
}

#[tokio::test]
async fn a_lease_that_was_released_is_free_at_once() {
    for scope in scopes() {
        let location = Location::in_memory();
        let lease = take(&location, &scope).await;
        let free = |takeover| {
            let location = &location;
            let scope = &scope;
            async move { highest(location, scope, Clock::Local).await.expect("listed").expect("one").is_free(takeover) }
        };
        assert!(!free(Takeover::AfterTimeout).await && free(Takeover::Immediately).await);
        lease.release(RELEASE_TIMEOUT).await;
        assert!(free(Takeover::AfterTimeout).await);
    }
}

#[tokio::test]
async fn a_lease_that_was_released_on_a_full_disk_is_free_at_once() {
    for scope in scopes() {
        let root = tempfile::tempdir().expect("a directory");
        let location =
            Location::parse(root.path().to_str().expect("UTF-8"), &StoreOptions::default()).expect("a place");
        take(&location, &scope).await;
        let full = Rule::new(Scope::of(Op::Put), When::From(2), Fault::Fail(Failure::Full));
        let faulty = |store| Arc::new(FaultyStore::new(store, FaultPlan::none().with(full.clone()))) as Arc<_>;
        let lease = take(&location.through(faulty), &scope).await;
        lease.release(RELEASE_TIMEOUT).await;
        let left = highest(&location, &scope, Clock::Local).await.expect("listed").expect("one");
        assert_eq!((left.number, left.file.released, left.is_free(Takeover::AfterTimeout)), (2, None, true));
    }
}

#[tokio::test(start_paused = true)]
async fn a_holder_learns_that_it_lost() {
    for scope in scopes() {
        let location = Location::in_memory();
        let first = take(&location, &scope).await;
        let _second = take(&location, &scope).await;
        sleep(INTERVAL + Duration::from_secs(1)).await;
        assert!(first.lost.is_cancelled());
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_removed_is_never_written_again() {
    let location = Location::in_memory();
    let first = take(&location, &LeaseScope::Target).await;
    let mut second = take(&location, &LeaseScope::Target).await;
    second.remove().await.expect("removed");
    assert_eq!(location.list("").await.expect("listed"), ObjectTable::default(), "what it took over from, too");
    sleep(INTERVAL + Duration::from_secs(1)).await;
    assert!(first.lost.is_cancelled());
    first.release(RELEASE_TIMEOUT).await;
    assert_eq!(location.list("").await.expect("listed"), ObjectTable::default());

    // Numbers begin anew: the lease of another run is another one although it has the same number.
    let mut stale = take(&location, &LeaseScope::Target).await;
    location.delete(&LeaseScope::Target.key(1).expect("a key")).await.expect("deleted");
    let lease = take(&location, &LeaseScope::Target).await;
    assert_eq!(stale.remove().await.expect_err("lost").code(), "lease-lost");
    lease.check().await.expect("held");
}

fn faulty(location: &Location, rule: Rule) -> Location {
    location.through(move |store| Arc::new(FaultyStore::new(store, FaultPlan::none().with(rule.clone()))) as Arc<_>)
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_cannot_renew_stops() {
    for scope in scopes() {
        let unreachable = Fault::Fail(Failure::Unreachable);
        let lease =
            take(&faulty(&Location::in_memory(), Rule::new(Scope::of(Op::Put), When::From(4), unreachable)), &scope)
                .await;
        let taken = Instant::now();
        lease.check().await.expect("held");
        lease.lost.cancelled().await;
        // Two renewals went well.
        let stopped = taken.elapsed();
        let expected = INTERVAL * 2 + RENEWAL_DEADLINE;
        assert!((expected..expected + INTERVAL / 6).contains(&stopped), "{stopped:?}");
        for error in [lease.loss().await, lease.check().await.expect_err("too late, although no other holds it")] {
            assert_eq!(
                (error.code(), error.category(), error.is_retryable()),
                ("lease-not-renewed", Category::Store, true)
            );
            assert!(error.to_string().contains("could not be renewed for 40"), "{error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_for_a_while_costs_no_lease() {
    let outage = When::Between(Duration::from_secs(70)..Duration::from_secs(70) + RENEWAL_DEADLINE - INTERVAL * 2);
    let rule = Rule::new(Scope::any(), outage, Fault::Fail(Failure::Unreachable));
    let lease = take(&faulty(&Location::in_memory(), rule), &LeaseScope::Target).await;
    sleep(SILENCE * 2).await;
    assert!(!lease.lost.is_cancelled());
    lease.check().await.expect("held");
}

/// The second holder sees by the clock of the store how long the first is silent, which is cut off from the store.
#[tokio::test(start_paused = true)]
async fn two_holders_are_never_active_at_once() {
    for cut_off in [1, 59, 60, 61, 119, 300, 1000].map(Duration::from_secs) {
        let location = Location::in_memory();
        let scope = LeaseScope::Backup("n1".to_owned());
        let forever = cut_off..cut_off + SILENCE * 100;
        let rule = Rule::new(Scope::any(), When::Between(forever), Fault::Fail(Failure::Unreachable));
        let first = take(&faulty(&location, rule), &scope).await;
        let lost = first.lost.clone();
        let stopped = tokio::spawn(async move {
            lost.cancelled().await;
            Instant::now()
        });
        let key = scope.key(1).expect("a key");
        let mut renewed = (None, Instant::now());
        let state = loop {
            sleep(Duration::from_secs(1)).await;
            let e_tag = location.head(&key).await.expect("read").expect("there").version.e_tag;
            if renewed.0 != e_tag {
                renewed = (e_tag, Instant::now());
            }
            let ahead = TimeDelta::from_std(renewed.1.elapsed()).expect("short");
            let state = highest(&location, &scope, Clock::Store(ahead)).await.expect("listed").expect("one");
            if state.is_free(Takeover::AfterTimeout) {
                break state;
            }
        };
        let second = Lease::take(&location, scope, None, Some(&state)).await.expect("free");
        assert!(first.lost.is_cancelled() && !second.lost.is_cancelled(), "{cut_off:?}");
        let between = stopped.await.expect("stopped").elapsed();
        assert!(between >= LONGEST_REQUEST - Duration::from_secs(10), "{cut_off:?}: {between:?}");
        assert_eq!(second.held.file.cluster, "cluster1", "it is for the same cluster");
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_comes_late_does_not_undo_the_release() {
    for scope in scopes() {
        let location = Location::in_memory();
        let slow = Fault::Delay(Duration::from_secs(20)..Duration::from_secs(21));
        let lease = take(&faulty(&location, Rule::new(Scope::of(Op::Put), When::Nth(2), slow)), &scope).await;
        sleep(INTERVAL + Duration::from_secs(1)).await;
        lease.release(RELEASE_TIMEOUT).await;
        sleep(INTERVAL).await;
        let left = highest(&location, &scope, Clock::Local).await.expect("listed").expect("one");
        assert!(left.is_free(Takeover::AfterTimeout), "{left:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_under_way_does_not_come_after_the_removal() {
    let location = Location::in_memory();
    let slow = Fault::Delay(Duration::from_secs(20)..Duration::from_secs(21));
    let rule = Rule::new(Scope::of(Op::Put), When::Nth(2), slow);
    let mut lease = take(&faulty(&location, rule), &LeaseScope::Target).await;
    sleep(INTERVAL + Duration::from_secs(1)).await;
    lease.remove().await.expect("removed");
    sleep(INTERVAL).await;
    assert_eq!(location.list("").await.expect("listed"), ObjectTable::default());
}

/// A store, and files, which know no conditional writes.
fn places() -> [(Option<tempfile::TempDir>, Location); 2] {
    let root = tempfile::tempdir().expect("a directory");
    let files = Location::parse(root.path().to_str().expect("UTF-8"), &StoreOptions::default()).expect("a place");
    [(None, Location::in_memory()), (Some(root), files)]
}

/// The first renewal arrives 100 s after it was sent, when its answer is long given up.
fn first_renewal_late(location: &Location) -> Location {
    let late = Fault::Late(Duration::from_secs(100)..Duration::from_secs(101));
    faulty(location, Rule::new(Scope::of(Op::Put), When::Nth(2), late))
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_was_given_up_does_not_undo_the_release() {
    for scope in scopes() {
        for (_kept, location) in places() {
            let lease = take(&first_renewal_late(&location), &scope).await;
            sleep(INTERVAL + Duration::from_secs(75)).await;
            lease.release(RELEASE_TIMEOUT).await;
            let is_free = async || {
                let left = highest(&location, &scope, Clock::Local).await.expect("listed").expect("one");
                left.is_free(Takeover::AfterTimeout)
            };
            assert!(is_free().await);
            sleep(INTERVAL).await;
            assert!(is_free().await, "{location}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_was_given_up_does_not_come_after_the_removal() {
    for (_kept, location) in places() {
        let mut lease = take(&first_renewal_late(&location), &LeaseScope::Target).await;
        sleep(INTERVAL + Duration::from_secs(75)).await;
        lease.end_renewals().await;
        lease.remove().await.expect("removed");
        sleep(INTERVAL).await;
        assert!(location.list("").await.expect("listed").is_empty(), "{location}");
    }
}

/// The same without waiting: where a store would take the renewal, what is left of the lease is in no one's way.
#[tokio::test(start_paused = true)]
async fn a_removal_does_not_wait_for_a_renewal_that_was_given_up() {
    for (_kept, location) in places() {
        let mut lease = take(&first_renewal_late(&location), &LeaseScope::Target).await;
        sleep(INTERVAL + Duration::from_secs(75)).await;
        let began = Instant::now();
        lease.remove().await.expect("removed");
        assert!(began.elapsed() <= OUTAGE_TIMEOUT, "{:?}", began.elapsed());
        sleep(INTERVAL).await;
        let left = highest(&location, &LeaseScope::Target, Clock::Local).await.expect("listed");
        assert_eq!(left.is_some(), location.directory().is_some(), "{left:?}");
        assert!(left.is_none_or(|left| left.is_free(Takeover::AfterTimeout)));
        let mut next = take(&location, &LeaseScope::Target).await;
        next.remove().await.expect("removed");
        assert!(location.list("").await.expect("listed").is_empty(), "{location}");
    }
}

/// The first renewal is refused, throttled or not answered shortly before the work is done.
#[tokio::test(start_paused = true)]
async fn a_removal_does_not_wait_for_a_renewal_that_failed() {
    for failure in [Failure::Denied, Failure::Full, Failure::Throttled, Failure::Unreachable] {
        for (_kept, location) in places() {
            let rule = Rule::new(Scope::of(Op::Put), When::Burst(2..4), Fault::Fail(failure));
            let mut lease = take(&faulty(&location, rule), &LeaseScope::Target).await;
            sleep(INTERVAL * 2).await;
            let began = Instant::now();
            lease.remove().await.expect("removed");
            assert!(began.elapsed() <= OUTAGE_TIMEOUT, "{failure:?} {location}: {:?}", began.elapsed());
            assert!(location.list("").await.expect("listed").is_empty(), "{failure:?} {location}");
        }
    }
}

/// A renewal that arrives after the lease was looked at, and before it is removed.
#[tokio::test(start_paused = true)]
async fn a_lease_that_is_renewed_while_it_is_removed_is_removed() {
    let location = Location::in_memory();
    let hold = Hold::default();
    let key = LeaseScope::Target.key(1).expect("a key");
    // The first listing of the removal checks that the lease is held.
    let listing = Rule::new(Scope::of(Op::List), When::Nth(2), Fault::Hold(hold.clone()));
    let mut lease =
        Lease::take(&faulty(&location, listing), LeaseScope::Target, Some("cluster1"), None).await.expect("taken");
    let renewal = async {
        hold.reached().await;
        let (bytes, _) =
            location.get_with_version(&key, read_limits::SMALL).await.expect("read").expect("there").expect("small");
        location.put(&key, bytes).await.expect("put");
        hold.release();
    };
    let (removed, ()) = tokio::join!(lease.remove(), renewal);
    removed.expect("removed");
    assert!(location.list("").await.expect("listed").is_empty());
}

#[tokio::test]
async fn a_lease_that_is_renewed_while_it_is_released_is_released() {
    let location = Location::in_memory();
    let changed = Rule::new(Scope::of(Op::Put), When::Nth(2), Fault::Fail(Failure::Changed));
    let lease = take(&faulty(&location, changed), &LeaseScope::Target).await;
    lease.release(RELEASE_TIMEOUT).await;
    let left = highest(&location, &LeaseScope::Target, Clock::Local).await.expect("listed").expect("one");
    assert_eq!((left.number, left.is_free(Takeover::AfterTimeout)), (1, true));
}

/// The process is suspended: neither its heartbeat nor anything else of it runs.
#[tokio::test(start_paused = true)]
async fn a_suspended_process_writes_nothing_when_it_goes_on() {
    let location = Location::in_memory();
    let key = Key::parse("x").expect("a key");
    location.put(&key, Bytes::from_static(b"another's")).await.expect("put");
    let lease = take(&location, &LeaseScope::Target).await;
    let fenced = lease.fenced(&location);
    fenced.check_fence().expect("held");
    // Its first poll sets the clock forward; no other task runs before the write.
    let advanced = futures::poll!(std::pin::pin!(tokio::time::advance(SILENCE)));
    assert!(advanced.is_pending());
    assert!(!lease.lost.is_cancelled(), "the heartbeat has not seen it");
    let refused = fenced.put(&key, Bytes::from_static(b"late")).await.expect_err("too late");
    assert_eq!(refused.code(), "lease-not-renewed");
    assert!(lease.lost.is_cancelled());
    assert_eq!(fenced.delete(&key).await.expect_err("too late").code(), "lease-not-renewed");
    assert_eq!(lease.loss().await.code(), "lease-not-renewed", "no other process is there");
    let _second = take(&location, &LeaseScope::Target).await;
    assert_eq!(lease.loss().await.code(), "lease-lost");
    assert_eq!(location.get(&key, None).await.expect("read").expect("there"), "another's");
}

#[tokio::test]
async fn a_lease_whose_answer_was_lost_is_released() {
    let location = Location::in_memory();
    let lost = Rule::new(Scope::of(Op::Put), When::Nth(1), Fault::LoseAnswer(Failure::Denied));
    let scope = LeaseScope::Target;
    let taken = Lease::take(&faulty(&location, lost), scope.clone(), Some("cluster1"), None).await;
    assert_eq!(taken.expect_err("denied").code(), "access-denied");
    let left = highest(&location, &scope, Clock::Local).await.expect("listed").expect("it was written");
    assert!(left.is_free(Takeover::AfterTimeout));
}

#[tokio::test]
async fn no_lease_follows_the_last_number() {
    let location = Location::in_memory();
    for (name, code) in [("claim-18446744073709551615", None), ("claim-999999999", Some("damaged-backup"))] {
        let key = Key::parse(format!("_influx_backup/restore/{name}")).expect("a key");
        location.put(&key, Bytes::from_static(b"{}")).await.expect("put");
        let before = highest(&location, &LeaseScope::Target, Clock::Local).await.expect("listed");
        let taken = Lease::take(&location, LeaseScope::Target, Some("cluster1"), before.as_ref()).await;
        match code {
            None => taken.expect("taken").check().await.expect("held"),
            Some(code) => assert_eq!(taken.expect_err("no number is left").code(), code),
        }
    }
}

/// A process that was killed may have sent something just before. To files, nothing is sent.
#[tokio::test(start_paused = true)]
async fn what_a_killed_holder_has_sent_is_waited_for() {
    for (_kept, location) in places() {
        let _killed = take(&location, &LeaseScope::Target).await;
        let next = take(&location, &LeaseScope::Target).await;
        let expected = if location.directory().is_some() { Duration::ZERO } else { LATE };
        assert_eq!(next.unsettled(), expected, "{location}");
        next.release(RELEASE_TIMEOUT).await;
        let after = take(&location, &LeaseScope::Target).await;
        assert_eq!(after.unsettled().is_zero(), location.directory().is_some(), "{location}");
    }
    let mut silent = {
        let location = Location::in_memory();
        let _killed = take(&location, &LeaseScope::Target).await;
        highest(&location, &LeaseScope::Target, Clock::Local).await.expect("listed").expect("one")
    };
    for (silence, unsettled) in [(0, 60), (539, 60), (590, 10), (600, 0), (10_000, 0)] {
        silent.silence = Duration::from_secs(silence);
        assert_eq!(silent.unsettled(), Duration::from_secs(unsettled), "{silence}");
    }
}

/// A copier of the caller's may go on when its job has ended.
#[tokio::test]
async fn nothing_is_written_once_the_lease_has_ended() {
    let location = Location::in_memory();
    for is_released in [true, false] {
        let lease = take(&location, &LeaseScope::Target).await;
        let fenced = lease.fenced(&location);
        fenced.check_fence().expect("held");
        if is_released {
            lease.release(Duration::from_secs(1)).await;
        } else {
            drop(lease);
        }
        assert_eq!(fenced.check_fence().expect_err("ended").code(), "lease-lost");
    }
}

/// A full disk takes no file. What frees it needs a lease, too.
#[tokio::test]
async fn on_a_full_disk_one_takes_over_in_the_file_of_the_one_before() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().to_str().expect("UTF-8");
    let place = Location::parse(path, &StoreOptions::default()).expect("a location");
    let full = Rule::new(Scope::of(Op::Put), When::Always, Fault::Fail(Failure::Full));
    let plan = FaultPlan::none().with(full);
    let full = place.through(|store| Arc::new(FaultyStore::new(store, plan.clone())) as Arc<_>);
    for (scope, code) in scopes().into_iter().zip(["backup-in-progress", "restore-in-progress"]) {
        let first = Lease::take(&full, scope.clone(), Some("cluster1"), None).await.expect_err("there is none before");
        assert_eq!(first.code(), "no-space");

        take(&place, &scope).await.release(RELEASE_TIMEOUT).await;
        let before = highest(&place, &scope, Clock::Local).await.expect("listed").expect("one");
        let attempts = [&full, &full, &place, &full]
            .map(|location| Lease::take(location, scope.clone(), Some("cluster1"), Some(&before)));
        let (taken, refused): (Vec<_>, Vec<_>) =
            futures::future::join_all(attempts).await.into_iter().partition(Result::is_ok);
        assert_eq!(taken.len(), 1, "{scope:?}");
        assert!(refused.iter().all(|lease| lease.as_ref().is_err_and(|error| error.code() == code)), "{refused:?}");
        let mut lease = taken.into_iter().next().expect("one").expect("taken");
        assert_eq!(lease.number(), 2);
        lease.check().await.expect("held");
        assert!(highest(&place, &scope, Clock::Local).await.expect("listed").expect("one").is_held());
        lease.remove().await.expect("removed");
        assert!(place.list("").await.expect("listed").is_empty(), "{scope:?}");
    }
}

/// Whoever held it before and lives on notices that as ever.
#[tokio::test]
async fn on_a_full_disk_who_is_taken_over_from_stops() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().to_str().expect("UTF-8");
    let place = Location::parse(path, &StoreOptions::default()).expect("a location");
    let old = take(&place, &LeaseScope::Target).await;
    let full = Rule::new(Scope::of(Op::Put), When::Always, Fault::Fail(Failure::Full));
    let plan = FaultPlan::none().with(full);
    let full = place.through(|store| Arc::new(FaultyStore::new(store, plan.clone())) as Arc<_>);
    let new = take(&full, &LeaseScope::Target).await;
    assert_eq!(old.check().await.expect_err("taken over").code(), "lease-lost");
    old.release(RELEASE_TIMEOUT).await;
    new.check().await.expect("held");
    let state = highest(&place, &LeaseScope::Target, Clock::Local).await.expect("listed").expect("one");
    assert!(state.is_held(), "{state:?}");
}
