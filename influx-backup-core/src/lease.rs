//! [`Lease`]: one writer a backup, and one a target of a restore.
//!
//! Claims are numbered, create-only objects, `claim-000001` being the first. Whoever holds the highest number holds what
//! they lie in, a [`Post`], and tells so by writing it again every minute. To take over is to create the next number: on
//! every store exactly one process can.

use std::{
    fmt,
    fs::File,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    error::{Error, Result, StoreErrorKind},
    key::Key,
    layout::OWN_DIRECTORY,
    location::{Location, ObjectMeta},
    options::Takeover,
};

/// How often the holder says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(60);

/// How long a holder may be silent before it counts as dead.
pub(crate) const SILENCE: Duration = Duration::from_secs(600);

/// How long a run that ends waits for the store to take its last word: a cancelled one ends within a second.
const RELEASE_TIMEOUT: Duration = Duration::from_millis(500);

/// What one process at a time may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LeaseScope {
    /// The backup of this name, to write it.
    Backup(String),
    /// A target, to restore to it.
    Target,
}

impl LeaseScope {
    fn directory(&self) -> String {
        match self {
            Self::Backup(_) => OWN_DIRECTORY.to_owned(),
            Self::Target => format!("{OWN_DIRECTORY}/restore"),
        }
    }

    fn key(&self, number: u64) -> Result<Key> {
        Key::parse(format!("{}/claim-{number:06}", self.directory()))
    }

    /// Another process holds it.
    pub(crate) fn held(&self, location: &Location, holder: Option<&LeaseState>) -> Error {
        let (owner, silence) = holder.map_or_else(
            || ("another process".to_owned(), Duration::ZERO),
            |claimed| (claimed.file.to_string(), claimed.silence),
        );
        match self {
            Self::Backup(name) => Error::BackupInProgress { name: name.clone(), owner, silence },
            Self::Target => Error::RestoreInProgress { location: location.to_string(), owner, silence },
        }
    }

    /// Another process took it over.
    fn lost(&self, location: &Location, holder: Option<&LeaseState>) -> Error {
        let what = match self {
            Self::Backup(name) => format!("backup `{name}`"),
            Self::Target => format!("target `{location}`"),
        };
        let owner = holder.map_or_else(|| "a process that is done".to_owned(), |claimed| claimed.file.to_string());
        Error::ClaimLost { what, owner }
    }
}

/// What a claim says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LeaseFile {
    /// A random name of the run.
    pub(crate) owner: String,
    /// The host, for a person.
    pub(crate) host: String,
    /// The process id, for a person.
    pub(crate) pid: u32,
    /// When the work was begun: by the first claim.
    pub(crate) began: DateTime<Utc>,
    /// The cluster backed up or restored.
    pub(crate) cluster: String,
    /// When the run gave up, where it lived to say so: nobody needs to wait for its silence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) given_up: Option<DateTime<Utc>>,
}

impl fmt::Display for LeaseFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {}", self.pid, self.host)
    }
}

/// By which clock a holder is silent. Heartbeats bear the store's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// This machine's: good enough to say what seems to be.
    Ours,
    /// The store's, so far ahead of ours: for who is about to write. By another clock a living holder may look dead.
    Stores(TimeDelta),
}

impl Clock {
    fn ahead(self) -> TimeDelta {
        match self {
            Self::Ours => TimeDelta::zero(),
            Self::Stores(ahead) => ahead,
        }
    }
}

/// The highest claim on a post.
#[derive(Debug, Clone)]
pub(crate) struct LeaseState {
    pub(crate) number: u64,
    pub(crate) file: LeaseFile,
    /// Since the last heartbeat.
    pub(crate) silence: Duration,
}

impl LeaseState {
    /// Whether its holder may still be writing.
    pub(crate) fn is_held(&self) -> bool {
        self.file.given_up.is_none() && self.silence < SILENCE
    }

