//! The lease of a backup: taken as the first, or taken over where the last holder is dead.

use crate::{
    error::{Error, Result},
    key::Key,
    layout::{MANIFEST_KEY, OWN_DIRECTORY},
    lease::{Clock, Lease, LeaseScope, LeaseState, highest, release_timeout},
    location::Location,
    options::{OnExisting, Takeover},
};

/// What a lease was acquired for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acquired {
    /// A new backup.
    Fresh,
    /// A backup that another run began.
    TakenOver,
}

/// Acquires the lease of the backup `name` at `location`; without a `cluster`, for the one that it was begun for.
pub(crate) async fn acquire(
    location: &Location,
    name: &str,
    cluster: Option<&str>,
    existing: (OnExisting, Takeover),
    clock: Clock,
) -> Result<(Lease, Acquired)> {
    let scope = LeaseScope::Backup(name.to_owned());
    let manifest = Key::parse(MANIFEST_KEY)?;
    if location.head(&manifest).await?.is_some() {
        return Err(Error::BackupExists { name: name.to_owned() });
    }
    let mut before = highest(location, &scope, clock).await?;
    if before.is_none() && !is_vacant(location).await? {
        // Begun by another process since, or something that is not a backup: never merged with.
        before = highest(location, &scope, clock).await?;
        if before.is_none() {
            return Err(Error::BackupExists { name: name.to_owned() });
        }
    }
    let acquired = match &before {
        Some(before) => may_take_over(before, location, name, existing).map(|()| Acquired::TakenOver)?,
        None => Acquired::Fresh,
    };
    let lease = Lease::take(location, scope, cluster, before.as_ref()).await?;
    // The holder before may have committed meanwhile. It looks for a later lease after its commit: one of both sees the other.
    let error = match location.head(&manifest).await {
        Ok(None) => return Ok((lease, acquired)),
        Ok(Some(_)) => Error::BackupExists { name: name.to_owned() },
        Err(error) => error,
    };
    lease.release(release_timeout(&error)).await;
    Err(error)
}

/// How many backups may be begun within a second under default names.
const MAX_SUFFIX: u32 = 100;

