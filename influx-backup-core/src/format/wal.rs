//! The frame of a WAL file: magic and checksum. Its content is bitcode and stays opaque.

use super::error::{self, End, FormatError};

/// The first bytes of every WAL file (`influxdb3_wal/src/serialize.rs`, the same from v3.0.0 to v3.10.1).
pub const MAGIC: &[u8; 8] = b"idb3.001";

/// Bytes of the magic and the checksum together.
pub const HEADER: usize = 12;

/// Checks that `bytes` are a whole WAL file: magic, then a big-endian CRC32 over all that follows it.
///
/// # Errors
/// [`FormatError::Empty`], [`FormatError::TooShort`], [`FormatError::BadMagic`] or [`FormatError::BadChecksum`].
pub fn check(bytes: &[u8]) -> Result<(), FormatError> {
    error::at_least(bytes.len() as u64, HEADER as u64)?;
    let (magic, rest) = bytes.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(FormatError::magic(End::Start, magic));
    }
    match rest.split_first_chunk() {
        Some((stored, body)) => error::checksum(u32::from_be_bytes(*stored), body),
        None => Err(FormatError::TooShort { length: bytes.len() as u64, least: HEADER as u64 }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(body: &[u8]) -> Vec<u8> {
        [MAGIC, &crc32fast::hash(body).to_be_bytes()[..], body].concat()
    }

    #[test]
    fn a_whole_file_passes() {
        assert_eq!(check(&file(b"some operations")), Ok(()));
    }

    #[test]
    fn the_checksum_is_big_endian() {
        // CRC32 (IEEE) of "123456789" is the published check value cbf43926.
        assert_eq!(check(b"idb3.001\xcb\xf4\x39\x26123456789"), Ok(()));
    }

    #[test]
    fn each_damage_has_its_error() {
        assert_eq!(check(b""), Err(FormatError::Empty));
        assert_eq!(check(&file(b"x")[..11]), Err(FormatError::TooShort { length: 11, least: 12 }));
        assert_eq!(
            check(b"idb3.002\0\0\0\0"),
            Err(FormatError::BadMagic { end: End::Start, found: "idb3.002".to_owned() })
        );
        let mut flipped = file(b"123456789");
        flipped[12] ^= 1;
        assert!(matches!(check(&flipped), Err(FormatError::BadChecksum { expected: 0xcbf4_3926, .. })));
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes: Vec<u8>) {
            prop_assert!(check(&bytes).is_err());
        }

        #[test]
        fn any_changed_byte_is_found(body: Vec<u8>, at: prop::sample::Index, by in 1..=u8::MAX) {
            let mut bytes = file(&body);
            let at = at.index(bytes.len());
            bytes[at] ^= by;
            prop_assert!(check(&bytes).is_err());
        }

        #[test]
        fn any_shorter_file_is_found(body in prop::collection::vec(any::<u8>(), 1..100), cut in 1..4_usize) {
            let bytes = file(&body);
            let kept = bytes.len() - cut.min(body.len());
            // By chance a cut may leave a body with the same checksum.
            prop_assume!(crc32fast::hash(&body) != crc32fast::hash(&bytes[12..kept]));
            prop_assert!(check(&bytes[..kept]).is_err());
        }
    }
}