    /// Whether another process may take over.
    pub(crate) fn is_free(&self, takeover: Takeover) -> bool {
        takeover == Takeover::Immediately || !self.is_held()
    }
}

/// The right to write. Given up when dropped, without a trace: the work may be resumed.
#[derive(Debug)]
pub(crate) struct Lease {
    own: HeldLease,
    /// Cancelled when another process took over.
    pub(crate) lost: CancellationToken,
    heart: Heartbeat,
}

/// A claim of this process, as it lies there.
#[derive(Debug, Clone)]
struct HeldLease {
    location: Location,
    post: LeaseScope,
    number: u64,
    file: LeaseFile,
}

/// The heartbeat. It ends when this is dropped.
#[derive(Debug)]
struct Heartbeat {
    stop: CancellationToken,
    /// Taken by who waits for its end.
    beats: Option<JoinHandle<()>>,
}

impl Lease {
    /// Takes a post over from `before`, which the caller found to be free, or as the first.
    ///
    /// # Errors
    /// That the post is [held](Post::held), where another process was quicker; [`Error::Store`].
    pub(crate) async fn take(
        location: &Location,
        post: LeaseScope,
        cluster: &str,
        before: Option<&LeaseState>,
    ) -> Result<Self> {
        let file = LeaseFile {
            owner: format!("{:032x}", rand::random::<u128>()),
            host: host(),
            pid: std::process::id(),
            began: before.map_or_else(Utc::now, |before| before.file.began),
            cluster: cluster.to_owned(),
            given_up: None,
        };
        let number = before.map_or(0, |before| before.number) + 1;
        let own = HeldLease { location: location.clone(), post, number, file };
        match location.create(&own.post.key(number)?, encode(&own.file)?).await {
            Ok(_) => Ok(Self::beating(own)),
            Err(Error::Store { kind: StoreErrorKind::AlreadyExists, .. }) => {
                Err(own.post.held(location, highest(location, &own.post, Clock::Ours).await?.as_ref()))
            }
            Err(error) => Err(error),
        }
    }

    fn beating(own: HeldLease) -> Self {
        let (lost, stop) = (CancellationToken::new(), CancellationToken::new());
        let beats = tokio::spawn(beat(own.clone(), lost.clone(), stop.clone()));
        Self { own, lost, heart: Heartbeat { stop, beats: Some(beats) } }
    }

    /// Asks the store once more, before what cannot be taken back.
    ///
    /// # Errors
    /// [`Error::ClaimLost`].
    pub(crate) async fn check(&self) -> Result<()> {
        self.own.check().await
    }

    /// That it was lost, and to whom.
    pub(crate) async fn loss(&self) -> Error {
        self.check().await.err().unwrap_or_else(|| self.own.post.lost(&self.own.location, None))
    }

    /// Says that the run ended and left its work undone, so that the next one need not wait. Where the store does not take
    /// it, silence says the same later.
    pub(crate) async fn release(mut self) {
        self.heart.end().await;
        self.own.file.given_up = Some(Utc::now());
        if let Ok(Err(Error::Store { .. })) = timeout(RELEASE_TIMEOUT, self.own.beat()).await {
            self.own.expire();
        }
    }

    /// Removes this claim and those that it took over from: there is nothing that another run could go on with.
    ///
    /// # Errors
    /// [`Error::ClaimLost`], [`Error::Store`].
    pub(crate) async fn remove(&mut self) -> Result<()> {
        self.heart.end().await;
        self.own.check().await?;
        let mut claims = claims(&self.own.location, &self.own.post).await?;
        claims.sort_unstable_by_key(|(number, _)| *number);
        for (_, entry) in claims.iter().filter(|(number, _)| *number <= self.own.number) {
            self.own.location.delete(&entry.key).await?;
        }
        Ok(())
    }

    /// Whether an object is a claim on the same post.
    pub(crate) fn is_lease_key(&self, key: &Key) -> bool {
        let name = key.below(&self.own.post.directory());
        name.is_some_and(|name| number(name).is_some())
    }