/// Takes the right to write a new backup under a default name: the first that is free of `name`, `name-2`, `name-3` …
pub(crate) async fn acquire_default(
    repository: &Location,
    name: &str,
    cluster: &str,
    clock: Clock,
) -> Result<(String, Location, Lease)> {
    for suffix in 1..=MAX_SUFFIX {
        let name = if suffix == 1 { name.to_owned() } else { format!("{name}-{suffix}") };
        let to = repository.child(&name)?;
        match acquire(&to, &name, Some(cluster), (OnExisting::Refuse, Takeover::default()), clock).await {
            Ok((lease, _)) => return Ok((name, to, lease)),
            Err(Error::BackupExists { .. } | Error::BackupInProgress { .. } | Error::BackupUnfinished { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::BackupExists { name: name.to_owned() })
}

/// Whether nothing lies here. Directories without a file are what a process leaves that died before its lease was written.
async fn is_vacant(location: &Location) -> Result<bool> {
    let top = location.list_level_outside("").await?.unwrap_or_default();
    for directory in &top.directories {
        let holds = match directory.as_str() {
            OWN_DIRECTORY => !location.list(OWN_DIRECTORY).await?.is_empty(),
            // It may hold nothing but a directory marker.
            other => location.holds_object(other).await?,
        };
        if holds {
            return Ok(false);
        }
    }
    Ok(top.entries.is_empty())
}

fn may_take_over(
    before: &LeaseState,
    location: &Location,
    name: &str,
    (existing, takeover): (OnExisting, Takeover),
) -> Result<()> {
    match existing {
        OnExisting::Resume if before.is_free(takeover) => Ok(()),
        _ if before.is_held() => Err(LeaseScope::Backup(name.to_owned()).held(location, Some(before))),
        _ => Err(Error::BackupUnfinished { name: name.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use bytes::Bytes;

    use super::*;
    use crate::{
        options::Takeover,
        preflight,
        testing::fault::{Failure, Fault, FaultPlan, FaultyStore, Op, Rule, Scope, When},
    };

    async fn take(location: &Location, existing: (OnExisting, Takeover)) -> Result<(Lease, Acquired)> {
        let clock = Clock::Store(preflight::target(location).await?.clock_skew);
        acquire(location, "n1", Some("cluster1"), existing, clock).await
    }

    #[tokio::test]
    async fn a_fresh_lease_is_taken_over_only_when_the_caller_knows() {
        let location = Location::in_memory();
        let (first, begun) = take(&location, (OnExisting::Refuse, Takeover::AfterTimeout)).await.expect("free");
        assert_eq!(begun, Acquired::Fresh);
        let silent = take(&location, (OnExisting::Resume, Takeover::AfterTimeout)).await.expect_err("alive");
        assert_eq!(silent.code(), "backup-in-progress");
        first.check().await.expect("still held");
        let (second, begun) = take(&location, (OnExisting::Resume, Takeover::Immediately)).await.expect("taken over");
        assert_eq!(begun, Acquired::TakenOver);
        second.check().await.expect("held");
        assert_eq!(first.check().await.expect_err("lost").code(), "lease-lost");
    }

    #[tokio::test]
    async fn a_store_whose_clock_is_slow_makes_no_holder_look_dead() {
        let slow = FaultPlan::none().clock_behind(Duration::from_secs(3600));
        let location = Location::in_memory().through(|store| Arc::new(FaultyStore::new(store, slow.clone())) as Arc<_>);
        let (first, _) = take(&location, (OnExisting::Refuse, Takeover::AfterTimeout)).await.expect("free");
        let silent = take(&location, (OnExisting::Resume, Takeover::AfterTimeout)).await.expect_err("alive");
        assert_eq!(silent.code(), "backup-in-progress");
        first.check().await.expect("still held");
    }

    #[tokio::test]
    async fn what_was_given_up_is_resumed_at_once() {
        let location = Location::in_memory();
        let (first, _) = take(&location, (OnExisting::Refuse, Takeover::AfterTimeout)).await.expect("free");
        first.release(std::time::Duration::from_secs(1)).await;
        assert_eq!(
            take(&location, (OnExisting::Refuse, Takeover::AfterTimeout)).await.expect_err("begun").code(),
            "backup-unfinished"
        );
        let (second, begun) =
            take(&location, (OnExisting::Resume, Takeover::AfterTimeout)).await.expect("it is not held");
        assert_eq!(begun, Acquired::TakenOver);
        let highest =
            highest(&location, &LeaseScope::Backup("n1".to_owned()), Clock::Local).await.expect("there").expect("one");
        assert!(highest.is_held());
        second.check().await.expect("held");
    }

    #[tokio::test]
    async fn a_lease_is_released_where_the_store_fails_after_it() {
        let location = Location::in_memory();
        let manifest = Scope::of(Op::Head).containing(MANIFEST_KEY);
        let plan = FaultPlan::none().with(Rule::new(manifest, When::Nth(2), Fault::Fail(Failure::Denied)));
        let faulty = location.through(|store| Arc::new(FaultyStore::new(store, plan.clone())) as Arc<_>);
        let denied = take(&faulty, (OnExisting::Refuse, Takeover::AfterTimeout)).await.expect_err("denied");
        assert_eq!(denied.code(), "access-denied");
        take(&location, (OnExisting::Resume, Takeover::AfterTimeout)).await.expect("it is not held");
    }

    /// Two clusters that are backed up into one repository by one line of cron.
    #[tokio::test]
    async fn default_names_of_one_second_do_not_collide() {
        let repository = Location::in_memory();
        let clock = Clock::Store(preflight::target(&repository).await.expect("writable").clock_skew);
        let take = |cluster| acquire_default(&repository, "backup-20261101-000000", cluster, clock);
        let taken = futures::future::join_all(["c1", "c2", "c3"].map(take)).await;
        let taken: Vec<_> = taken.into_iter().map(|taken| taken.expect("a name")).collect();
        let mut names: Vec<_> = taken.iter().map(|(name, ..)| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["backup-20261101-000000", "backup-20261101-000000-2", "backup-20261101-000000-3"]);
        for (_, _, lease) in &taken {
            lease.check().await.expect("held");
        }
    }

    #[tokio::test]
    async fn what_is_no_backup_is_never_merged_with() {
        let location = Location::in_memory();
        let foreign = Key::parse("node1/wal/x").expect("valid");
        location.put(&foreign, Bytes::from_static(b"x")).await.expect("put");
        assert_eq!(
            take(&location, (OnExisting::Refuse, Takeover::AfterTimeout)).await.expect_err("foreign").code(),
            "backup-exists"
        );
        let resume = (OnExisting::Resume, Takeover::Immediately);
        assert_eq!(take(&location, resume).await.expect_err("foreign").code(), "backup-exists");
    }
}
