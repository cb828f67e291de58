//! Recorded reality: every put and delete of a real server, played again into a store.
//!
//! A recording is a directory with `ops.jsonl`, one [`TraceOp`] a line in the order they happened, and `blobs/` with the bytes. Any
//! prefix of it is a state that the server's store really had ([`Trace::state_at`]).
//!
//! A [`Player`] applies the operations to a store: to any position at once ([`Player::jump`]), step by step ([`Player::apply`]), or
//! at any speed while something else runs ([`Player::play`]). Directories are played into through the object_store crate's own local
//! store ([`Player::into_directory`]): it writes a staging name and renames it, as the server does.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    ops::RangeInclusive,
    path::Path as FilePath,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutPayload, Result, local::LocalFileSystem, path::Path};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use influx_backup_core::layout::{snapshot_sequence, wal_number};

/// One operation of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TraceOp {
    /// Milliseconds since the first one; now and then a step back, the order of the lines is what counts.
    pub t_ms: u64,
    /// What was done.
    #[serde(flatten)]
    pub action: Action,
    /// The object's key.
    pub path: String,
}

/// What an operation of a recording did.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Action {
    /// It wrote the whole object.
    Put {
        /// The name of its bytes, see [`Trace::bytes`].
        blob: String,
    },
    /// It deleted the object.
    Delete,
}

/// A recording, in memory (the longest has some megabytes). Cheap to clone.
#[derive(Debug, Clone)]
pub struct Trace(Arc<Recorded>);

#[derive(Debug)]
struct Recorded {
    ops: Vec<TraceOp>,
    blobs: BTreeMap<String, Bytes>,
}

impl Trace {
    /// Reads a recording from its directory.
    ///
    /// # Errors
    /// Where a file cannot be read, a line is not an operation, or a blob is missing.
    pub fn load(directory: impl AsRef<FilePath>) -> io::Result<Self> {
        let directory = directory.as_ref();
        let text = std::fs::read_to_string(directory.join("ops.jsonl"))?;
        let ops: Vec<TraceOp> = text.lines().map(serde_json::from_str).collect::<serde_json::Result<_>>()?;
        let mut blobs = BTreeMap::new();
        for op in &ops {
            let Action::Put { blob } = &op.action else { continue };
            if !blobs.contains_key(blob) {
                blobs.insert(blob.clone(), std::fs::read(directory.join("blobs").join(blob))?.into());
            }
        }
        Ok(Self(Arc::new(Recorded { ops, blobs })))
    }

    /// Its operations, in order.
    #[must_use]
    pub fn ops(&self) -> &[TraceOp] {
        &self.0.ops
    }

