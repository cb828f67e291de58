//! What lies in a store of a lease.

use std::{cmp::Reverse, fmt, time::Duration};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{LATE, LeaseScope, NUMBERS, SILENCE};
use crate::{
    error::Result,
    location::{Location, ObjectMeta, Version},
    options::Takeover,
    read_limits,
};

/// How long the random name of a run is.
const OWNER_DIGITS: usize = 32;

/// How often leases are listed of which none is there any more when it is read.
const LOOKS: u32 = 5;

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
    /// When it was renewed, by the clock of its holder. No two renewals have the same bytes, and so the same entity tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) renewed: Option<DateTime<Utc>>,
    /// For how many seconds after it was written requests may still take effect that were cut off.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) unsettled: u64,
    /// When the run gave it up, where it lived to write that: others need not wait for the timeout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) released: Option<DateTime<Utc>>,
}

impl LeaseFile {
    pub(super) fn new(cluster: &str, began: DateTime<Utc>) -> Self {
        Self {
            owner: format!("{:0width$x}", rand::random::<u128>(), width = OWNER_DIGITS),
            host: host(),
            pid: std::process::id(),
            began,
            cluster: cluster.to_owned(),
            renewed: None,
            unsettled: 0,
            released: None,
        }
    }

    /// Reads a lease. Of one that was cut short by power loss, only its age counts.
    pub(crate) fn parse(bytes: &[u8], modified: DateTime<Utc>) -> Self {
        serde_json::from_slice(bytes).unwrap_or_else(|_| Self {
            owner: String::new(),
            host: "?".to_owned(),
            pid: 0,
            began: modified,
            cluster: String::new(),
            renewed: None,
            unsettled: 0,
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
    /// The version that was read.
    pub(super) version: Version,
    /// Since it was last renewed.
    pub(crate) silence: Duration,
}

impl LeaseState {
    /// Whether its holder may still be writing.
    pub(crate) fn is_held(&self) -> bool {
        self.file.released.is_none() && self.silence < SILENCE
    }

    /// How long requests of its holder may still take effect that were cut off. Where it did not live to write that, it may
    /// have died just now.
    pub(super) fn unsettled(&self) -> Duration {
        match self.file.released {
            // A file of which the number was made up must not reach the clock.
            Some(_) => Duration::from_secs(self.file.unsettled).min(SILENCE).saturating_sub(self.silence),
            None => LATE.min(SILENCE.saturating_sub(self.silence)),
        }
    }

    /// Whether another process may take over.
    pub(crate) fn is_free(&self, takeover: Takeover) -> bool {
        takeover == Takeover::Immediately || !self.is_held()
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde wants it")]
const fn is_zero(seconds: &u64) -> bool {
    *seconds == 0
}

/// The highest lease of a scope at `location`.
pub(crate) async fn highest(location: &Location, scope: &LeaseScope, clock: Clock) -> Result<Option<LeaseState>> {
    Ok(most_alive(all_highest(location, scope, clock).await?))
}

/// Of several leases of one number, the one whose holder is most likely alive.
pub(super) fn most_alive(leases: Vec<LeaseState>) -> Option<LeaseState> {
    leases.into_iter().max_by_key(|lease| (lease.is_held(), Reverse(lease.silence)))
}

/// The leases of the highest number of a scope: one, except where [one writer](crate::location::Writers::Single) is promised.
pub(super) async fn all_highest(location: &Location, scope: &LeaseScope, clock: Clock) -> Result<Vec<LeaseState>> {
    let mut looks = 1;
    loop {
        let leases = list(location, scope).await?;
        let is_one_there = !leases.is_empty();
        let found = read_highest(location, leases, clock).await?;
        // One that is gone since may have got the next number, as on a full disk.
        if !found.is_empty() || !is_one_there || looks == LOOKS {
            return Ok(found);
        }
        looks += 1;
    }
}

async fn read_highest(location: &Location, leases: Vec<(u64, ObjectMeta)>, clock: Clock) -> Result<Vec<LeaseState>> {
    let highest = leases.iter().map(|(number, _)| *number).max();
    let mut found = Vec::new();
    for (number, entry) in leases.into_iter().filter(|(number, _)| Some(*number) == highest) {
        let (bytes, version) = match location.get_with_version(&entry.key, read_limits::SMALL).await? {
            Some(Ok(read)) => read,
            // Only its age counts, as of one that was cut short.
            Some(Err(_)) => (Bytes::new(), entry.version.clone()),
            None => continue,
        };
        let modified = entry.version.modified;
        let silence = (Utc::now() + clock.ahead() - modified).to_std().unwrap_or_default();
        found.push(LeaseState { number, file: LeaseFile::parse(&bytes, modified), version, silence });
    }
    Ok(found)
}

/// Every lease of a scope, with its number.
pub(super) async fn list(location: &Location, scope: &LeaseScope) -> Result<Vec<(u64, ObjectMeta)>> {
    let entries = location.list_level(&scope.directory()).await?.entries;
    Ok(entries.into_iter().filter_map(|entry| Some((number(entry.key.name())?, entry))).collect())
}

/// The name of a lease.
pub(super) fn name(number: u64) -> String {
    format!("claim-{number:06}")
}

/// The name of a lease that no other process gives, even to a lease of the same number.
pub(super) fn own_name(number: u64, owner: &str) -> String {
    format!("{}-{owner}", name(number))
}

/// The number of the lease of this name, or `None` where it is no name that a lease is given.
pub(super) fn number(of: &str) -> Option<u64> {
    let (digits, owner) = match of.strip_prefix("claim-")?.split_once('-') {
        Some((digits, owner)) => (digits, Some(owner)),
        None => (of.strip_prefix("claim-")?, None),
    };
    let number = digits.parse().ok().filter(|number| NUMBERS.contains(number))?;
    let given = match owner {
        Some(owner) if is_owner(owner) => own_name(number, owner),
        Some(_) => return None,
        None => name(number),
    };
    (given == of).then_some(number)
}

/// Whether this is the random name of a run.
fn is_owner(name: &str) -> bool {
    name.len() == OWNER_DIGITS && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
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
            let version = Version { e_tag: None, id: None, modified: DateTime::UNIX_EPOCH };
            let state = LeaseState { number: 1, file, version, silence };
            prop_assert_eq!(state.is_free(Takeover::AfterTimeout), silence >= SILENCE);
        }

        #[test]
        fn a_lease_has_one_name(
            name in prop_oneof!["claim-.{0,12}", "claim-[0-9]{1,24}", "claim-[+ 0]{0,3}[0-9]{1,12}", ".{0,20}"],
        ) {
            if let Some(number) = number(&name) {
                prop_assert_eq!(super::name(number), name);
            }
        }

        #[test]
        fn names_are_read_as_they_are_given(found in NUMBERS) {
            prop_assert_eq!(number(&name(found)), Some(found));
            prop_assert_eq!(number(&own_name(found, &LeaseFile::new("c", DateTime::UNIX_EPOCH).owner)), Some(found));
        }
    }
    #[test]
    fn other_names_are_no_leases() {
        let max = u64::MAX.to_string();
        for other in ["7", "+00007", "0000007", "000000", "1000000000", &max, "", "000001.json", "000001-", "000001-x"]
        {
            assert_eq!(number(&format!("claim-{other}")), None, "{other}");
        }
    }
}
