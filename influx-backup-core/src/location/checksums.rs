//! The checksums that stores give for objects, without reading them.

use serde::{Deserialize, Serialize};

use super::Provider;
use crate::checksum::{Blake3, Content, ContentHasher, Crc64, Ends};

/// The checksums that a store gives for an object, or that a store would give for some bytes. S3 gives CRC-64/NVME (AWS for
/// all objects, others for those written with `aws_checksum_algorithm=crc64nvme`), Google CRC-32C and for most MD5, Azure the
/// MD5 of what was put by one request. Files have none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoreChecksums {
    /// CRC-64/NVME.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc64: Option<Crc64>,
    /// CRC-32C, the highest byte first, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc32c: Option<String>,
    /// MD5 in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub md5: Option<String>,
}

/// What two sets of checksums say of the bytes behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChecksumMatch {
    /// Each that both have is the same.
    Equal,
    /// One that both have differs.
    Mismatch,
    /// They have none in common: nothing is known.
    NotComparable,
}

impl StoreChecksums {
    /// This CRC-64/NVME.
    #[must_use]
    pub fn of_crc64(crc64: Crc64) -> Self {
        Self { crc64: Some(crc64), ..Self::default() }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Those of both; where both have one, this one's.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self { crc64: self.crc64.or(other.crc64), crc32c: self.crc32c.or(other.crc32c), md5: self.md5.or(other.md5) }
    }

    /// This CRC-64/NVME, where there is one, and the others.
    pub(crate) fn with_crc64(crc64: Option<Crc64>, others: &Self) -> Self {
        Self { crc64, ..Self::default() }.merge(others.clone())
    }

    /// Those that a store of this provider has taken of the bytes itself. Azure's MD5 is a property of the object: it may be
    /// what somebody said of it.
    pub(crate) fn computed_by(self, provider: Provider) -> Self {
        Self { md5: self.md5.filter(|_| provider != Provider::Azure), ..self }
    }

    /// Compares those that both have.
    #[must_use]
    pub fn compare(&self, other: &Self) -> ChecksumMatch {
        fn both<T: PartialEq>(a: Option<&T>, b: Option<&T>) -> Option<bool> {
            Some(a? == b?)
        }
        let compared = [
            both(self.crc64.as_ref(), other.crc64.as_ref()),
            both(self.crc32c.as_ref(), other.crc32c.as_ref()),
            both(self.md5.as_ref(), other.md5.as_ref()),
        ];
        match compared.into_iter().flatten().reduce(|a, b| a && b) {
            Some(true) => ChecksumMatch::Equal,
            Some(false) => ChecksumMatch::Mismatch,
            None => ChecksumMatch::NotComparable,
        }
    }

    #[cfg(feature = "cloud")]
    pub(crate) fn of_headers(headers: &http::HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let google = |name: &str| {
            let values = headers.get_all("x-goog-hash").iter().filter_map(|value| value.to_str().ok());
            let mut hashes = values.flat_map(|value| value.split(','));
            hashes.find_map(|hash| hash.trim().strip_prefix(name)?.strip_prefix('=')).map(ToOwned::to_owned)
        };
        Self {
            crc64: text("x-amz-checksum-crc64nvme").and_then(Crc64::from_base64),
            crc32c: google("crc32c"),
            md5: google("md5").or_else(|| text("content-md5").map(ToOwned::to_owned)),
        }
    }

    /// Those in an answer of the object_store crate, by its extensions.
    #[cfg(feature = "cloud")]
    pub(crate) fn of_answer(extensions: &object_store::Extensions) -> Self {
        let answered = extensions.get::<super::cloud::Answered>();
        answered.map(|answered| Self::of_headers(&answered.0)).unwrap_or_default()
    }

    #[cfg(not(feature = "cloud"))]
    pub(crate) fn of_answer(_: &object_store::Extensions) -> Self {
        Self::default()
    }
}

/// How bytes are put: Azure has a checksum only of what comes by one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Put {
    /// By one request.
    Whole,
    /// By parts.
    Parts,
}

/// Takes the checksums that a store is going to give, piece by piece, besides CRC-64/NVME.
#[derive(Debug)]
pub(crate) struct StoreHasher {
    #[cfg(feature = "cloud")]
    crc32c: Option<crc_fast::Digest>,
    #[cfg(feature = "cloud")]
    md5: Option<md5::Md5>,
}

#[cfg(feature = "cloud")]
impl StoreHasher {
    pub(crate) fn new(target: Provider, put: Put) -> Self {
        Self::of(target == Provider::Gcs, target == Provider::Azure && put == Put::Whole)
    }

    /// Takes those that `known` has.
    fn like(known: &StoreChecksums) -> Self {
        Self::of(known.crc32c.is_some(), known.md5.is_some())
    }

    fn of(crc32c: bool, md5: bool) -> Self {
        Self {
            crc32c: crc32c.then(|| crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi)),
            md5: md5.then(<md5::Md5 as md5::Digest>::new),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        if let Some(crc32c) = &mut self.crc32c {
            crc32c.update(bytes);
        }
        if let Some(md5) = &mut self.md5 {
            md5::Digest::update(md5, bytes);
        }
    }

