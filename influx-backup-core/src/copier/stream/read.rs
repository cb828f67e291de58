//! Reading one version of an object, whole or a range of it.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures::StreamExt;
use object_store::{GetOptions, GetRange, GetResultPayload};

use super::super::{
    CopyContext, CopyRequest,
    version::is_wanted,
    wait::{blocking, within},
};
use crate::{
    error::{CopyError, CopySide},
    location::{Attributes, Location, ObjectMeta, attributes_of},
};

/// The slowest transfer that counts as one: 64 KiB a second.
const SLOWEST: u64 = 64 << 10;

/// How long a store may take to answer a request with this many bytes, during which no progress shows.
pub(super) fn patience(stall_timeout: Duration, bytes: u64) -> Duration {
    stall_timeout.saturating_add(Duration::from_secs(bytes / SLOWEST))
}

/// The source of one copy.
#[derive(Clone)]
pub(super) struct Reader {
    from: Location,
    wanted: ObjectMeta,
    /// Its content is compared instead of its version.
    is_told_by_content: bool,
    stall_timeout: Duration,
    progress: Arc<dyn Fn(u64) + Send + Sync>,
}

/// Bytes as they were received, with the metadata of the object.
pub(super) struct Piece {
    pub(super) chunks: Vec<Bytes>,
    pub(super) attributes: Attributes,
}

impl Reader {
    pub(super) fn new(request: &CopyRequest, context: &CopyContext) -> Self {
        Self {
            from: request.from.clone(),
            wanted: request.source.clone(),
            is_told_by_content: request.is_told_by_content(),
            stall_timeout: context.stall_timeout,
            progress: Arc::clone(&context.progress),
        }
    }

    /// Reads a range, or everything. Another length, and another version unless the content tells, is [`CopyError::Changed`].
    pub(super) async fn read(&self, range: Option<Range<u64>>) -> Result<Piece, CopyError> {
        let length = range.as_ref().map_or(self.wanted.size, |range| range.end - range.start);
        let version = &self.wanted.version;
        let options = GetOptions {
            if_match: version.e_tag.as_deref().filter(|_| !self.is_told_by_content).map(ToOwned::to_owned),
            version: version.id.as_deref().map(ToOwned::to_owned),
            range: range.map(GetRange::Bounded),
            ..GetOptions::default()
        };
        let asked = self.from.ask(&self.wanted.key, options);
        let answer = within(CopySide::Source, patience(self.stall_timeout, 0), asked).await?;
        let answer = answer.map_err(|e| CopyError::from_source("get", e))?;
        let is_told_by_content = self.is_told_by_content && answer.meta.size == self.wanted.size;
        if !is_told_by_content && !is_wanted(&self.wanted, &answer.meta) {
            return Err(CopyError::Changed);
        }
        let attributes = attributes_of(&answer.attributes);
        let chunks = match answer.payload {
            GetResultPayload::File(file, _) => self.file(file, answer.range).await?,
            GetResultPayload::Stream(mut body) => {
                let mut chunks = Vec::new();
                while let Some(chunk) = within(CopySide::Source, self.stall_timeout, body.next()).await? {
                    let chunk = chunk.map_err(|e| CopyError::from_source("read", e))?;
                    (self.progress)(chunk.len() as u64);
                    chunks.push(chunk);
                }
                chunks
            }
        };
        match chunks.iter().map(|chunk| chunk.len() as u64).sum::<u64>() {
            found if found == length => Ok(Piece { chunks, attributes }),
            found => {
                Err(CopyError::Corrupt { reason: format!("the store sent {found} bytes, {length} were requested") })
            }
        }
    }

    /// A file may have been written while it was read. (It may be deleted: what was opened was read.)
    pub(super) async fn check_unchanged(&self) -> Result<(), CopyError> {
        if self.is_told_by_content || self.from.directory().is_none() {
            return Ok(());
        }
        match self.from.head(&self.wanted.key).await {
            Ok(Some(found)) if !found.is_same(&self.wanted) => Err(CopyError::Changed),
            _ => Ok(()),
        }
    }

    async fn file(&self, file: File, range: Range<u64>) -> Result<Vec<Bytes>, CopyError> {
        let bytes =
            blocking(move || read_range(file, &range).map_err(|e| CopyError::from_io(CopySide::Source, "read", e)))
                .await?;
        (self.progress)(bytes.len() as u64);
        Ok(vec![bytes])
    }
}

fn read_range(mut file: File, range: &Range<u64>) -> io::Result<Bytes> {
    let length = range.end - range.start;
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    file.seek(SeekFrom::Start(range.start))?;
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes.into())
}
