//! Reading one version of an object, whole or a range of it.

use std::{ops::Range, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::StreamExt;
use object_store::{GetOptions, GetRange};

use super::super::{
    CopyContext, CopyRequest,
    source_file::SourceFile,
    version::is_wanted,
    wait::{blocking, within},
};
use crate::{
    error::{CopyError, CopySide},
    location::{Attributes, attributes_of},
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
    request: CopyRequest,
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
        Self { request: request.clone(), stall_timeout: context.stall_timeout, progress: Arc::clone(&context.progress) }
    }

    /// Reads a range, or everything. Another length, and another version unless the content tells, is [`CopyError::Changed`].
    pub(super) async fn read(&self, range: Option<Range<u64>>) -> Result<Piece, CopyError> {
        if self.request.from.directory().is_some() {
            return self.read_file(range.unwrap_or(0..self.request.source.size)).await;
        }
        let wanted = &self.request.source;
        let length = range.as_ref().map_or(wanted.size, |range| range.end - range.start);
        let options = GetOptions {
            if_match: wanted.version.e_tag.as_deref().map(ToOwned::to_owned),
            version: wanted.version.id.as_deref().map(ToOwned::to_owned),
            range: range.map(GetRange::Bounded),
            ..GetOptions::default()
        };
        let asked = self.request.from.ask(&wanted.key, options);
        let answer = within(CopySide::Source, patience(self.stall_timeout, 0), asked).await?;
        let answer = answer.map_err(|e| CopyError::from_source("get", e))?;
        if !is_wanted(wanted, &answer.meta) {
            return Err(CopyError::Changed);
        }
        let attributes = attributes_of(&answer.attributes);
        let mut body = answer.into_stream();
        let mut chunks = Vec::new();
        while let Some(chunk) = within(CopySide::Source, self.stall_timeout, body.next()).await? {
            let chunk = chunk.map_err(|e| CopyError::from_source("read", e))?;
            (self.progress)(chunk.len() as u64);
            chunks.push(chunk);
        }
        match chunks.iter().map(|chunk| chunk.len() as u64).sum::<u64>() {
            found if found == length => Ok(Piece { chunks, attributes }),
            found => {
                Err(CopyError::Corrupt { reason: format!("the store sent {found} bytes, {length} were requested") })
            }
        }
    }

    /// By one change of threads.
    async fn read_file(&self, range: Range<u64>) -> Result<Piece, CopyError> {
        let length = range.end - range.start;
        let patience = patience(self.stall_timeout, length);
        let request = self.request.clone();
        let read = blocking(move || SourceFile::range(&request, &range));
        let chunks = within(CopySide::Source, patience, read).await??;
        (self.progress)(length);
        Ok(Piece { chunks, attributes: Attributes::default() })
    }
}
