//! [`StreamCopier`].

mod read;
mod upload;

use std::ops::Range;

use async_trait::async_trait;
use chrono::Utc;
use futures::{Stream, StreamExt, stream};
use object_store::{Extensions, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult};
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

use self::{
    read::{Piece, Reader, patience},
    upload::Upload,
};
use super::{
    Copied, Copier, CopyContext, CopyRequest, Keep, SaidBy,
    version::disambiguate_missing,
    wait::{lost, unless_cancelled, within},
};
use crate::{
    checksum::{Content, ContentHasher},
    concurrent,
    error::{CopyError, CopySide},
    limits::MemoryPermit,
    location::{Attributes, ChecksumMatch, Dated, Put, StoreChecksums, StoreHasher, Version, attributes_from},
    units::ByteSize,
};

/// The most parts that S3 and others take.
const MOST_PARTS: u64 = 10_000;

/// Copies between any two locations, through this process: every byte is read and hashed.
///
/// Small objects are written by one request, large ones by parts that are read and written in parallel. Bytes are held only
/// as far as [`CopyContext::memory`] allows, in ranges so short that no connection has to wait.
#[derive(Debug, Clone)]
pub struct StreamCopier {
    threshold: u64,
    part: u64,
    parallel: usize,
}

impl Default for StreamCopier {
    fn default() -> Self {
        Self { threshold: 8 << 20, part: 8 << 20, parallel: 4 }
    }
}

impl StreamCopier {
    /// Copies objects above this size by parts (default 8 MiB).
    #[must_use]
    pub fn with_threshold(mut self, threshold: ByteSize) -> Self {
        self.threshold = threshold.0;
        self
    }

    /// The least size of a part (default 8 MiB; S3 wants 5 MiB at least). It grows with the object, as stores take
    /// 10,000 parts at most.
    #[must_use]
    pub fn with_part_size(mut self, part: ByteSize) -> Self {
        self.part = if part.0 == 0 { 1 } else { part.0 };
        self
    }

    /// Reads, and writes, this many parts of one object at once (default 4).
    #[must_use]
    pub fn with_parallel_parts(mut self, parallel: usize) -> Self {
        self.parallel = if parallel == 0 { 1 } else { parallel };
        self
    }
}

#[async_trait]
impl Copier for StreamCopier {
    async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
        if !request.transform.is_none() {
            return Err(CopyError::Unsupported);
        }
        let reader = Reader::new(request, context);
        let copied = if request.source.size <= self.threshold {
            unless_cancelled(&context.cancellation, whole(&reader, request, context)).await.and_then(|copied| copied)
        } else {
            self.by_parts(&reader, request, context).await
        };
        match copied {
            Ok(copied) => Ok(copied),
            Err(error) => Err(disambiguate_missing(&request.from, &request.source, error).await),
        }
    }
}

async fn whole(reader: &Reader, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
    let size = request.source.size;
    let _held = context.memory.take(size).await;
    context.bandwidth.take(size).await;
    let piece = reader.read(None).await?;
    let mut hasher = Hasher::new(request, context, Put::Whole);
    piece.chunks.iter().for_each(|chunk| hasher.update(chunk));
    let hashes = hasher.finish();
    request.check_read(size, &hashes.0)?;
    let attributes = attributes_from(&request.attributes_for_target(&piece.attributes));
    let extensions = extensions(request);
    let options = PutOptions { mode: PutMode::Overwrite, attributes, extensions, ..PutOptions::default() };
    let payload: PutPayload = piece.chunks.into_iter().collect();
    let kept = (request.keep == Keep::Bytes).then(|| payload.clone().into());
    let path = request.to.store_path(&request.target).map_err(|e| CopyError::from_target("put", e))?;
    let sent = request.send()?;
    let put = request.to.store().put_opts(&path, payload, options);
    let put = within(CopySide::Target, patience(context.stall_timeout, size), put).await?;
    sent.end(&put);
    let put = put.map_err(|e| CopyError::from_target("put", e))?;
    let copied = finish(request, Put::Whole, hashes, piece.attributes, put)?;
    Ok(Copied { bytes: kept, ..copied })
}

/// A part that was read, with the permit to hold it.
type HeldPart = Result<(Piece, MemoryPermit), CopyError>;

impl StreamCopier {
    async fn by_parts(
        &self,
        reader: &Reader,
        request: &CopyRequest,
        context: &CopyContext,
    ) -> Result<Copied, CopyError> {
        let mut parts = Box::pin(self.read_ahead(reader, request.source.size, context));
        let first = unless_cancelled(&context.cancellation, parts.next()).await?.unwrap_or(Err(CopyError::Changed))?;
        let attributes = first.0.attributes.clone();
        let given = attributes_from(&request.attributes_for_target(&attributes));
        let extensions = extensions(request);
        let options = PutMultipartOptions { attributes: given, extensions, ..PutMultipartOptions::default() };
        let patience = patience(context.stall_timeout, 0);
        let begin = Upload::begin(request.clone(), options, patience, context.clean_ups.clone());
        let begun = context.clean_ups.begin(begin);
        let mut upload = unless_cancelled(&context.cancellation, begun).await???;

        let all = stream::iter([Ok(first)]).chain(parts);
        let sent = async {
            let sums = self.send(all, Hasher::new(request, context, Put::Parts), &mut upload, context).await?;
            request.check_read(request.source.size, &sums.0)?;
            Ok(sums)
        };
        match unless_cancelled(&context.cancellation, sent).await.and_then(|sent| sent) {
            Ok(sums) => {
                // A store may take minutes to put thousands of parts together.
                let completed = upload.complete(context.stall_timeout.saturating_mul(10));
                let put = unless_cancelled(&context.cancellation, completed).await??;
                finish(request, Put::Parts, sums, attributes, put)
            }
            Err(error) => {
                upload.abort().await;
                Err(error)
            }
        }
    }

