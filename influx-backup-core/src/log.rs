//! [`SegmentedLog`]: what a run has finished, recorded in segments so that another run can continue it.
//!
//! A segment is an object of lines. The first is its [`FormatVersion`] as JSON, the others are what was finished: a CRC-64,
//! a space, and the JSON that it covers. It is written after the objects that its lines name are on disk, so a line never
//! names what a crash can take back. Meanwhile the run goes on.

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    task::{JoinError, JoinSet},
    time::{Duration, Instant},
};

use crate::{
    checksum::Crc64,
    concurrent,
    error::{Error, Result},
    key::Key,
    limits::Durability,
    location::{Location, make_durable},
    read_limits,
    versioned::FormatVersion,
};

/// The newest format of a segment that this release reads, and the one that it writes.
const FORMAT: u64 = 1;

/// The oldest format whose readers understand what this release writes.
const MIN_READER: u64 = 1;

/// A segment is written after this many lines.
const MAX_LINES: usize = 1_000;

/// The run waits for a segment once so many lines wait for the next.
const MAX_WAITING: usize = 10 * MAX_LINES;

/// A segment is written this long after the last one.
const MAX_AGE: Duration = Duration::from_secs(15);

/// Writes the segments of one run.
#[derive(Debug)]
pub(crate) struct SegmentedLog<T> {
    location: Location,
    directory: String,
    durability: Durability,
    run: u64,
    segments: u64,
    /// What no segment has yet.
    lines: Vec<T>,
    /// The one segment that is being written.
    writing: JoinSet<Written<T>>,
    flushed: Instant,
}

/// The lines of a segment, and whether it was written.
type Written<T> = (Vec<T>, Result<()>);

impl<T: Serialize + Send + Sync + 'static> SegmentedLog<T> {
    /// A log below `directory`. Runs have numbers of their own, the later ones higher numbers.
    pub(crate) fn new(location: &Location, directory: String, run: u64, durability: Durability) -> Self {
        Self {
            location: location.clone(),
            directory,
            durability,
            run,
            segments: 0,
            lines: Vec::new(),
            writing: JoinSet::new(),
            flushed: Instant::now(),
        }
    }

    /// Adds a line; begins to write a segment when one is due. Where the one before it could not be written, that is the error.
    ///
    /// # Errors
    /// As for [`SegmentedLog::flush`].
    pub(crate) async fn add(&mut self, line: T) -> Result<()> {
        self.lines.push(line);
        if let Some(written) = self.writing.try_join_next() {
            self.end(written)?;
        }
        if self.lines.len() >= MAX_WAITING {
            self.written().await?;
        }
        let is_due = self.lines.len() >= MAX_LINES || self.flushed.elapsed() >= MAX_AGE;
        if is_due && self.writing.is_empty() {
            self.begin()?;
        }
        Ok(())
    }

    /// Writes what was added: the objects first, then the lines that name them. Where that fails, the lines are kept for
    /// the next segment.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) async fn flush(&mut self) -> Result<()> {
        // Where that fails, its lines are written again.
        let _ = self.written().await;
        self.begin()?;
        self.written().await
    }

    fn begin(&mut self) -> Result<()> {
        self.flushed = Instant::now();
        if !self.lines.is_empty() {
            let key = Key::parse(format!("{}/{:06}-{:06}.jsonl", self.directory, self.run, self.segments))?;
            let lines = std::mem::take(&mut self.lines);
            let (location, durability) = (self.location.clone(), self.durability);
            self.writing.spawn(concurrent::traced(async move {
                let written = write(&location, durability, &key, &lines).await;
                (lines, written)
            }));
        }
        Ok(())
    }

    async fn written(&mut self) -> Result<()> {
        match self.writing.join_next().await {
            Some(written) => self.end(written),
            None => Ok(()),
        }
    }

    fn end(&mut self, written: Result<Written<T>, JoinError>) -> Result<()> {
        let (mut lines, written) =
            written.map_err(|source| Error::Internal { task: "journal", source: Box::new(source) })?;
        match written {
            Ok(()) => self.segments += 1,
            Err(_) => {
                lines.append(&mut self.lines);
                self.lines = lines;
            }
        }
        written
    }
}

