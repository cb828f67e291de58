//! [`Claim`]: one writer a backup.
//!
//! Claims are numbered, create-only objects, `_influx_backup/claim-000001` being the first. Whoever holds the highest
//! number holds the backup, and tells so by writing it again every minute. To take over is to create the next number:
//! on every store exactly one process can.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{MANIFEST_KEY, OWN_DIRECTORY};
use crate::{
    backup::{Existing, TakeOver},
    error::{Error, Result, StoreErrorKind},
    key::Key,
    location::{Entry, Location},
};

/// How often the holder says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(60);

/// How long a holder may be silent before it counts as dead.
const SILENCE: Duration = Duration::from_secs(600);

/// How long a run that ends waits for the store to take its last word: a cancelled one ends within a second.
const LAST_WORD: Duration = Duration::from_millis(300);

/// What a claim says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ClaimFile {
    /// A random name of the run.
    pub(crate) owner: String,
    /// The host, for a person.
    pub(crate) host: String,
    /// The process id, for a person.
    pub(crate) pid: u32,
    /// When the backup was begun: by the first claim.
    pub(crate) began: DateTime<Utc>,
    /// The cluster backed up.
    pub(crate) cluster: String,
    /// When the run gave up, where it lived to say so: nobody needs to wait for its silence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) given_up: Option<DateTime<Utc>>,
}

/// The highest claim on a backup.
#[derive(Debug, Clone)]
pub(crate) struct Claimed {
    pub(crate) number: u64,
    pub(crate) file: ClaimFile,
    pub(crate) silence: Duration,
}

impl Claimed {
    /// Whether its holder may still be writing.
    pub(crate) fn is_held(&self) -> bool {
        self.file.given_up.is_none() && self.silence < SILENCE
    }
}

/// The right to write one backup. Given up when dropped, without a trace: the run may be resumed.
#[derive(Debug)]
pub(crate) struct Claim {
    location: Location,
    number: u64,
    pub(crate) file: ClaimFile,
    /// Cancelled when another process took over.
    pub(crate) lost: CancellationToken,
    _heartbeat: DropGuard,
}

/// What the claim is for: a new backup, or one that was begun before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begun {
    Now,
    Before,
}

impl Claim {
    /// Takes the right to write the backup `name` at `location`.
    pub(crate) async fn take(
        location: &Location,
        name: &str,
        cluster: &str,
        existing: Existing,
    ) -> Result<(Self, Begun)> {
        if location.head(&Key::parse(MANIFEST_KEY)?).await?.is_some() {
            return Err(Error::BackupExists { name: name.to_owned() });
        }
        let mut before = highest(location).await?;
        if before.is_none() && !is_vacant(location).await? {
            // Begun by another process since, or something that is no backup of ours: never merged with.
            before = highest(location).await?;
            if before.is_none() {
                return Err(Error::BackupExists { name: name.to_owned() });
            }
        }
        if let Some(before) = &before {
            may_take_over(before, name, existing)?;
        }
        let file = ClaimFile {
            owner: format!("{:032x}", rand::random::<u128>()),
            host: host(),
            pid: std::process::id(),
            began: before.as_ref().map_or_else(Utc::now, |before| before.file.began),
            cluster: cluster.to_owned(),
            given_up: None,
        };
        let number = before.as_ref().map_or(0, |before| before.number) + 1;
        match location.create(&key(number)?, encode(&file)?).await {
            Ok(_) => {}
            Err(Error::Store { kind: StoreErrorKind::AlreadyExists, .. }) => {
                return Err(in_progress(name, highest(location).await?.as_ref()));
            }
            Err(error) => return Err(error),
        }
        let begun = if before.is_some() { Begun::Before } else { Begun::Now };
        Ok((Self::held(location, number, file), begun))
    }

    fn held(location: &Location, number: u64, file: ClaimFile) -> Self {
        let (lost, stop) = (CancellationToken::new(), CancellationToken::new());
        tokio::spawn(beat(location.clone(), number, file.clone(), lost.clone(), stop.clone()));
        Self { location: location.clone(), number, file, lost, _heartbeat: stop.drop_guard() }
    }

    /// Asks the store once more, before a commit.
    pub(crate) async fn check(&self, name: &str) -> Result<()> {
        match highest(&self.location).await? {
            Some(claimed) if claimed.number == self.number && claimed.file.owner == self.file.owner => Ok(()),
            other => {
                let owner = other.map_or_else(|| "nobody".to_owned(), |claimed| claimed.file.show());
                Err(Error::ClaimLost { name: name.to_owned(), owner })
            }
        }
    }

    /// Says that the run ended without a commit, so that the next one need not wait. Where the store does not take it,
    /// silence says the same later.
    pub(crate) async fn give_up(self) {
        let Self { location, number, mut file, _heartbeat, .. } = self;
        drop(_heartbeat);
        file.given_up = Some(Utc::now());
        if let (Ok(key), Ok(bytes)) = (key(number), encode(&file)) {
            let _ = tokio::time::timeout(LAST_WORD, location.put(&key, bytes)).await;
        }
    }

    /// Which claim this is: the attempt's number.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }
}

impl ClaimFile {
    pub(crate) fn show(&self) -> String {
        format!("process {} on {}", self.pid, self.host)
    }
}

