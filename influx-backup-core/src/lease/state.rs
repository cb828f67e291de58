//! What lies in a store of a lease.

use std::{fmt, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{LeaseScope, SILENCE};
use crate::{
    error::Result,
    location::{Location, ObjectMeta},
    options::Takeover,
};

/// What a lease says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LeaseFile {
    /// A random name of the run.
    pub(crate) owner: String,
    /// The host, for a person.
    pub(crate) host: String,
    /// The process id, for a person.
    pub(crate) pid: u32,
    /// When the work was begun: by the first lease.
    pub(crate) began: DateTime<Utc>,
    /// The cluster backed up or restored.
    pub(crate) cluster: String,
    /// When the run gave it up, where it lived to write that: others need not wait for the timeout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) released: Option<DateTime<Utc>>,
}

impl LeaseFile {
    pub(super) fn new(cluster: &str, began: DateTime<Utc>) -> Self {
        Self {
            owner: format!("{:032x}", rand::random::<u128>()),
            host: host(),
            pid: std::process::id(),
            began,
            cluster: cluster.to_owned(),
            released: None,
        }
    }

    /// Reads a lease. Of one that was cut short by power loss, only its age counts.
    pub(super) fn parse(bytes: &[u8], modified: DateTime<Utc>) -> Self {
        serde_json::from_slice(bytes).unwrap_or_else(|_| Self {
            owner: String::new(),
            host: "?".to_owned(),
            pid: 0,
            began: modified,
            cluster: String::new(),
            released: None,
        })
    }
}

impl fmt::Display for LeaseFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {}", self.pid, self.host)
    }
}

/// By which clock the silence of a holder is measured. Leases bear the time of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// This machine's: good enough to report a state.
    Local,
    /// The store's, so far ahead of this machine's: needed to take over, as by another clock a living holder may look dead.
    Store(TimeDelta),
}

impl Clock {
    fn ahead(self) -> TimeDelta {
        match self {
            Self::Local => TimeDelta::zero(),
            Self::Store(ahead) => ahead,
        }
    }
}

/// The highest lease of a scope.
#[derive(Debug, Clone)]
pub(crate) struct LeaseState {
    pub(crate) number: u64,
    pub(crate) file: LeaseFile,
    /// Since it was last renewed.
    pub(crate) silence: Duration,
}

impl LeaseState {
    /// Whether its holder may still be writing.
    pub(crate) fn is_held(&self) -> bool {
        self.file.released.is_none() && self.silence < SILENCE
    }

    /// Whether another process may take over.
    pub(crate) fn is_free(&self, takeover: Takeover) -> bool {
        takeover == Takeover::Immediately || !self.is_held()
    }
}

/// The highest lease of a scope at `location`.
pub(crate) async fn highest(location: &Location, scope: &LeaseScope, clock: Clock) -> Result<Option<LeaseState>> {
    let leases = list(location, scope).await?;
    let Some((number, entry)) = leases.into_iter().max_by_key(|(number, _)| *number) else { return Ok(None) };
    let Some(bytes) = location.get(&entry.key, None).await? else { return Ok(None) };
    let modified = entry.version.modified;
    let silence = (Utc::now() + clock.ahead() - modified).to_std().unwrap_or_default();
    Ok(Some(LeaseState { number, file: LeaseFile::parse(&bytes, modified), silence }))
}

/// Every lease of a scope, with its number.
pub(super) async fn list(location: &Location, scope: &LeaseScope) -> Result<Vec<(u64, ObjectMeta)>> {
    let entries = location.list_level(&scope.directory()).await?.entries;
    Ok(entries.into_iter().filter_map(|entry| Some((number(entry.key.name())?, entry))).collect())
}

/// The number in the name of a lease, or `None` where it is not a lease.
pub(super) fn number(name: &str) -> Option<u64> {
    name.strip_prefix("claim-")?.parse().ok()
}

fn host() -> String {
    #[cfg(unix)]
    {
        rustix::system::uname().nodename().to_string_lossy().into_owned()
    }
    #[cfg(not(unix))]
    {
        "this host".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn a_lease_that_cannot_be_read_is_held_until_it_is_silent(bytes in vec(any::<u8>(), 0..100), silence in 0_u64..1200) {
            let file = LeaseFile::parse(&bytes, DateTime::UNIX_EPOCH);
            prop_assert_eq!((file.began, file.released), (DateTime::UNIX_EPOCH, None));
            let silence = Duration::from_secs(silence);
            let state = LeaseState { number: 1, file: LeaseFile::parse(&bytes, DateTime::UNIX_EPOCH), silence };
            prop_assert_eq!(state.is_free(Takeover::AfterTimeout), silence >= SILENCE);
        }
    }
}