    pub(crate) fn finish(self, crc64: Crc64) -> StoreChecksums {
        use base64::{Engine, prelude::BASE64_STANDARD};
        StoreChecksums {
            crc64: Some(crc64),
            // A 32-bit checksum fills the lower half.
            crc32c: self.crc32c.map(|digest| BASE64_STANDARD.encode(&digest.finalize().to_be_bytes()[4..])),
            md5: self.md5.map(|digest| BASE64_STANDARD.encode(md5::Digest::finalize(digest))),
        }
    }
}

#[cfg(not(feature = "cloud"))]
impl StoreHasher {
    pub(crate) const fn new(_: Provider, _: Put) -> Self {
        Self {}
    }

    const fn like(_: &StoreChecksums) -> Self {
        Self {}
    }

    pub(crate) const fn update(&mut self, _: &[u8]) {}

    pub(crate) fn finish(self, crc64: Crc64) -> StoreChecksums {
        StoreChecksums::of_crc64(crc64)
    }
}

/// Compares checksums that are known with bytes, piece by piece.
#[derive(Debug)]
pub(crate) struct Comparison<'a> {
    known: &'a StoreChecksums,
    blake3: Option<Blake3>,
    content: ContentHasher,
    others: StoreHasher,
}

impl<'a> Comparison<'a> {
    pub(crate) fn with(known: &'a StoreChecksums) -> Self {
        // The quickest one is enough.
        let others = if known.crc64.is_some() {
            StoreHasher::like(&StoreChecksums::default())
        } else {
            StoreHasher::like(known)
        };
        Self { known, blake3: None, content: ContentHasher::new(), others }
    }

    /// The digest as well, where it is known.
    pub(crate) fn and(mut self, blake3: Option<Blake3>) -> Self {
        self.blake3 = blake3;
        if blake3.is_some() {
            self.content = self.content.with_blake3();
        }
        self
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.content.update(bytes);
        self.others.update(bytes);
    }

    /// What it has shown, and how the bytes begin and end.
    pub(crate) fn finish(self) -> (ChecksumMatch, Option<Ends>) {
        let Content { crc64, blake3, ends } = self.content.finish();
        let compared = match self.known.compare(&self.others.finish(crc64)) {
            _ if blake3 != self.blake3 => ChecksumMatch::Mismatch,
            ChecksumMatch::NotComparable if blake3.is_some() => ChecksumMatch::Equal,
            compared => compared,
        };
        (compared, ends)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(known: &StoreChecksums, bytes: &[u8]) -> ChecksumMatch {
        let mut comparison = Comparison::with(known);
        bytes.chunks(4).for_each(|piece| comparison.update(piece));
        comparison.finish().0
    }

    #[test]
    fn they_decide_only_where_both_have_one() {
        let of =
            |crc64, crc32c: Option<&str>| StoreChecksums { crc64, crc32c: crc32c.map(ToOwned::to_owned), md5: None };
        let one = Some(Crc64(1));
        let two = Some(Crc64(2));
        assert_eq!(of(one, None).compare(&of(one, Some("x"))), ChecksumMatch::Equal);
        assert_eq!(of(one, None).compare(&of(two, None)), ChecksumMatch::Mismatch);
        assert_eq!(of(one, Some("x")).compare(&of(one, Some("y"))), ChecksumMatch::Mismatch);
        assert_eq!(of(one, None).compare(&of(None, Some("y"))), ChecksumMatch::NotComparable);
    }

    #[test]
    fn bytes_are_held_against_what_is_known() {
        let crc64 = StoreChecksums::of_crc64(Crc64::of(b"123456789"));
        assert_eq!(compare(&crc64, b"123456789"), ChecksumMatch::Equal);
        assert_eq!(compare(&crc64, b"123456780"), ChecksumMatch::Mismatch);
        assert_eq!(compare(&StoreChecksums::default(), b"x"), ChecksumMatch::NotComparable);
        let text = |text: &str| Some(text.to_owned());
        for known in [
            StoreChecksums { crc32c: text("4waSgw=="), ..StoreChecksums::default() },
            StoreChecksums { md5: text("JfnnlDI7RTiF9RgfG2JNCw=="), ..StoreChecksums::default() },
        ] {
            let clouds = cfg!(feature = "cloud");
            let (same, different) = if clouds {
                (ChecksumMatch::Equal, ChecksumMatch::Mismatch)
            } else {
                (ChecksumMatch::NotComparable, ChecksumMatch::NotComparable)
            };
            assert_eq!((compare(&known, b"123456789"), compare(&known, b"123456780")), (same, different));
        }
    }

    #[cfg(feature = "cloud")]
    #[test]
    fn they_are_read_off_the_headers() {
        let mut headers = http::HeaderMap::new();
        headers.insert("x-amz-checksum-crc64nvme", "rosUhgp5mIg=".parse().expect("a value"));
        headers.append("x-goog-hash", "crc32c=4waSgw==".parse().expect("a value"));
        headers.append("x-goog-hash", "md5=JfnnlDI7RTiF9RgfG2JNCw==".parse().expect("a value"));
        let found = StoreChecksums::of_headers(&headers);
        assert_eq!(found.crc64, Some(Crc64::of(b"123456789")));
        // The checksum computed here of the same bytes.
        for provider in [Provider::Gcs, Provider::Azure] {
            let mut hasher = StoreHasher::new(provider, Put::Whole);
            hasher.update(b"12345");
            hasher.update(b"6789");
            let made = hasher.finish(Crc64::of(b"123456789"));
            assert_eq!(made.compare(&found), ChecksumMatch::Equal, "{made:?}");
            assert!(made.crc32c.is_some() || made.md5.is_some());
        }
    }
}
