//! `Lease`: one writer for a backup, and one for the target of a restore.
//!
//! Leases are numbered, create-only objects, `claim-000001` being the first. The process that wrote the highest number holds
//! the `LeaseScope`, and shows that it is alive by writing its object again every minute. To take over is to create the
//! next number: on every store with conditional writes exactly one process can. On others see `contest`.
//!
//! Another process may take over after `SILENCE`. A holder that cannot renew its lease stops well before that, see
//! `Heartbeat`, so that two of them never write at the same time. Each write asks a `LeaseFence` before: a process that was
//! suspended may go on with a write before it notices that it was.

mod contest;
mod fence;
mod heartbeat;
mod held;
mod scope;
mod state;

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use self::{fence::LeaseFence, heartbeat::Heartbeat, held::HeldLease};
pub(crate) use self::{
    scope::LeaseScope,
    state::{Clock, LeaseFile, LeaseState, highest},
};
use crate::{
    error::{Error, Result, StoreErrorKind},
    key::Key,
    location::{Location, Writers},
};

/// How long a holder may be silent before another process may take over.
pub(crate) const SILENCE: Duration = Duration::from_secs(600);

/// How long a request may take to have its effect after its answer is no longer waited for.
const LATE: Duration = Duration::from_secs(60);

/// The numbers that leases may have.
const NUMBERS: RangeInclusive<u64> = 1..=999_999_999;

/// How long a run that was cancelled waits for each last thing that it asks of the store: it ends within a second.
const RELEASE_TIMEOUT: Duration = Duration::from_millis(260);

/// How often a lease is removed that a renewal wrote again meanwhile.
const REMOVALS: u32 = 3;

/// How long a run that failed waits for the store before it ends.
const FAILURE_TIMEOUT: Duration = Duration::from_secs(10);

/// The same where a store was away.
const OUTAGE_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a run that ends with this error waits for each last thing that it asks of the store.
pub(crate) const fn release_timeout(error: &Error) -> Duration {
    match error {
        Error::Cancelled { .. } => RELEASE_TIMEOUT,
        error if error.is_outage() => OUTAGE_TIMEOUT,
        _ => FAILURE_TIMEOUT,
    }
}

/// The right to write. Given up when dropped, without a trace: the work may be resumed.
#[derive(Debug)]
pub(crate) struct Lease {
    held: HeldLease,
    /// Cancelled when another process took over, or may soon: everything that writes has to stop.
    pub(crate) lost: CancellationToken,
    heartbeat: Heartbeat,
    /// Until when requests of earlier runs may take effect.
    settled: Instant,
    /// When a request of this run was last cut off.
    cut_off: Arc<watch::Sender<Option<Instant>>>,
}

impl Lease {
    /// Takes the lease over from `before`, which the caller found to be free, or as the first. Without a `cluster`, it is
    /// for the one that `before` was for.
    ///
    /// # Errors
    /// That it is [held](LeaseScope::held), where another process was quicker; [`Error::Store`].
    pub(crate) async fn take(
        location: &Location,
        scope: LeaseScope,
        cluster: Option<&str>,
        before: Option<&LeaseState>,
    ) -> Result<Self> {
        let cluster = cluster.or(before.map(|before| before.file.cluster.as_str())).unwrap_or_default();
        let file = LeaseFile::new(cluster, before.map_or_else(Utc::now, |before| before.file.began));
        let number = before.map_or(0, |before| before.number) + 1;
        if !NUMBERS.contains(&number) {
            return Err(Error::damaged(&scope.key(number - 1)?, "no lease can follow its number: delete it"));
        }
        // To files, nothing is sent.
        let is_sent_to = location.directory().is_none();
        let unsettled = before.filter(|_| is_sent_to).map(LeaseState::unsettled).unwrap_or_default();
        let file = LeaseFile { unsettled: unsettled.as_secs(), ..file };
        let held = HeldLease { location: location.clone(), scope, number, file };
        let asked = heartbeat::Renewed::now();
        let began = Instant::now();
        match held.create_after(before).await {
            Ok(()) => {
                if location.writers() == Writers::Single && !contest::is_first(&held, began).await? {
                    location.delete(&held.key()?).await?;
                    return Err(held.refused().await?);
                }
                let lost = CancellationToken::new();
                let heartbeat = Heartbeat::start(held.clone(), asked, lost.clone());
                let settled = Instant::now() + unsettled;
                Ok(Self { held, lost, heartbeat, settled, cut_off: Arc::default() })
            }
            Err(Error::Store { kind: StoreErrorKind::AlreadyExists, .. }) => Err(held.refused().await?),
            Err(error) => {
                // It may have been written all the same. Best effort: where this fails, silence has the same effect later.
                let _ = timeout(release_timeout(&error), held.release()).await;
                Err(error)
            }
        }
    }

    /// The same location, to which nothing is written once another process may have taken over.
    pub(crate) fn fenced(&self, location: &Location) -> Location {
        let renewed = self.heartbeat.renewed();
        let lost = self.lost.clone();
        let cut_off = Arc::clone(&self.cut_off);
        location.fenced(Arc::new(LeaseFence { held: self.held.clone(), renewed, lost, cut_off }))
    }

