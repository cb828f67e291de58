//! The frame of a Parquet file: a mark at both ends and a footer that fits in between.

use super::error::{self, End, FormatError};

/// The mark at both ends.
pub const MAGIC: &[u8; 4] = b"PAR1";

/// Bytes at the start that [`check`] looks at.
pub const HEAD: usize = 4;

/// Bytes at the end that [`check`] looks at: the footer's length, little-endian, and the mark.
pub const TAIL: usize = 8;

/// Checks a Parquet file of `length` bytes by its first [`HEAD`] and its last [`TAIL`] bytes.
///
/// InfluxDB writes no checksum of these files: this, and the length that the snapshot manifest tells, is all there is.
/// `head` may hold more bytes than needed, `tail` as well.
///
/// # Errors
/// [`FormatError::Empty`], [`FormatError::TooShort`] (also if `head` or `tail` is too short), [`FormatError::BadMagic`]
/// or [`FormatError::FooterTooLong`].
pub fn check(head: &[u8], tail: &[u8], length: u64) -> Result<(), FormatError> {
    const LEAST: u64 = (HEAD + TAIL) as u64;
    error::at_least(length, LEAST)?;
    let short = || FormatError::TooShort { length: (head.len() + tail.len()) as u64, least: LEAST };
    let first: &[u8; HEAD] = head.first_chunk().ok_or_else(short)?;
    let [l0, l1, l2, l3, last @ ..]: &[u8; TAIL] = tail.last_chunk().ok_or_else(short)?;
    if first != MAGIC {
        return Err(FormatError::magic(End::Start, first));
    }
    if last != MAGIC {
        return Err(FormatError::magic(End::Tail, last));
    }
    let footer = u64::from(u32::from_le_bytes([*l0, *l1, *l2, *l3]));
    if footer > length - LEAST { Err(FormatError::FooterTooLong { footer, length }) } else { Ok(()) }
}

/// Checks a whole Parquet file; see [`check`].
///
/// # Errors
/// Those of [`check`].
pub fn check_whole(bytes: &[u8]) -> Result<(), FormatError> {
    check(bytes, bytes, bytes.len() as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(pages: &[u8], footer: &[u8]) -> Vec<u8> {
        let length = u32::try_from(footer.len()).expect("a short footer");
        [MAGIC, pages, footer, &length.to_le_bytes(), MAGIC].concat()
    }

    #[test]
    fn a_whole_file_passes_by_its_ends() {
        let bytes = file(b"pages", b"footer");
        assert_eq!(check_whole(&bytes), Ok(()));
        assert_eq!(check(&bytes[..HEAD], &bytes[bytes.len() - TAIL..], bytes.len() as u64), Ok(()));
    }

    #[test]
    fn each_damage_has_its_error() {
        let bytes = file(b"pages", b"footer");
        let last = bytes.len() - 1;
        let with = |at: usize, byte: u8| {
            let mut bytes = bytes.clone();
            bytes[at] = byte;
            check_whole(&bytes)
        };
        assert_eq!(check_whole(b""), Err(FormatError::Empty));
        assert_eq!(check_whole(&bytes[..11]), Err(FormatError::TooShort { length: 11, least: 12 }));
        assert_eq!(check(b"PAR", &bytes, 23), Err(FormatError::TooShort { length: 26, least: 12 }));
        assert_eq!(with(3, b'E'), Err(FormatError::BadMagic { end: End::Start, found: "PARE".to_owned() }));
        assert_eq!(with(last, b'2'), Err(FormatError::BadMagic { end: End::Tail, found: "PAR2".to_owned() }));
        assert_eq!(with(last - 7, 11), Ok(()), "pages and footer together");
        assert_eq!(with(last - 7, 12), Err(FormatError::FooterTooLong { footer: 12, length: 23 }));
        assert!(check_whole(&bytes[..last]).is_err(), "cut off");
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(head: Vec<u8>, tail: Vec<u8>, length: u64) {
            prop_assert!(check(&head, &tail, length).is_err());
            prop_assert!(check_whole(&head).is_err());
        }

        #[test]
        fn any_footer_length_is_answered(footer: u32, length in 12..u64::from(u32::MAX) * 2) {
            let tail = [&footer.to_le_bytes(), &MAGIC[..]].concat();
            prop_assert_eq!(check(MAGIC, &tail, length).is_ok(), u64::from(footer) + 12 <= length);
        }
    }
}
