//! Lists in segments: JSON lines, compressed, each with its SHA-256 in the root manifest.

use std::io::{Read, Write};

use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    checksum::sha256,
    error::{Error, Result},
    key::Key,
    layout::OWN_DIRECTORY,
    location::Location,
    versioned,
};

/// How many records a segment has at most.
const RECORDS: usize = 10_000;

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
    let mut records = records.into_iter();
    let mut segments = Vec::new();
    loop {
        let chunk: Vec<R> = records.by_ref().take(RECORDS).collect();
        if chunk.is_empty() {
            return Ok(segments);
        }
        let key = Key::parse(format!("{OWN_DIRECTORY}/{list}/{:06}.jsonl.zst", segments.len()))?;
        let bytes =
            encode(&chunk).map_err(|source| Error::Internal { task: "object list", source: Box::new(source) })?;
        let reference = SegmentRef { key, sha256: sha256(&bytes), records: chunk.len() as u64 };
        to.put(&reference.key, bytes).await?;
        segments.push(reference);
    }
}

/// Reads one segment back, refusing other bytes than were written.
pub(crate) async fn read<R: DeserializeOwned>(from: &Location, segment: &SegmentRef) -> Result<Vec<R>> {
    let bytes = from.get(&segment.key, None).await?.ok_or_else(|| Error::damaged(&segment.key, "it is missing"))?;
    if sha256(&bytes) != segment.sha256 {
        return Err(Error::damaged(&segment.key, "its checksum is not the one that was recorded"));
    }
    let records = decode(&bytes, &segment.key)?;
    if records.len() as u64 != segment.records {
        return Err(Error::damaged(&segment.key, "it has another number of records than was recorded"));
    }
    Ok(records)
}

/// Whether a segment reads back as it was written.
pub(crate) async fn is_whole(from: &Location, segment: &SegmentRef) -> Result<bool> {
    Ok(from.get(&segment.key, None).await?.is_some_and(|bytes| sha256(&bytes) == segment.sha256))
}

fn encode<R: Serialize>(records: &[R]) -> std::io::Result<Bytes> {
    let mut encoder = zstd::Encoder::new(Vec::new(), COMPRESSION_LEVEL)?;
    for record in records {
        serde_json::to_writer(&mut encoder, record)?;
        encoder.write_all(b"\n")?;
    }
    encoder.finish().map(Bytes::from)
}

fn decode<R: DeserializeOwned>(bytes: &[u8], key: &Key) -> Result<Vec<R>> {
    let mut text = Vec::new();
    let decoded = zstd::Decoder::new(bytes).and_then(|mut decoder| decoder.read_to_end(&mut text));
    decoded.map_err(|error| Error::damaged(key, error.to_string()))?;
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| versioned::parse_json(line, key.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::Index};

    use super::*;

    #[tokio::test]
    async fn lists_survive_in_several_segments() {
        let location = Location::in_memory();
        let numbers: Vec<u64> = (0..25_000).collect();
        let segments = write(&location, "numbers", &numbers).await.expect("written");
        assert_eq!(segments.iter().map(|s| s.records).collect::<Vec<_>>(), [10_000, 10_000, 5_000]);
        let mut back = Vec::new();
        for segment in &segments {
            back.extend(read::<u64>(&location, segment).await.expect("read back"));
        }
        assert_eq!(back, numbers);
    }

    #[tokio::test]
    async fn what_a_newer_release_wrote_is_no_damage() {
        use crate::record::Encoding;
        let location = Location::in_memory();
        let segments = write(&location, "encodings", ["plain", "not-known-yet"]).await.expect("written");
        let error = read::<Encoding>(&location, &segments[0]).await.expect_err("newer");
        assert_eq!(error.code(), "unsupported-format");
    }

    #[tokio::test]
    async fn altered_segments_are_refused() {
        let location = Location::in_memory();
        let segments = write(&location, "numbers", [1, 2, 3]).await.expect("written");
        location.put(&segments[0].key, Bytes::from_static(b"x")).await.expect("altered");
        let error = read::<u64>(&location, &segments[0]).await.expect_err("altered");
        assert_eq!(error.code(), "damaged-backup");
        location.delete(&segments[0].key).await.expect("deleted");
        assert_eq!(read::<u64>(&location, &segments[0]).await.expect_err("missing").code(), "damaged-backup");
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
            let whole = encode(&numbers).expect("encoded");
            prop_assert_eq!(&decode::<u64>(&whole, &key).expect("decoded"), &numbers);
            let mut altered = whole.to_vec();
            let at = at.index(altered.len());
            altered[at] = byte;
            for bytes in [altered, garbage] {
                if let Err(error) = decode::<u64>(&bytes, &key) {
                    prop_assert_eq!(error.code(), "damaged-backup");
                }
                if let Err(error) = decode::<crate::record::ObjectRecord>(&bytes, &key) {
                    prop_assert!(["damaged-backup", "unsupported-format"].contains(&error.code()), "{}", error);
                }
            }
        }
    }
}