    /// How many operations it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.ops.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.ops.is_empty()
    }

    /// How long the recording took.
    #[must_use]
    pub fn duration(&self) -> Duration {
        Duration::from_millis(self.ops().iter().map(|op| op.t_ms).max().unwrap_or_default())
    }

    /// The number of operations done by time `at` of the recording.
    #[must_use]
    pub fn position_at(&self, at: Duration) -> usize {
        self.ops().iter().rposition(|op| u128::from(op.t_ms) <= at.as_millis()).map_or(0, |index| index + 1)
    }

    /// The bytes of a blob.
    #[must_use]
    pub fn bytes(&self, blob: &str) -> Option<&Bytes> {
        self.0.blobs.get(blob)
    }

    /// What the store held after the first `position` operations: key → blob.
    #[must_use]
    pub fn state_at(&self, position: usize) -> BTreeMap<&str, &str> {
        let mut state = BTreeMap::new();
        for op in self.ops().iter().take(position) {
            match &op.action {
                Action::Put { blob } => state.insert(op.path.as_str(), blob.as_str()),
                Action::Delete => state.remove(op.path.as_str()),
            };
        }
        state
    }

    /// Every key that was ever written.
    #[must_use]
    pub fn paths(&self) -> BTreeSet<&str> {
        self.ops().iter().filter(|op| op.action != Action::Delete).map(|op| op.path.as_str()).collect()
    }

    /// Every version of one object that was ever written, in order.
    #[must_use]
    pub fn versions(&self, path: &str) -> Vec<&Bytes> {
        self.ops()
            .iter()
            .filter(|op| op.path == path)
            .filter_map(|op| match &op.action {
                Action::Put { blob } => self.bytes(blob),
                Action::Delete => None,
            })
            .collect()
    }

    /// Whether these bytes are one of the versions of this object: an object for which this is false is torn.
    #[must_use]
    pub fn is_version(&self, path: &str, bytes: &[u8]) -> bool {
        self.versions(path).into_iter().any(|version| version == bytes)
    }

    /// Every object that was there at some moment while the positions `during` were played: key → its versions, in order.
    #[must_use]
    pub fn versions_during(&self, during: RangeInclusive<usize>) -> BTreeMap<&str, Vec<&Bytes>> {
        let before = self.state_at(*during.start());
        let meanwhile = self.ops()[*during.start()..*during.end()].iter().filter_map(|op| match &op.action {
            Action::Put { blob } => Some((op.path.as_str(), blob.as_str())),
            Action::Delete => None,
        });
        let mut versions = BTreeMap::<_, Vec<_>>::new();
        for (path, blob) in before.into_iter().chain(meanwhile) {
            versions.entry(path).or_default().extend(self.bytes(blob));
        }
        versions
    }

    /// The objects that were there with the same bytes all the time while the positions `during` were played: key → blob.
    #[must_use]
    pub fn untouched_during(&self, during: RangeInclusive<usize>) -> BTreeMap<&str, &str> {
        let mut untouched = self.state_at(*during.start());
        for op in &self.ops()[*during.start()..*during.end()] {
            untouched.remove(op.path.as_str());
        }
        untouched
    }

    /// How far the data below `node` had come after the first `position` operations.
    #[must_use]
    pub fn acknowledged_at(&self, node: &str, position: usize) -> Acknowledged {
        let mut reached = Acknowledged::default();
        for op in self.ops().iter().take(position).filter(|op| op.action != Action::Delete) {
            let Some((directory, name)) =
                op.path.strip_prefix(node).and_then(|tail| tail.strip_prefix('/')?.split_once('/'))
            else {
                continue;
            };
            match directory {
                "wal" => reached.wal = reached.wal.max(wal_number(name)),
                "snapshots" => reached.snapshot = reached.snapshot.max(snapshot_sequence(name)),
                _ => {}
            }
        }
        reached
    }
}

/// The state that a node had acknowledged at some moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Acknowledged {
    /// The highest WAL number ever written.
    pub wal: Option<u64>,
    /// The sequence of the newest snapshot manifest.
    pub snapshot: Option<u64>,
}

/// How fast a recording is played.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Speed {
    /// This many times as fast as it was recorded.
    Times(f64),
    /// Without waiting; other tasks get their turn after every operation.
    Full,
}

/// Plays a recording into a store.
#[derive(Debug)]
pub struct Player {
    trace: Trace,
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    position: Arc<AtomicUsize>,
}

/// Where a player is, readable while it plays.
#[derive(Debug, Clone)]
pub struct Position(Arc<AtomicUsize>);

impl Position {
    /// How many operations the store has now; one that is under way is not counted.
    #[must_use]
    pub fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Player {
    /// Plays `trace` into `store`, its keys below `prefix`. Nothing is written yet.
    #[must_use]
    pub fn new(trace: Trace, store: Arc<dyn ObjectStore>, prefix: Path) -> Self {
        Self { trace, store, prefix, position: Arc::default() }
    }

    /// Plays `trace` into a directory, which must exist. Writes are staged and renamed, deletes are unlinks.
    ///
    /// # Errors
    /// Where the directory does not exist.
    pub fn into_directory(trace: Trace, directory: impl AsRef<FilePath>) -> Result<Self> {
        Ok(Self::new(trace, Arc::new(LocalFileSystem::new_with_prefix(directory)?), Path::default()))
    }

    /// Where it is; stays valid while it plays.
    #[must_use]
    pub fn position(&self) -> Position {
        Position(Arc::clone(&self.position))
    }

    /// Makes the store what it was after the first `position` operations, at once: writes only what is left then, deletes what this
    /// player wrote before and is not.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn jump(&mut self, position: usize) -> Result<()> {
        let trace = self.trace.clone();
        let before = trace.state_at(self.position().get());
        let after = trace.state_at(position);
        for (path, blob) in &after {
            if before.get(path) != Some(blob) {
                self.put(path, blob).await?;
            }
        }
        for path in before.keys().filter(|path| !after.contains_key(*path)) {
            self.delete(path).await?;
        }
        self.position.store(position.min(trace.len()), Ordering::SeqCst);
        Ok(())
    }