    /// Reads parts in parallel and yields them in order. Memory is taken in order too, before a part is begun: the part that is
    /// needed next is never the one that waits, so copies cannot block each other.
    fn read_ahead(&self, reader: &Reader, size: u64, context: &CopyContext) -> impl Stream<Item = HeldPart> + use<> {
        let memory = context.memory.clone();
        let bandwidth = context.bandwidth.clone();
        let reader = reader.clone();
        let allowed = move |range: Range<u64>| {
            let memory = memory.clone();
            async move {
                let held = memory.take(range.end - range.start).await;
                (range, held)
            }
        };
        let read = move |(range, held): (Range<u64>, MemoryPermit)| {
            let bandwidth = bandwidth.clone();
            let reader = reader.clone();
            AbortOnDropHandle::new(concurrent::spawn(async move {
                bandwidth.take(range.end - range.start).await;
                Ok((reader.read(Some(range)).await?, held))
            }))
        };
        let parts = stream::iter(ranges(size, part_size(size, self.part))).then(allowed).map(read);
        parts.buffered(self.parallel).map(|read| read.unwrap_or_else(|error| Err(lost(error))))
    }

    /// Writes parts in parallel, and hashes them in order.
    async fn send(
        &self,
        parts: impl Stream<Item = HeldPart> + Send,
        mut hasher: Hasher,
        upload: &mut Upload,
        context: &CopyContext,
    ) -> Result<(Content, StoreChecksums), CopyError> {
        let mut parts = Box::pin(parts);
        let mut sending = JoinSet::new();
        while let Some(part) = parts.next().await {
            let (piece, held) = part?;
            let length = piece.chunks.iter().map(|chunk| chunk.len() as u64).sum();
            piece.chunks.iter().for_each(|chunk| hasher.update(chunk));
            let put = upload.part(piece.chunks.into_iter().collect())?;
            let patience = patience(context.stall_timeout, length);
            sending.spawn(concurrent::traced(async move {
                let _held = held;
                within(CopySide::Target, patience, put).await?.map_err(|e| CopyError::from_upload("put part", e))
            }));
            while sending.len() >= self.parallel
                && let Some(sent) = sending.join_next().await
            {
                sent.map_err(lost)??;
            }
        }
        while let Some(sent) = sending.join_next().await {
            sent.map_err(lost)??;
        }
        Ok(hasher.finish())
    }
}

/// Computes the checksum of the content, and the one that the target's store will report.
struct Hasher(ContentHasher, StoreHasher);

impl Hasher {
    fn new(request: &CopyRequest, context: &CopyContext, put: Put) -> Self {
        Self(request.hasher(context), StoreHasher::new(request.to.provider(), put))
    }

    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
        self.1.update(bytes);
    }

    fn finish(self) -> (Content, StoreChecksums) {
        let content = self.0.finish();
        (content, self.1.finish(content.crc64))
    }
}

/// Parts of one size, `least` or more, so that there are not too many.
fn part_size(size: u64, least: u64) -> u64 {
    least.max(size.div_ceil(MOST_PARTS))
}

fn ranges(size: u64, part: u64) -> impl Iterator<Item = Range<u64>> {
    (0..size.div_ceil(part)).map(move |number| number * part..size.min((number + 1) * part))
}

/// What a request to write the copy carries: how files are made there, and the time that one gets.
fn extensions(request: &CopyRequest) -> Extensions {
    let mut extensions = request.to.extensions();
    if request.to.directory().is_some() {
        extensions.insert(Dated(request.source.version.modified.into()));
    }
    extensions
}

/// What the answer to the write says, of a file what the file system says. Where it has no entity tag, or where it has no checksum of what was put together of
/// parts, the executor asks the store.
fn finish(
    request: &CopyRequest,
    written: Put,
    (content, checksums): (Content, StoreChecksums),
    attributes: Attributes,
    put: PutResult,
) -> Result<Copied, CopyError> {
    let mut copied = Copied::read_through(request.source.size, content, "stream");
    copied.attributes = attributes;
    if let Some(found) = put.extensions.get() {
        let found = request.to.file(&request.target, found);
        if found.size != request.source.size {
            return Err(CopyError::Corrupt { reason: format!("the file has {} bytes", found.size) });
        }
        copied.stored.checksums = checksums;
        copied.stored.version = Some(found.version);
        copied.said_by = SaidBy::Store;
        return Ok(copied);
    }
    let answered = StoreChecksums::of_answer(&put.extensions);
    if checksums.compare(&answered) == ChecksumMatch::Mismatch {
        return Err(CopyError::Corrupt { reason: "the target's store has another checksum".to_owned() });
    }
    if put.e_tag.is_some() && (written == Put::Whole || !answered.is_empty()) {
        copied.said_by = SaidBy::Store;
    }
    copied.stored.checksums = checksums.merge(answered.computed_by(request.to.provider()));
    copied.stored.version =
        Some(Version { e_tag: put.e_tag.map(Into::into), id: put.version.map(Into::into), modified: Utc::now() });
    Ok(copied)
}

#[cfg(test)]
mod tests;