/// The highest claim on the backup at `location`.
pub(crate) async fn highest(location: &Location) -> Result<Option<Claimed>> {
    let level = location.list_level(OWN_DIRECTORY).await?;
    let numbered = |entry: Entry| Some((entry.key.name().strip_prefix("claim-")?.parse::<u64>().ok()?, entry));
    let Some((number, entry)) = level.entries.into_iter().filter_map(numbered).max_by_key(|(number, _)| *number) else {
        return Ok(None);
    };
    let Some(bytes) = location.get(&entry.key, None).await? else { return Ok(None) };
    // A claim cut short by power loss holds nothing: its writer is dead.
    let unreadable = || ClaimFile {
        owner: String::new(),
        host: "?".to_owned(),
        pid: 0,
        began: entry.version.modified,
        cluster: String::new(),
        given_up: None,
    };
    let file = serde_json::from_slice(&bytes).unwrap_or_else(|_| unreadable());
    let silence = (Utc::now() - entry.version.modified).to_std().unwrap_or_default();
    Ok(Some(Claimed { number, file, silence }))
}

/// Whether nothing lies here. Directories without a file are what a process leaves that died before its claim stood.
async fn is_vacant(location: &Location) -> Result<bool> {
    let top = location.list_level("").await?;
    let others = top.directories.iter().any(|directory| directory != OWN_DIRECTORY);
    Ok(top.entries.is_empty() && !others && location.list(OWN_DIRECTORY).await?.is_empty())
}

fn may_take_over(before: &Claimed, name: &str, existing: Existing) -> Result<()> {
    match existing {
        Existing::Resume(TakeOver::Now) => Ok(()),
        _ if before.is_held() => Err(in_progress(name, Some(before))),
        Existing::Resume(TakeOver::WhenSilent) => Ok(()),
        Existing::Refuse => Err(Error::BackupUnfinished { name: name.to_owned() }),
    }
}

fn in_progress(name: &str, claimed: Option<&Claimed>) -> Error {
    let (owner, silence) = claimed.map_or_else(
        || ("another process".to_owned(), Duration::ZERO),
        |claimed| (claimed.file.show(), claimed.silence),
    );
    Error::BackupInProgress { name: name.to_owned(), owner, silence }
}

async fn beat(location: Location, number: u64, file: ClaimFile, lost: CancellationToken, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(HEARTBEAT) => {}
        }
        let (Ok(own), Ok(next), Ok(bytes)) = (key(number), key(number + 1), encode(&file)) else { return };
        if matches!(location.head(&next).await, Ok(Some(_))) {
            lost.cancel();
            return;
        }
        // A heartbeat that fails is tried again a minute later; ten of them are allowed to.
        let _ = location.put(&own, bytes).await;
    }
}

fn key(number: u64) -> Result<Key> {
    Key::parse(format!("{OWN_DIRECTORY}/claim-{number:06}"))
}

fn encode(file: &ClaimFile) -> Result<Bytes> {
    let json = serde_json::to_vec(file);
    json.map(Bytes::from).map_err(|source| Error::Internal { task: "claim", source: Box::new(source) })
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
    use super::*;

    async fn take(location: &Location, existing: Existing) -> Result<(Claim, Begun)> {
        Claim::take(location, "n1", "cluster1", existing).await
    }

    #[tokio::test]
    async fn of_many_at_once_one_wins() {
        let location = Location::in_memory();
        let attempts = (0..16).map(|_| take(&location, Existing::Refuse));
        let taken: Vec<_> = futures::future::join_all(attempts).await;
        assert_eq!(taken.iter().filter(|claim| claim.is_ok()).count(), 1);
        for error in taken.into_iter().filter_map(Result::err) {
            assert_eq!(error.code(), "backup-in-progress");
        }
    }

    #[tokio::test]
    async fn a_fresh_claim_is_taken_over_only_when_the_caller_knows() {
        let location = Location::in_memory();
        let (first, begun) = take(&location, Existing::Refuse).await.expect("free");
        assert_eq!(begun, Begun::Now);
        let silent = take(&location, Existing::Resume(TakeOver::WhenSilent)).await.expect_err("alive");
        assert_eq!(silent.code(), "backup-in-progress");
        first.check("n1").await.expect("still ours");
        let (second, begun) = take(&location, Existing::Resume(TakeOver::Now)).await.expect("taken over");
        assert_eq!(begun, Begun::Before);
        second.check("n1").await.expect("ours");
        assert_eq!(first.check("n1").await.expect_err("lost").code(), "claim-lost");
    }

    #[tokio::test]
    async fn what_was_given_up_is_resumed_at_once() {
        let location = Location::in_memory();
        let (first, _) = take(&location, Existing::Refuse).await.expect("free");
        first.give_up().await;
        assert_eq!(take(&location, Existing::Refuse).await.expect_err("begun").code(), "backup-unfinished");
        let (second, begun) = take(&location, Existing::Resume(TakeOver::WhenSilent)).await.expect("nobody holds it");
        assert_eq!(begun, Begun::Before);
        assert!(highest(&location).await.expect("there").expect("one").is_held());
        second.check("n1").await.expect("ours");
    }

    #[tokio::test(start_paused = true)]
    async fn a_holder_learns_that_it_lost() {
        let location = Location::in_memory();
        let (first, _) = take(&location, Existing::Refuse).await.expect("free");
        let _second = take(&location, Existing::Resume(TakeOver::Now)).await.expect("taken over");
        tokio::time::sleep(HEARTBEAT + Duration::from_secs(1)).await;
        assert!(first.lost.is_cancelled());
    }

    #[tokio::test]
    async fn what_is_no_backup_is_never_merged_with() {
        let location = Location::in_memory();
        let foreign = Key::parse("node1/wal/x").expect("valid");
        location.put(&foreign, Bytes::from_static(b"x")).await.expect("put");
        assert_eq!(take(&location, Existing::Refuse).await.expect_err("foreign").code(), "backup-exists");
        let resume = Existing::Resume(TakeOver::Now);
        assert_eq!(take(&location, resume).await.expect_err("foreign").code(), "backup-exists");
    }
}