async fn write<T: Serialize>(location: &Location, durability: Durability, key: &Key, lines: &[T]) -> Result<()> {
    make_durable(location, durability).await?;
    let text = encode(lines).map_err(|source| Error::Internal { task: "journal", source: Box::new(source) })?;
    location.put(key, Bytes::from(text)).await.map(drop)
}

/// Gives every line that was written below `directory` to `on_line`, in the order of the runs. A segment that was cut short or altered ends
/// before the first line that is not whole: what it does not name is done again.
///
/// # Errors
/// [`Error::UnsupportedFormat`] for a segment that a newer release wrote, [`Error::Store`].
pub(crate) async fn read<T: DeserializeOwned>(
    location: &Location,
    directory: &str,
    mut on_line: impl FnMut(T),
) -> Result<()> {
    for entry in location.list(directory).await? {
        // One that is too large was altered, too.
        if let Some(Ok(bytes)) = location.get_within(&entry.key, read_limits::LOG_SEGMENT).await? {
            decode(&bytes, &entry.key)?.into_iter().for_each(&mut on_line);
        }
    }
    Ok(())
}

fn encode<T: Serialize>(lines: &[T]) -> serde_json::Result<Vec<u8>> {
    let mut text = serde_json::to_vec(&FormatVersion { format: FORMAT, min_reader: MIN_READER })?;
    text.push(b'\n');
    for line in lines {
        let json = serde_json::to_vec(line)?;
        text.extend_from_slice(Crc64::of(&json).to_string().as_bytes());
        text.push(b' ');
        text.extend_from_slice(&json);
        text.push(b'\n');
    }
    Ok(text)
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8], key: &Key) -> Result<Vec<T>> {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let version = lines.next().and_then(|line| serde_json::from_slice::<FormatVersion>(line).ok());
    let Some(version) = version else { return Ok(Vec::new()) };
    version.require(key.as_str(), FORMAT)?;
    Ok(lines.map_while(|line| serde_json::from_slice(whole(line)?).ok()).collect())
}

