//! [`ServerSideCopier`].

mod answer;
#[cfg(feature = "azure")]
mod azure;
#[cfg(feature = "gcp")]
mod gcs;
mod refusals;
#[cfg(feature = "aws")]
mod s3;

use std::ops::Range;

use async_trait::async_trait;
use chrono::Utc;
#[cfg(feature = "azure")]
use http::HeaderMap;
use object_store::GetOptions;

use self::{
    answer::{CopyRefusal, Failure},
    refusals::Refusals,
};
use super::{
    Copied, Copier, CopyContext, CopyRequest, SaidBy,
    version::{disambiguate_missing, is_wanted, unquoted},
    wait::{unless_cancelled, within},
};
use crate::{
    certificate::CheckedBy,
    copier::Transfer,
    error::{CopyError, CopySide},
    key::Key,
    location::{
        Attributes, ChecksumMatch, Pin, StoreChecksums, Version, attributes_of,
        cloud::{Handle, encoded},
    },
    units::ByteSize,
};

/// What reports call this copier.
const NAME: &str = "server-side";

/// The most parts that S3 takes.
const MOST_PARTS: u64 = 10_000;

/// Lets the store itself copy, within S3 (and compatible stores), Azure or Google Cloud Storage: no byte passes through this
/// machine, so it takes no bandwidth and no memory.
///
/// The source's version is pinned. Content type, the user's metadata and, on S3, tags are kept by the store; the storage class is
/// the target bucket's default. On S3 a copy is one request where the listing has entity tags: what metadata the source has is not
/// asked for then. Two providers, and copies that have to be [read](Transfer::ReadThrough), are
/// [`CopyError::Unsupported`]. Where the permissions do not allow the copy, or the store does not have the request, it is
/// [`CopyError::Refused`]; a store that refused three objects in a row, or that lacks the request, is not asked again.
///
/// A copy is [checked by](Copied::checked_by) the checksum that the store reports for both, where it computed the one of the
/// copy itself (S3, Google); else by the entity tag that it was pinned to.
#[derive(Debug, Clone)]
pub struct ServerSideCopier {
    threshold: u64,
    part: u64,
    parallel: usize,
    refusals: Refusals,
}

impl Default for ServerSideCopier {
    fn default() -> Self {
        // S3 copies 5 GiB in one request, Azure 5,000 MiB, and 100 MiB in one block.
        Self { threshold: 4 << 30, part: 100 << 20, parallel: 4, refusals: Refusals::default() }
    }
}

impl ServerSideCopier {
    /// Copies objects above this size by parts (default 4 GiB; S3 takes 5 GiB at most in one request).
    #[must_use]
    pub fn with_threshold(mut self, threshold: ByteSize) -> Self {
        self.threshold = threshold.0;
        self
    }

    /// The least size of a part (default 100 MiB; S3 wants 5 MiB at least). It grows with the object, as S3 takes 10,000
    /// parts at most.
    #[must_use]
    pub fn with_part_size(mut self, part: ByteSize) -> Self {
        self.part = if part.0 == 0 { 1 } else { part.0 };
        self
    }

    /// Copies this many parts of one object at once (default 4).
    #[must_use]
    pub fn with_parallel_parts(mut self, parallel: usize) -> Self {
        self.parallel = if parallel == 0 { 1 } else { parallel };
        self
    }

    /// First byte and byte after the last of each part.
    fn parts(&self, size: u64) -> Vec<Range<u64>> {
        let part = self.part.max(size.div_ceil(MOST_PARTS));
        (0..size.div_ceil(part)).map(|number| number * part..size.min((number + 1) * part)).collect()
    }

    /// Whether the store needs one request for this copy, and nothing has to be known of its source before: S3 takes the entity tag
    /// of a listing, and its answer shows what it has copied. (Google wants a generation, which listings lack; of what Azure has
    /// copied, only the source's checksum can be compared.)
    fn is_one_request(&self, from: &Handle, request: &CopyRequest) -> bool {
        let has_it = match from {
            #[cfg(feature = "aws")]
            Handle::S3(_) => true,
            #[allow(unreachable_patterns, reason = "there may be no other provider")]
            _ => false,
        };
        let needs_nothing = request.attributes.is_none() && request.expect.crc64.is_none();
        has_it && needs_nothing && request.source.size <= self.threshold
    }

    /// Remembers that a store refused to copy an object.
    fn remember(&self, refusal: CopyRefusal, what: &str, object: &Key) {
        match refusal {
            CopyRefusal::Object => {}
            CopyRefusal::Unclear => self.refusals.refuse_object(what, object),
            CopyRefusal::Always => self.refusals.refuse(what),
        }
    }
}

