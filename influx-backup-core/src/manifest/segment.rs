//! Lists in segments: JSON lines, compressed, each with its SHA-256 in the root manifest.

use std::io::{self, BufRead, BufReader, Read, Write};

use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    checksum::sha256,
    error::{Error, Result},
    key::Key,
    layout::OWN_DIRECTORY,
    location::Location,
    read_limits::{self, SEGMENT_RECORDS, TooLarge},
    table::{Builder, Row, Table},
    units::{ByteSize, total},
    versioned,
};

/// How much of the text a decoder keeps: 8 MiB, twice what the level above ever uses.
const WINDOW_LOG: u32 = 23;

/// A segment ends with the record that makes it this long.
const WRITTEN: ByteSize = ByteSize(read_limits::SEGMENT.0 / 2);

/// How well segments are compressed: fast, and about a tenth of the size.
const COMPRESSION_LEVEL: i32 = 3;

/// One segment of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SegmentRef {
    /// Its key in the backup.
    pub key: Key,
    /// SHA-256 of the stored bytes, in hex.
    pub sha256: String,
    /// How many records.
    pub records: u64,
}

/// Writes a list as segments below `_influx_backup/<list>/`, one at a time.
pub(crate) async fn write<R: Serialize>(
    to: &Location,
    list: &str,
    records: impl IntoIterator<Item = R>,
) -> Result<Vec<SegmentRef>> {
    let mut records = records.into_iter().peekable();
    let mut segments = Vec::new();
    let mut written = 0;
    let mut text = 0;
    while records.peek().is_some() {
        let key = Key::parse(format!("{OWN_DIRECTORY}/{list}/{:06}.jsonl.zst", segments.len()))?;
        let unreadable = |source: io::Error| Error::Internal { task: "object list", source: Box::new(source) };
        let (bytes, count, length) = encode(&mut records).map_err(unreadable)?;
        written += count;
        text += length;
        // What no reader would read again is not written.
        TooLarge::check(written, ByteSize(read_limits::LIST_RECORDS))
            .and_then(|()| TooLarge::check(text, read_limits::list_text(written)))
            .map_err(|large| unreadable(io::Error::other(large)))?;
        let reference = SegmentRef { key, sha256: sha256(&bytes), records: count };
        to.put(&reference.key, bytes).await?;
        segments.push(reference);
    }
    Ok(segments)
}

/// A list that was read back.
#[derive(Debug)]
pub(crate) struct List<R: Row> {
    pub(crate) rows: Table<R>,
    /// Whether it was written in the order of its keys, each once.
    pub(crate) is_sorted: bool,
}

/// Reads a list back, refusing other bytes than were written. Its text has a limit as a whole, which follows from the number of
/// records that is announced: many segments of a few bytes each may stand for gigabytes.
pub(crate) async fn read_all<R: Row + DeserializeOwned>(from: &Location, segments: &[SegmentRef]) -> Result<List<R>> {
    let announced = total(segments.iter().map(|segment| segment.records));
    if let Some(first) = segments.first()
        && announced > read_limits::LIST_RECORDS
    {
        return Err(Error::damaged(&first.key, "its list has more records than a backup can have"));
    }
    let mut left = read_limits::list_text(announced);
    let mut rows = Builder::default();
    let mut is_sorted = true;
    let mut last: Option<String> = None;
    for segment in segments {
        let text = read(from, segment, left, |row: R| {
            is_sorted &= last.as_deref().is_none_or(|last| last < row.key());
            let last = last.get_or_insert_default();
            row.key().clone_into(last);
            rows.push(row);
        })
        .await?;
        left = ByteSize(left.0.saturating_sub(text.0));
    }
    Ok(List { rows: rows.finish(), is_sorted })
}

/// Reads one segment back, of at most this much text. Returns how much it had.
async fn read<R: DeserializeOwned>(
    from: &Location,
    segment: &SegmentRef,
    most: ByteSize,
    on_record: impl FnMut(R),
) -> Result<ByteSize> {
    if segment.records > SEGMENT_RECORDS as u64 {
        return Err(Error::damaged(&segment.key, "it has more records than a segment can have"));
    }
    let found = from.get_within(&segment.key, read_limits::STORED_SEGMENT).await?;
    let found = found.ok_or_else(|| Error::damaged(&segment.key, "it is missing"))?;
    let bytes = found.map_err(|large| Error::damaged(&segment.key, large.to_string()))?;
    if sha256(&bytes) != segment.sha256 {
        return Err(Error::damaged(&segment.key, "its checksum is not the one that was recorded"));
    }
    decode(&bytes, segment, most, on_record)
}