/// The JSON of a line, where it is as it was written.
fn whole(line: &[u8]) -> Option<&[u8]> {
    let space = line.iter().position(|byte| *byte == b' ')?;
    let json = line.get(space + 1..)?;
    let crc64 = line.get(..space)?;
    (crc64 == Crc64::of(json).to_string().as_bytes()).then_some(json)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::{collection::vec, prelude::*, sample::Index};
    use tokio::time::sleep;

    use super::*;
    use crate::testing::fault::{Failure, Fault, FaultPlan, FaultyStore, Op, Rule, Scope, When};

    const SLOW: Duration = Duration::from_secs(10);
    const DIRECTORY: &str = "_influx_backup/journal";

    fn log(location: &Location, run: u64) -> SegmentedLog<u64> {
        SegmentedLog::new(location, DIRECTORY.to_owned(), run, Durability::Durable)
    }

    async fn segments(location: &Location) -> Vec<String> {
        let entries = location.list(DIRECTORY).await.expect("listed");
        entries.into_iter().map(|entry| entry.key.name().to_owned()).collect()
    }

    async fn lines(location: &Location) -> Vec<u64> {
        let mut lines = Vec::new();
        read(location, DIRECTORY, |line| lines.push(line)).await.expect("read");
        lines
    }

    #[tokio::test(start_paused = true)]
    async fn a_segment_is_written_when_it_is_full_or_old() {
        let location = Location::in_memory();
        let mut log = log(&location, 1);
        for line in 0..MAX_LINES as u64 - 1 {
            log.add(line).await.expect("added");
        }
        assert_eq!(segments(&location).await, [""; 0]);
        log.add(MAX_LINES as u64 - 1).await.expect("added");
        sleep(Duration::from_millis(1)).await;
        assert_eq!(segments(&location).await, ["000001-000000.jsonl"]);
        tokio::time::advance(MAX_AGE).await;
        log.add(MAX_LINES as u64).await.expect("added");
        sleep(Duration::from_millis(1)).await;
        assert_eq!(segments(&location).await, ["000001-000000.jsonl", "000001-000001.jsonl"]);
        log.flush().await.expect("flushed");
        assert_eq!(segments(&location).await.len(), 2, "nothing was added");
        assert_eq!(lines(&location).await, (0..=MAX_LINES as u64).collect::<Vec<_>>());
    }

    /// The run goes on while a segment is written, until too much waits; and hears of one that was not.
    #[tokio::test(start_paused = true)]
    async fn a_run_does_not_wait_for_a_segment() {
        let slow = Rule::new(Scope::of(Op::Put), When::Nth(1), Fault::Delay(SLOW..SLOW * 11 / 10));
        let denied = Rule::new(Scope::of(Op::Put), When::Nth(2), Fault::Fail(Failure::Denied));
        let plan = FaultPlan::none().with(slow).with(denied);
        let location = Location::in_memory().through(|store| Arc::new(FaultyStore::new(store, plan.clone())) as Arc<_>);
        let mut log = log(&location, 1);
        let began = Instant::now();
        let first = MAX_LINES + MAX_WAITING - 1;
        for line in 0..first {
            log.add(line as u64).await.expect("added");
        }
        assert!(began.elapsed() < SLOW);
        log.add(first as u64).await.expect("added");
        assert!(began.elapsed() >= SLOW, "too much waited");
        sleep(Duration::from_millis(1)).await;
        log.add(first as u64 + 1).await.expect_err("denied");
        log.flush().await.expect("flushed");
        assert_eq!(lines(&location).await, (0..=first as u64 + 1).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn runs_add_up_in_their_order() {
        let location = Location::in_memory();
        for run in [2, 1] {
            let mut log = log(&location, run);
            log.add(run).await.expect("added");
            log.flush().await.expect("flushed");
        }
        assert_eq!(lines(&location).await, [1, 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn lines_are_kept_until_they_are_written() {
        let denied = Rule::new(Scope::of(Op::Put), When::Nth(1), Fault::Fail(Failure::Denied));
        let location = Location::in_memory()
            .through(|store| Arc::new(FaultyStore::new(store, FaultPlan::none().with(denied.clone()))) as Arc<_>);
        let mut log = log(&location, 1);
        log.add(7).await.expect("added");
        log.flush().await.expect_err("denied");
        assert_eq!(lines(&location).await, [0; 0]);
        log.flush().await.expect("flushed");
        assert_eq!(lines(&location).await, [7], "nothing was lost");
    }

    #[tokio::test]
    async fn a_torn_segment_ends_with_its_last_whole_line() {
        let location = Location::in_memory();
        let key = Key::parse(format!("{DIRECTORY}/000001-000000.jsonl")).expect("a key");
        let whole = String::from_utf8(encode(&[1, 2]).expect("encoded")).expect("UTF-8");
        for (text, expected) in [
            (format!("{whole}{{"), vec![1, 2]),
            (whole[..whole.len() - 1].to_owned(), vec![1, 2]),
            (whole[..9].to_owned(), vec![]),
        ] {
            location.put(&key, text.clone().into()).await.expect("put");
            assert_eq!(lines(&location).await, expected, "{text}");
        }
    }

    #[tokio::test]
    async fn a_segment_of_a_newer_release_is_refused() {
        let location = Location::in_memory();
        let key = Key::parse(format!("{DIRECTORY}/000001-000000.jsonl")).expect("a key");
        location.put(&key, "{\"format\":9,\"min_reader\":9}\n1\n".into()).await.expect("put");
        assert_eq!(read::<u64>(&location, DIRECTORY, drop).await.expect_err("newer").code(), "unsupported-format");
        let line = format!("{{\"format\":9,\"min_reader\":1}}\n{} 1\n", Crc64::of(b"1"));
        location.put(&key, line.into()).await.expect("put");
        assert_eq!(lines(&location).await, [1]);
    }

    proptest! {
        #[test]
        fn of_whatever_lies_there_only_whole_lines_are_read(
            lines in vec(any::<u64>(), 0..5),
            at in any::<Index>(),
            byte in any::<u8>(),
            end in any::<Index>(),
            garbage in vec(any::<u8>(), 0..100),
        ) {
            let key = Key::parse("x").expect("a key");
            let whole = encode(&lines).expect("encoded");
            let mut altered = whole.clone();
            let at = at.index(altered.len());
            altered[at] = byte;
            let cut = whole[..end.index(whole.len() + 1)].to_vec();
            for bytes in [cut, altered, garbage] {
                match decode::<u64>(&bytes, &key) {
                    Ok(read) => prop_assert!(lines.starts_with(&read), "{read:?}"),
                    Err(error) => prop_assert_eq!(error.code(), "unsupported-format"),
                }
            }
        }
    }
}