#[async_trait]
impl Copier for ServerSideCopier {
    async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
        let (Some(from), Some(to)) = (request.from.handle(), request.to.handle()) else {
            return Err(CopyError::Unsupported);
        };
        let pair = format!("{:?} {:?}", request.from.identity(), request.to.identity());
        if request.transfer != Transfer::Any || !request.transform.is_none() || !are_one_service(from, to) {
            return Err(CopyError::Unsupported);
        }
        if self.refusals.is_refused(&pair) {
            return Err(CopyError::Refused { copier: NAME.into() });
        }
        let source = match Source::listed(request).filter(|_| self.is_one_request(from, request)) {
            Some(listed) => Ok(listed),
            None => Source::look(request, context).await,
        };
        let source = match source {
            Ok(source) => source,
            Err(error) => return Err(disambiguate_missing(&request.from, &request.source, error).await),
        };
        // The store copies what the object has.
        let wanted = request.attributes_for_target(&source.attributes);
        if wanted.iter().any(|(name, value)| source.attributes.get(name) != Some(value)) {
            return Err(CopyError::Unsupported);
        }
        let job = Job { copier: self, request, context, source: &source };
        let copied = match (from, to) {
            #[cfg(feature = "aws")]
            (Handle::S3(from), Handle::S3(to)) => s3::copy(&job, from, to).await,
            #[cfg(feature = "azure")]
            (Handle::Azure(from), Handle::Azure(to)) => azure::copy(&job, from, to).await,
            #[cfg(feature = "gcp")]
            (Handle::Gcs(from), Handle::Gcs(to)) => gcs::copy(&job, from, to).await,
            #[allow(unreachable_patterns, reason = "with one provider there are no other pairs")]
            _ => Err(Failure::Copy(CopyError::Unsupported)),
        };
        match copied {
            Ok(made) => {
                self.refusals.allow(&pair);
                source.behind(&made, request, context).await?.copied(request, made)
            }
            Err(Failure::Copy(error)) => Err(disambiguate_missing(&request.from, &request.source, error).await),
            Err(Failure::Refused(refusal)) => {
                self.remember(refusal, &pair, &request.source.key);
                Err(CopyError::Refused { copier: NAME.into() })
            }
        }
    }
}

/// Whether one service has both, so that it can copy from one to the other.
fn are_one_service(from: &Handle, to: &Handle) -> bool {
    match (from, to) {
        #[cfg(feature = "aws")]
        (Handle::S3(from), Handle::S3(to)) => s3::are_one_service(from, to),
        #[cfg(feature = "azure")]
        (Handle::Azure(from), Handle::Azure(to)) => azure::are_one_service(from, to),
        #[cfg(feature = "gcp")]
        (Handle::Gcs(from), Handle::Gcs(to)) => from.base == to.base,
        #[allow(unreachable_patterns, reason = "with one provider there are no other pairs")]
        _ => false,
    }
}

/// One copy, with all that it needs.
struct Job<'a> {
    copier: &'a ServerSideCopier,
    request: &'a CopyRequest,
    context: &'a CopyContext,
    source: &'a Source,
}

impl Job<'_> {
    fn size(&self) -> u64 {
        self.request.source.size
    }

    /// The source's entity tag, which it is pinned to.
    fn e_tag(&self) -> &str {
        &self.source.e_tag
    }

    fn moved(&self, bytes: u64) {
        (self.context.progress)(bytes);
    }
}

/// What a store says of a copy that it has made.
#[derive(Debug, Default)]
struct Made {
    checksums: StoreChecksums,
    /// Its version, where the answer names one.
    version: Option<Version>,
}

impl Made {
    fn new(checksums: StoreChecksums, e_tag: Option<&str>, id: Option<&str>) -> Self {
        let version = |e_tag: &str| Version { e_tag: Some(e_tag.into()), id: id.map(Into::into), modified: Utc::now() };
        Self { checksums, version: e_tag.map(version) }
    }

    #[cfg(feature = "azure")]
    fn of_headers(checksums: StoreChecksums, headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        Self::new(checksums, text("etag"), text("x-ms-version-id"))
    }
}

/// The source, in the version that is wanted.
#[derive(Clone)]
struct Source {
    e_tag: String,
    /// The version's id (S3, in versioned buckets) or generation (Google).
    version: Option<String>,
    attributes: Attributes,
    checksums: StoreChecksums,
    seen: Seen,
}

/// How a source was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// By its listing.
    Listed,
    /// By a request for it.
    Asked,
}

impl Source {
    /// As its listing shows it, where that has an entity tag to pin it to.
    fn listed(request: &CopyRequest) -> Option<Self> {
        let version = &request.source.version;
        Some(Self {
            e_tag: version.e_tag.as_deref()?.to_owned(),
            version: version.id.as_deref().map(ToOwned::to_owned),
            attributes: Attributes::new(),
            checksums: StoreChecksums::default(),
            seen: Seen::Listed,
        })
    }