    /// Applies the next `count` operations, or as many as are left, and says how many that were.
    ///
    /// # Errors
    /// Whatever the store says; the operation that failed comes first the next time.
    pub async fn apply(&mut self, count: usize) -> Result<usize> {
        let begin = self.position().get();
        let end = self.trace.len().min(begin + count);
        for index in begin..end {
            self.step(index).await?;
        }
        Ok(end - begin)
    }

    /// Plays from where it is to the end, or until it is told to stop, and says where it is then.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn play(&mut self, speed: Speed, stop: CancellationToken) -> Result<usize> {
        let began = tokio::time::Instant::now();
        let begin = self.position().get();
        let origin = self.trace.ops().get(begin).map_or(0, |op| op.t_ms);
        for index in begin..self.trace.len() {
            if stop.is_cancelled() {
                break;
            }
            match speed {
                Speed::Full => tokio::task::yield_now().await,
                Speed::Times(factor) => {
                    let offset = self.trace.ops()[index].t_ms.saturating_sub(origin) as f64 / 1000.0 / factor.max(1e-6);
                    let due = began + Duration::from_secs_f64(offset);
                    if stop.run_until_cancelled(tokio::time::sleep_until(due)).await.is_none() {
                        break;
                    }
                }
            }
            self.step(index).await?;
        }
        Ok(self.position().get())
    }

    async fn step(&self, index: usize) -> Result<()> {
        let op = &self.trace.ops()[index];
        match &op.action {
            Action::Put { blob } => self.put(&op.path, blob).await?,
            Action::Delete => self.delete(&op.path).await?,
        }
        self.position.store(index + 1, Ordering::SeqCst);
        Ok(())
    }

    async fn put(&self, path: &str, blob: &str) -> Result<()> {
        let bytes = self.trace.bytes(blob).cloned().unwrap_or_default();
        self.store.put(&self.key(path)?, PutPayload::from(bytes)).await.map(drop)
    }

    /// What is gone already is fine: a recorder may have seen one delete twice.
    async fn delete(&self, path: &str) -> Result<()> {
        match self.store.delete(&self.key(path)?).await {
            Err(Error::NotFound { .. }) => Ok(()),
            other => other,
        }
    }

    fn key(&self, path: &str) -> Result<Path> {
        let prefix = self.prefix.as_ref();
        let key = if prefix.is_empty() { path.to_owned() } else { format!("{prefix}/{path}") };
        Ok(Path::parse(key)?)
    }
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;
    use object_store::memory::InMemory;

    use super::*;

    /// A recording of seven operations: 10 ms apart, with an overwrite, a delete and a step back in time.
    fn small() -> (tempfile::TempDir, Trace) {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(directory.path().join("blobs")).expect("a directory");
        for blob in ["x", "y", "z"] {
            std::fs::write(directory.path().join("blobs").join(blob), format!("bytes {blob}")).expect("a file");
        }
        let lines = [
            r#"{"t_ms": 0, "op": "put", "path": "n/wal/00000000001.wal", "size": 7, "blob": "x"}"#,
            r#"{"t_ms": 10, "op": "put", "path": "n/root", "size": 7, "blob": "x"}"#,
            r#"{"t_ms": 20, "op": "put", "path": "n/wal/00000000002.wal", "size": 7, "blob": "y"}"#,
            r#"{"t_ms": 19, "op": "put", "path": "n/root", "size": 7, "blob": "y"}"#,
            r#"{"t_ms": 30, "op": "put", "path": "n/snapshots/18446744073709551614.info.json", "size": 7, "blob": "z"}"#,
            r#"{"t_ms": 40, "op": "delete", "path": "n/wal/00000000001.wal"}"#,
            r#"{"t_ms": 40, "op": "delete", "path": "n/wal/00000000001.wal"}"#,
        ];
        std::fs::write(directory.path().join("ops.jsonl"), lines.join("\n")).expect("a file");
        let trace = Trace::load(directory.path()).expect("a recording");
        (directory, trace)
    }

    async fn held(store: &dyn ObjectStore) -> BTreeMap<String, Bytes> {
        let keys: Vec<_> = store.list(None).try_collect().await.expect("listed");
        let mut held = BTreeMap::new();
        for meta in keys {
            let bytes = store.get(&meta.location).await.expect("there").bytes().await.expect("whole");
            held.insert(meta.location.to_string(), bytes);
        }
        held
    }

    fn expected(trace: &Trace, position: usize, prefix: &str) -> BTreeMap<String, Bytes> {
        let state = trace.state_at(position).into_iter();
        state.map(|(path, blob)| (format!("{prefix}{path}"), trace.bytes(blob).expect("a blob").clone())).collect()
    }

    #[test]
    fn a_recording_knows_its_states_and_versions() {
        let (_directory, trace) = small();
        assert_eq!((trace.len(), trace.duration()), (7, Duration::from_millis(40)));
        assert_eq!(trace.versions("n/root"), [&Bytes::from("bytes x"), &Bytes::from("bytes y")]);
        assert!(trace.is_version("n/root", b"bytes x") && !trace.is_version("n/root", b"bytes"));
        assert_eq!(
            trace.position_at(Duration::from_millis(19)),
            4,
            "a step back in time ends the search, not the count"
        );
        assert_eq!(trace.acknowledged_at("n", 3), Acknowledged { wal: Some(2), snapshot: None });
        assert_eq!(trace.acknowledged_at("n", 7), Acknowledged { wal: Some(2), snapshot: Some(1) });
        assert_eq!(trace.state_at(7).len(), 3);
        let during = |positions| trace.versions_during(positions);
        assert_eq!(during(2..=4)["n/root"], trace.versions("n/root"));
        assert_eq!(during(2..=3)["n/root"], [&Bytes::from("bytes x")]);
        assert_eq!(during(4..=7)["n/root"], [&Bytes::from("bytes y")]);
        assert_eq!(during(5..=6).len(), 4, "the one that was deleted meanwhile was there");
        assert_eq!(during(6..=7).len(), 3);
        assert_eq!(trace.untouched_during(3..=6), BTreeMap::from([("n/wal/00000000002.wal", "y")]));
        assert_eq!(trace.paths().len(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn it_plays_at_the_speed_asked_for_and_stops() {
        let (_directory, trace) = small();
        let store = Arc::new(InMemory::new());
        let mut player = Player::new(trace.clone(), Arc::<InMemory>::clone(&store), Path::from("bucket"));
        let position = player.position();
        let stop = CancellationToken::new();
        let began = tokio::time::Instant::now();
        let playing = tokio::spawn({
            let stop = stop.clone();
            async move {
                let end = player.play(Speed::Times(2.0), stop).await.expect("plays");
                (player, end)
            }
        });
        tokio::time::sleep(Duration::from_millis(12)).await;
        assert_eq!(position.get(), 4, "20 ms of it, twice as fast");
        assert_eq!(held(store.as_ref()).await, expected(&trace, 4, "bucket/"));
        stop.cancel();
        let (mut player, end) = playing.await.expect("no panic");
        assert_eq!(end, 4);
        assert_eq!(player.play(Speed::Full, CancellationToken::new()).await.expect("plays on"), 7);
        assert_eq!(held(store.as_ref()).await, expected(&trace, 7, "bucket/"));
        assert!(began.elapsed() < Duration::from_millis(14));
    }

    #[tokio::test]
    async fn a_directory_has_the_same_states_by_steps_and_by_jumps() {
        let (_directory, trace) = small();
        let stepped = tempfile::tempdir().expect("a directory");
        let jumped = tempfile::tempdir().expect("a directory");
        let mut steps = Player::into_directory(trace.clone(), stepped.path()).expect("a player");
        let mut jumps = Player::into_directory(trace.clone(), jumped.path()).expect("a player");
        for position in 0..=trace.len() {
            jumps.jump(position).await.expect("jumps");
            assert_eq!(held(jumps.store.as_ref()).await, expected(&trace, position, ""));
            assert_eq!(held(steps.store.as_ref()).await, expected(&trace, position, ""));
            steps.apply(1).await.expect("steps");
        }
        jumps.jump(2).await.expect("jumps back");
        assert_eq!(held(jumps.store.as_ref()).await, expected(&trace, 2, ""));
        assert_eq!(jumps.apply(1).await.expect("steps"), 1);
        assert_eq!(held(jumps.store.as_ref()).await, expected(&trace, 3, ""));
    }

    #[test]
    fn a_recording_without_its_blobs_is_refused() {
        let (directory, _) = small();
        std::fs::remove_file(directory.path().join("blobs/y")).expect("it is there");
        assert_eq!(Trace::load(directory.path()).expect_err("incomplete").kind(), io::ErrorKind::NotFound);
    }
}