/// Whether a segment reads back as it was written.
pub(crate) async fn is_whole(from: &Location, segment: &SegmentRef) -> Result<bool> {
    let found = from.get_within(&segment.key, read_limits::STORED_SEGMENT).await?;
    Ok(matches!(found, Some(Ok(bytes)) if sha256(&bytes) == segment.sha256))
}

/// The next records, as many as a segment takes, with how many there are and the length of their text.
fn encode<R: Serialize>(records: &mut impl Iterator<Item = R>) -> io::Result<(Bytes, u64, u64)> {
    let mut encoder = zstd::Encoder::new(Vec::new(), COMPRESSION_LEVEL)?;
    let mut count = 0;
    let mut length = 0;
    while count < SEGMENT_RECORDS as u64 && length < WRITTEN.0 {
        let Some(record) = records.next() else { break };
        let mut line = serde_json::to_vec(&record)?;
        // What no reader would read again is not written.
        TooLarge::check(line.len() as u64, read_limits::RECORD).map_err(io::Error::other)?;
        line.push(b'\n');
        encoder.write_all(&line)?;
        length += line.len() as u64;
        count += 1;
    }
    Ok((encoder.finish()?.into(), count, length))
}

/// Decodes line by line, and stops where there is more text than `most` or than a segment can hold: a few bytes may stand for
/// gigabytes. Returns how much text there was.
pub(crate) fn decode<R: DeserializeOwned>(
    bytes: &[u8],
    segment: &SegmentRef,
    most: ByteSize,
    mut on_record: impl FnMut(R),
) -> Result<ByteSize> {
    let SegmentRef { key, records: announced, .. } = segment;
    let damaged = |error: io::Error| Error::damaged(key, error.to_string());
    let mut decoder = zstd::Decoder::new(bytes).map_err(damaged)?;
    decoder.window_log_max(WINDOW_LOG).map_err(damaged)?;
    let mut text = BufReader::new(decoder.take(most.0.min(read_limits::SEGMENT.0)));
    let mut size = 0;
    let mut records = 0;
    let mut line = Vec::new();
    loop {
        line.clear();
        // One byte more shows that a line goes on.
        let length = text.by_ref().take(read_limits::RECORD.0 + 1).read_until(b'\n', &mut line).map_err(damaged)?;
        size += length as u64;
        match line.strip_suffix(b"\n") {
            _ if length == 0 => break,
            Some(_) if records == *announced => break,
            Some(line) => {
                on_record(versioned::parse_json(line, key.as_str())?);
                records += 1;
            }
            None => return Err(Error::damaged(key, "a line of it is cut off, or longer than a record can be")),
        }
    }
    if line.is_empty() && records == *announced {
        return Ok(ByteSize(size));
    }
    Err(Error::damaged(key, "it has another number of records than was recorded"))
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::Index};

    use super::*;
    use crate::record::AbsentRecord;

    #[tokio::test]
    async fn lists_survive_in_several_segments() {
        let location = Location::in_memory();
        let numbers: Vec<Key> = (10_000..35_000).map(numbered).collect();
        let segments = write(&location, "numbers", &numbers).await.expect("written");
        assert_eq!(segments.iter().map(|s| s.records).collect::<Vec<_>>(), [10_000, 10_000, 5_000]);
        assert_eq!(read(&location, &segments).await.expect("read back"), (numbers, true));
    }

    #[tokio::test]
    async fn a_list_tells_whether_it_is_sorted() {
        let location = Location::in_memory();
        for (numbers, sorted) in [(vec![3, 1, 2], [1, 2, 3].as_slice()), (vec![1, 1], &[1])] {
            let segments = write(&location, "numbers", numbers.into_iter().map(numbered)).await.expect("written");
            let expected = (sorted.iter().copied().map(numbered).collect(), false);
            assert_eq!(read(&location, &segments).await.expect("read back"), expected);
        }
        let mut twice = write(&location, "numbers", [numbered(2), numbered(3)]).await.expect("written");
        twice.extend(write(&location, "others", [numbered(1)]).await.expect("written"));
        assert!(!read(&location, &twice).await.expect("read back").1, "nor across segments");
    }

    fn numbered(number: u64) -> Key {
        Key::parse(number.to_string()).expect("a key")
    }

    async fn read(location: &Location, segments: &[SegmentRef]) -> Result<(Vec<Key>, bool)> {
        let List { rows, is_sorted } = read_all::<Key>(location, segments).await?;
        Ok((rows.iter().collect(), is_sorted))
    }

    #[tokio::test]
    async fn what_a_newer_release_wrote_is_no_damage() {
        use crate::record::ObjectRecord;
        let location = Location::in_memory();
        let newer = serde_json::json!({
            "key": "n/wal/1.wal", "content": {"size": 9}, "version": {"modified": "2026-11-01T00:00:00Z"},
            "checked_by": "content", "stored": {"size": 9, "encoding": "not-known-yet"},
        });
        let segments = write(&location, "encodings", [newer]).await.expect("written");
        let error = read_all::<ObjectRecord>(&location, &segments[..1]).await.expect_err("newer");
        assert_eq!(error.code(), "unsupported-format");
    }

    #[tokio::test]
    async fn altered_segments_are_refused() {
        let location = Location::in_memory();
        let segments = write(&location, "numbers", [1, 2, 3].map(numbered)).await.expect("written");
        location.put(&segments[0].key, Bytes::from_static(b"x")).await.expect("altered");
        let error = read_all::<Key>(&location, &segments[..1]).await.expect_err("altered");
        assert_eq!(error.code(), "damaged-backup");
        location.delete(&segments[0].key).await.expect("deleted");
        assert_eq!(read_all::<Key>(&location, &segments[..1]).await.expect_err("missing").code(), "damaged-backup");
    }

    /// As the root of a backup names a segment with these bytes.
    async fn put(location: &Location, text: &[u8], records: u64) -> SegmentRef {
        let key = Key::parse("x").expect("a key");
        let bytes = Bytes::from(zstd::encode_all(text, 1).expect("compressed"));
        location.put(&key, bytes.clone()).await.expect("written");
        SegmentRef { key, sha256: sha256(&bytes), records }
    }

    #[tokio::test]
    async fn no_more_is_decoded_than_was_announced() {
        let location = Location::in_memory();
        let records = |text: &'static str, records| {
            let location = location.clone();
            async move { read(&location, &[put(&location, text.as_bytes(), records).await]).await }
        };
        let two = "\"1\"\n\"2\"\n";
        assert_eq!(records(two, 2).await.expect("read").0, [1, 2].map(numbered));
        assert_eq!(records("", 0).await.expect("read").0, []);
        for (text, announced) in [(two, 1), (two, 3), ("\"1\"\n\"2\"", 2), ("\"1\"\n\n", 1), ("", 1), (two, u64::MAX)] {
            assert_eq!(records(text, announced).await.expect_err(text).code(), "damaged-backup", "{text}");
        }
        let long = [vec![b' '; 64 << 10], b"1\n".to_vec()].concat();
        let refused = read_all::<Key>(&location, &[put(&location, &long, 1).await]).await.expect_err("too long");
        assert!(refused.to_string().contains("longer than a record"), "{refused}");
    }

    #[tokio::test]
    async fn large_records_take_more_segments_and_larger_ones_are_not_written() {
        let location = Location::in_memory();
        let record = |number| AbsentRecord {
            node: "x".repeat(7 << 10),
            path: format!("{number:04}"),
            database: 1,
            table: 1,
            rows: 1,
            newest: chrono::DateTime::UNIX_EPOCH,
        };
        let segments = write(&location, "large", (0..9_000).map(record)).await.expect("written");
        assert!(segments.len() == 2, "60 MiB in segments of 32 MiB: {segments:?}");
        assert_eq!(read_all::<AbsentRecord>(&location, &segments).await.expect("read back").rows.len(), 9_000);
        let record = "x".repeat(60 << 10);
        write(&location, "large", std::iter::repeat_n(&record, 1_000)).await.expect_err("no reader would read it");
        write(&location, "larger", ["x".repeat(64 << 10)]).await.expect_err("no reader would read it");
    }

    proptest! {
        #[test]
        fn whatever_lies_there_is_read_or_is_an_error(
            numbers in vec(any::<u64>(), 0..50),
            at in any::<Index>(),
            byte in any::<u8>(),
            garbage in vec(any::<u8>(), 0..100),
        ) {
            let key = Key::parse("x").expect("a key");
            let (whole, records, length) = encode(&mut numbers.iter()).expect("encoded");
            let most = read_limits::SEGMENT;
            let segment = SegmentRef { key, sha256: String::new(), records };
            let mut read = Vec::new();
            let text = decode(&whole, &segment, most, |number: u64| read.push(number)).expect("decoded");
            prop_assert_eq!((&read, text), (&numbers, ByteSize(length)));
            let mut altered = whole.to_vec();
            let at = at.index(altered.len());
            altered[at] = byte;
            for bytes in [altered, garbage] {
                if let Err(error) = decode::<u64>(&bytes, &segment, most, drop) {
                    prop_assert_eq!(error.code(), "damaged-backup");
                }
                if let Err(error) = decode::<crate::record::ObjectRecord>(&bytes, &segment, most, drop) {
                    prop_assert!(["damaged-backup", "unsupported-format"].contains(&error.code()), "{}", error);
                }
            }
        }
    }
}