    /// How long requests that were cut off, of this run or of earlier ones, may still take effect.
    pub(crate) fn unsettled(&self) -> Duration {
        let settled = self.cut_off.borrow().map_or(self.settled, |cut_off| self.settled.max(cut_off + LATE));
        settled.saturating_duration_since(Instant::now())
    }

    /// What became of work that was to stop once the lease was lost; `None` where it was stopped.
    pub(crate) async fn outcome<T>(&self, done: Option<Result<T>>) -> Result<T> {
        match done {
            Some(done) if done.is_ok() || !self.lost.is_cancelled() => done,
            _ => Err(self.loss().await),
        }
    }

    /// Asks the store once more, before a step that cannot be taken back.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] where another process took over; [`Error::LeaseNotRenewed`] where one soon may;
    /// [`Error::Store`].
    pub(crate) async fn check(&self) -> Result<()> {
        self.held.check().await?;
        // Last: the process may have been suspended while it waited for the answer.
        self.expiry().map_or(Ok(()), Err)
    }

    /// Asks the store once more, after a step that no later holder overlooks: how old the last renewal is does not matter
    /// then.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] where another process had taken over before; [`Error::Store`].
    pub(crate) async fn confirm(&self) -> Result<()> {
        self.held.check().await.map(drop)
    }

    /// Why it was lost.
    pub(crate) async fn loss(&self) -> Error {
        match timeout(FAILURE_TIMEOUT, self.held.check()).await {
            Ok(Err(error @ Error::LeaseLost { .. })) => error,
            _ => self.expiry().unwrap_or_else(|| self.held.scope.taken_over(&self.held.location, None)),
        }
    }

    fn expiry(&self) -> Option<Error> {
        self.heartbeat.expiry().map(|age| self.held.not_renewed(age))
    }

    /// Says that the run ended and left its work undone, so that the next one need not wait. Where the store does not take
    /// that `within` this time, silence has the same effect later.
    pub(crate) async fn release(mut self, within: Duration) {
        let end = Instant::now() + within;
        let late = self.heartbeat.end(within / 2).await;
        self.held.file.unsettled = self.unsettled().as_secs_f64().ceil() as u64;
        let released = async {
            match late {
                None => self.held.release().await,
                // It would undo what is written under its number.
                Some(_) => self.held.release_under_next_number().await,
            }
        };
        if let Ok(Err(Error::Store { .. })) = timeout_at(end, released).await {
            self.held.expire();
        }
    }

    /// Renews the lease no more, and waits until no renewal can arrive late and leave a lease behind: minutes, where a store
    /// without conditional writes did not answer one. May be dropped.
    pub(crate) async fn end_renewals(&mut self) {
        if let Some(until) = self.heartbeat.end(OUTAGE_TIMEOUT).await {
            tracing::info!("waiting for a renewal of the lease that was not answered");
            sleep_until(until).await;
        }
    }

    /// Removes this lease and those that it took over from: there is nothing that another run could resume.
    ///
    /// It does not wait: where a renewal may arrive late that the store would take, a lease is left that is released.
    ///
    /// # Errors
    /// [`Error::LeaseLost`], [`Error::Store`].
    pub(crate) async fn remove(&mut self) -> Result<()> {
        let late = self.heartbeat.end(OUTAGE_TIMEOUT).await;
        let last = self.held.number;
        if late.is_some() {
            self.held.file.unsettled = 0;
            self.held.release_under_next_number().await?;
        } else {
            self.held.check().await?;
        }
        for _ in 0..REMOVALS {
            self.remove_up_to(last).await?;
            // A renewal that was under way may have come in between. Once the lease is gone, none has an effect.
            match self.held.check().await {
                Ok(_) if late.is_none() => {}
                Ok(_) | Err(Error::LeaseLost { .. }) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn remove_up_to(&self, last: u64) -> Result<()> {
        let mut leases = state::list(&self.held.location, &self.held.scope).await?;
        leases.retain(|(number, _)| *number <= last);
        leases.sort_unstable_by_key(|(number, _)| *number);
        for (_, entry) in leases {
            // Once the last of them is gone, another process may begin anew with the first number.
            self.held.location.delete_version(&entry.key, &entry.version).await?;
        }
        Ok(())
    }

    /// Whether an object is a lease of the same scope.
    pub(crate) fn is_lease_key(&self, key: &Key) -> bool {
        key.below(&self.held.scope.directory()).is_some_and(|name| state::number(name).is_some())
    }

    /// Which lease this is: the number of the run.
    pub(crate) const fn number(&self) -> u64 {
        self.held.number
    }

    /// When the work was begun: by the first lease.
    pub(crate) const fn began(&self) -> DateTime<Utc> {
        self.held.file.began
    }
}

impl Drop for Lease {
    /// What still runs of its holder, such as a copier of the caller's, writes nothing more.
    fn drop(&mut self) {
        self.lost.cancel();
    }
}

#[cfg(test)]
mod tests;