    /// Which claim this is: the attempt's number.
    pub(crate) const fn number(&self) -> u64 {
        self.own.number
    }

    /// When the work was begun: by the first claim.
    pub(crate) const fn began(&self) -> DateTime<Utc> {
        self.own.file.began
    }
}

impl HeldLease {
    async fn check(&self) -> Result<()> {
        match highest(&self.location, &self.post, Clock::Ours).await? {
            Some(claimed) if claimed.number == self.number && claimed.file.owner == self.file.owner => Ok(()),
            other => Err(self.post.lost(&self.location, other.as_ref())),
        }
    }

    /// Writes the claim again, unless another process took over: it may be done already, and have removed all claims.
    async fn beat(&self) -> Result<()> {
        self.check().await?;
        self.location.put(&self.post.key(self.number)?, encode(&self.file)?).await.map(drop)
    }

    /// Makes the claim look long silent. A full disk, which takes no word, takes this.
    fn expire(&self) {
        if let (Some(directory), Ok(key)) = (self.location.directory(), self.post.key(self.number)) {
            let claim = File::options().write(true).open(directory.join(key.as_str()));
            let _ = claim.and_then(|claim| claim.set_modified(SystemTime::UNIX_EPOCH));
        }
    }
}

impl Heartbeat {
    /// Ends the heartbeat. One that is under way is waited for, so that it does not undo what comes after it.
    async fn end(&mut self) {
        self.stop.cancel();
        if let Some(beats) = self.beats.take() {
            let _ = timeout(RELEASE_TIMEOUT, beats).await;
        }
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn beat(own: HeldLease, lost: CancellationToken, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(HEARTBEAT)).await.is_some() {
        // A heartbeat that fails is tried again a minute later; ten of them are allowed to.
        if matches!(own.beat().await, Err(Error::ClaimLost { .. })) {
            lost.cancel();
            return;
        }
    }
}

/// The highest claim on a post at `location`.
pub(crate) async fn highest(location: &Location, post: &LeaseScope, clock: Clock) -> Result<Option<LeaseState>> {
    let claims = claims(location, post).await?;
    let Some((number, entry)) = claims.into_iter().max_by_key(|(number, _)| *number) else { return Ok(None) };
    let Some(bytes) = location.get(&entry.key, None).await? else { return Ok(None) };
    // A claim cut short by power loss holds nothing: its writer is dead.
    let unreadable = || LeaseFile {
        owner: String::new(),
        host: "?".to_owned(),
        pid: 0,
        began: entry.version.modified,
        cluster: String::new(),
        given_up: None,
    };
    let file = serde_json::from_slice(&bytes).unwrap_or_else(|_| unreadable());
    let silence = (Utc::now() + clock.ahead() - entry.version.modified).to_std().unwrap_or_default();
    Ok(Some(LeaseState { number, file, silence }))
}

async fn claims(location: &Location, post: &LeaseScope) -> Result<Vec<(u64, ObjectMeta)>> {
    let entries = location.list_level(&post.directory()).await?.entries;
    Ok(entries.into_iter().filter_map(|entry| Some((number(entry.key.name())?, entry))).collect())
}

fn number(name: &str) -> Option<u64> {
    name.strip_prefix("claim-")?.parse().ok()
}

fn encode(file: &LeaseFile) -> Result<Bytes> {
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
    use std::sync::Arc;

    use super::*;
    use crate::{
        StoreOptions,
        testing::fault::{Failure, Fault, FaultPlan, FaultyStore, Op, Rule, Scope, When},
    };

    const POSTS: fn() -> [LeaseScope; 2] = || [LeaseScope::Backup("n1".to_owned()), LeaseScope::Target];

    async fn take(location: &Location, post: &LeaseScope) -> Lease {
        let before = highest(location, post, Clock::Ours).await.expect("listed");
        Lease::take(location, post.clone(), "cluster1", before.as_ref()).await.expect("taken")
    }

    #[tokio::test]
    async fn of_many_at_once_one_wins() {
        for (post, code) in POSTS().into_iter().zip(["backup-in-progress", "restore-in-progress"]) {
            let location = Location::in_memory();
            let attempts = (0..16).map(|_| Lease::take(&location, post.clone(), "cluster1", None));
            let taken: Vec<_> = futures::future::join_all(attempts).await;
            assert_eq!(taken.iter().filter(|claim| claim.is_ok()).count(), 1);
            for error in taken.into_iter().filter_map(Result::err) {
                assert_eq!(error.code(), code);
                assert!(error.to_string().contains(&format!("process {} on ", std::process::id())), "{error}");
            }
        }
    }

    #[tokio::test]
    async fn a_claim_is_lost_to_the_next_number() {
        for post in POSTS() {
            let location = Location::in_memory();
            let mut first = take(&location, &post).await;
            first.check().await.expect("still ours");
            let second = take(&location, &post).await;
            second.check().await.expect("ours");
            assert_eq!(first.check().await.expect_err("lost").code(), "claim-lost");
            assert_eq!(first.remove().await.expect_err("lost").code(), "claim-lost");
            second.check().await.expect("still ours");
        }
    }

    #[tokio::test]
    async fn a_holder_that_gave_up_is_free_at_once() {
        for post in POSTS() {
            let location = Location::in_memory();
            let claim = take(&location, &post).await;
            let free = |takeover| {
                let (location, post) = (&location, &post);
                async move { highest(location, post, Clock::Ours).await.expect("listed").expect("one").is_free(takeover) }
            };
            assert!(!free(Takeover::AfterTimeout).await && free(Takeover::Immediately).await);
            claim.release().await;
            assert!(free(Takeover::AfterTimeout).await);
        }
    }

    #[tokio::test]
    async fn a_holder_that_gave_up_on_a_full_disk_is_free_at_once() {
        for post in POSTS() {
            let root = tempfile::tempdir().expect("a directory");
            let location =
                Location::parse(root.path().to_str().expect("UTF-8"), &StoreOptions::default()).expect("a place");
            take(&location, &post).await;
            let full = Rule::new(Scope::of(Op::Put), When::From(2), Fault::Fail(Failure::Full));
            let faulty = |store| Arc::new(FaultyStore::new(store, FaultPlan::none().with(full.clone()))) as Arc<_>;
            let claim = take(&location.through(faulty), &post).await;
            claim.release().await;
            let left = highest(&location, &post, Clock::Ours).await.expect("listed").expect("one");
            assert_eq!((left.number, left.file.given_up, left.is_free(Takeover::AfterTimeout)), (2, None, true));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_holder_learns_that_it_lost() {
        for post in POSTS() {
            let location = Location::in_memory();
            let first = take(&location, &post).await;
            let _second = take(&location, &post).await;
            tokio::time::sleep(HEARTBEAT + Duration::from_secs(1)).await;
            assert!(first.lost.is_cancelled());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_removed_is_never_written_again() {
        let location = Location::in_memory();
        let first = take(&location, &LeaseScope::Target).await;
        let mut second = take(&location, &LeaseScope::Target).await;
        second.remove().await.expect("removed");
        assert_eq!(location.list("").await.expect("listed"), [], "what it took over from, too");
        tokio::time::sleep(HEARTBEAT + Duration::from_secs(1)).await;
        assert!(first.lost.is_cancelled());
        first.release().await;
        assert_eq!(location.list("").await.expect("listed"), []);

        // Numbers begin anew: the claim of another run is not ours although it has our number.
        let mut stale = take(&location, &LeaseScope::Target).await;
        location.delete(&LeaseScope::Target.key(1).expect("a key")).await.expect("deleted");
        let claim = take(&location, &LeaseScope::Target).await;
        assert_eq!(stale.remove().await.expect_err("lost").code(), "claim-lost");
        claim.check().await.expect("ours");
    }
}