    /// As its store describes it.
    async fn look(request: &CopyRequest, context: &CopyContext) -> Result<Self, CopyError> {
        let wanted = &request.source;
        let options = GetOptions {
            if_match: wanted.version.e_tag.as_deref().map(ToOwned::to_owned),
            version: wanted.version.id.as_deref().map(ToOwned::to_owned),
            head: true,
            ..GetOptions::default()
        };
        let path = request.from.path(&wanted.key);
        let head = within(CopySide::Source, context.stall_timeout, request.from.store().get_opts(&path, options));
        let head = unless_cancelled(&context.cancellation, head).await??;
        let head = head.map_err(|error| CopyError::from_source("head", error))?;
        if !is_wanted(wanted, &head.meta) {
            return Err(CopyError::Changed);
        }
        let checksums = StoreChecksums::of_answer(&head.extensions);
        request.check_content(wanted.size, checksums.crc64)?;
        Ok(Self {
            checksums,
            // Nothing to pin it to.
            e_tag: head.meta.e_tag.ok_or(CopyError::Unsupported)?,
            version: head.meta.version,
            attributes: attributes_of(&head.attributes),
            seen: Seen::Asked,
        })
    }

    /// The source that this copy was made of. What its listing showed holds where the copy has the same entity tag, an MD5 of both
    /// where the store has a checksum of the copy. Else a look shows whether it is still the version that is wanted: some stores do
    /// not heed the condition. Where nothing pins the copy, the look has to show what the first one showed.
    async fn behind(self, made: &Made, request: &CopyRequest, context: &CopyContext) -> Result<Self, CopyError> {
        match self.seen {
            Seen::Listed => {
                let tag = |version: &Version| version.e_tag.as_deref().map(|tag| unquoted(tag).to_owned());
                let is_same = made.version.as_ref().and_then(tag).as_deref() == Some(unquoted(&self.e_tag));
                // Services beside AWS have checksums where they are asked to, and few say them of a copy.
                let has_none =
                    made.checksums.is_empty() && request.from.options().get("aws_checksum_algorithm").is_none();
                if is_same && (has_none || is_md5(unquoted(&self.e_tag)) && !made.checksums.is_empty()) {
                    return Ok(Self { checksums: made.checksums.clone(), ..self });
                }
                Self::look(request, context).await
            }
            Seen::Asked if request.from.pin() != Pin::Nothing => Ok(self),
            Seen::Asked if Self::look(request, context).await?.e_tag == self.e_tag => Ok(self),
            Seen::Asked => Err(CopyError::Changed),
        }
    }

    fn copied(&self, request: &CopyRequest, made: Made) -> Result<Copied, CopyError> {
        let mut copied = Copied::unverified(request.source.size, NAME);
        copied.attributes = self.attributes.clone();
        copied.stored.checksums = self.checksums.clone();
        copied.checked_by = match self.checksums.compare(&made.checksums) {
            ChecksumMatch::Equal => CheckedBy::StoreChecksum,
            ChecksumMatch::Mismatch => {
                return Err(CopyError::Corrupt {
                    reason: "the store reports another checksum for the copy".to_owned(),
                });
            }
            ChecksumMatch::NotComparable => {
                copied.stored.checksums = copied.stored.checksums.computed_by(request.from.provider());
                CheckedBy::Etag
            }
        };
        if copied.checked_by == CheckedBy::StoreChecksum {
            copied.content.crc64 = self.checksums.crc64;
        }
        // Where the answer has no checksum, or not the one that is wanted, the store may give it when it is asked for the copy: MinIO
        // does. Without it nothing in the manifest could tell other bytes.
        let said = &made.checksums;
        let has_checksum = if request.expect.crc64.is_some() { said.crc64.is_some() } else { !said.is_empty() };
        if made.version.is_some() && has_checksum {
            copied.said_by = SaidBy::Store;
        }
        copied.stored.version = made.version;
        Ok(copied)
    }
}

/// The checksums that a store reports for the target.
async fn checksums(request: &CopyRequest, context: &CopyContext) -> Result<StoreChecksums, CopyError> {
    let options = GetOptions { head: true, ..GetOptions::default() };
    let path = request.to.path(&request.target);
    let head = within(CopySide::Target, context.stall_timeout, request.to.store().get_opts(&path, options));
    let head = unless_cancelled(&context.cancellation, head).await??;
    let head = head.map_err(|error| CopyError::from_target("head", error))?;
    Ok(StoreChecksums::of_answer(&head.extensions))
}

/// Whether an entity tag has the form of an MD5.
fn is_md5(e_tag: &str) -> bool {
    e_tag.len() == 32 && e_tag.bytes().all(|digit| digit.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_the_object_once() {
        let copier = ServerSideCopier::default().with_part_size(ByteSize(10));
        assert_eq!(copier.parts(25), [0..10, 10..20, 20..25]);
        assert_eq!(copier.parts(0), []);
        let huge = ServerSideCopier::default().parts(5 << 40);
        assert!(huge.len() <= 10_000 && huge.last().is_some_and(|last| last.end == 5 << 40));
    }

    #[test]
    fn keys_are_encoded_once() {
        assert_eq!(encoded("a b/ü%25?#+~"), "a%20b/%C3%BC%2525%3F%23%2B~");
    }
}
