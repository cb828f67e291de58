//! [`LocalCopier`].

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

use async_trait::async_trait;

use super::{
    Copied, Copier, CopyContext, CopyRequest, Keep, SaidBy,
    source_file::{SourceFile, read_block},
    wait::{blocking, unless_cancelled},
};
use crate::{
    checksum::ContentHasher,
    error::{CopyError, CopySide, StoreErrorKind},
    location::{Staged, close},
    units::ByteSize,
};

/// Copies files to files: shares their blocks where the file system can (reflink), else block by block. It never makes a hard
/// link. Every byte is read and hashed either way, which costs nothing measurable.
///
/// The bytes are written to `name#<digits>` beside the target, which is renamed when it is complete.
#[derive(Debug, Clone)]
pub struct LocalCopier {
    block: u64,
}

impl Default for LocalCopier {
    fn default() -> Self {
        Self { block: 1 << 20 }
    }
}

impl LocalCopier {
    /// Copies this many bytes at a time (default 1 MiB).
    #[must_use]
    pub fn with_block(mut self, block: ByteSize) -> Self {
        self.block = if block.0 == 0 { 1 } else { block.0 };
        self
    }
}

#[async_trait]
impl Copier for LocalCopier {
    async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
        let (Some(_), Some(to)) = (request.from.directory(), request.to.file_path(request.target.as_str())) else {
            return Err(CopyError::Unsupported);
        };
        if !request.transform.is_none() {
            return Err(CopyError::Unsupported);
        }
        let piece = |left: u64| left.min(self.block);
        let allow = |bytes| unless_cancelled(&context.cancellation, context.bandwidth.take(bytes));

        let first = piece(request.source.size);
        let _held = unless_cancelled(&context.cancellation, context.memory.take(first)).await?;
        allow(first).await?;
        let request = request.clone();
        let hasher = request.hasher(context);
        // Each step is one trip to a blocking thread, a small file a single one. Between two steps the copy is a value
        // of this future: dropping it removes the staging file.
        let mut step = blocking(move || Copying::begin(&to, request, hasher, first)?.advance(first)).await?;
        let mut moved = first;
        loop {
            (context.progress)(moved);
            match step {
                Step::Done(copied) => return Ok(*copied),
                Step::More(copying) => {
                    moved = piece(copying.left);
                    allow(moved).await?;
                    step = blocking(move || copying.advance(moved)).await?;
                }
            }
        }
    }
}

enum Step {
    More(Box<Copying>),
    Done(Box<Copied>),
}

/// A copy under way.
struct Copying {
    source: SourceFile,
    request: CopyRequest,
    staged: Staged,
    target: File,
    /// Which file is read: a clone is read back, as the target will hold it.
    reads: Reads,
    hasher: ContentHasher,
    left: u64,
    buffer: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Reads {
    Source,
    Clone,
}

impl Copying {
    fn begin(to: &Path, request: CopyRequest, hasher: ContentHasher, block: u64) -> Result<Box<Self>, CopyError> {
        let wanted = &request.source;
        let source = SourceFile::open(&request)?;
        let made = request.to.made();
        let (staged, target) = Staged::create(to, made, |_| Ok(())).map_err(|e| target_error("create", e))?;
        let reads =
            if wanted.size > 0 && clone_blocks(source.as_file(), &target) { Reads::Clone } else { Reads::Source };
        let buffer = vec![0; usize::try_from(block).unwrap_or(usize::MAX)];
        let left = wanted.size;
        Ok(Box::new(Self { source, request, staged, target, reads, hasher, left, buffer }))
    }

    /// Moves the next piece, not longer than the first one; the last piece finishes the copy.
    fn advance(mut self: Box<Self>, piece: u64) -> Result<Step, CopyError> {
        let length = usize::try_from(piece).unwrap_or(usize::MAX).min(self.buffer.len());
        let block = &mut self.buffer[..length];
        match self.reads {
            Reads::Source => {
                self.source.read(block)?;
                self.target.write_all(block).map_err(|e| target_error("write", e))?;
            }
            Reads::Clone => read_block(&mut self.target, block)?,
        }
        self.hasher.update(block);
        self.left -= length as u64;
        if self.left > 0 { Ok(Step::More(self)) } else { self.finish().map(|copied| Step::Done(Box::new(copied))) }
    }

    fn finish(self) -> Result<Copied, CopyError> {
        let Self { source, request, mut staged, target, hasher, buffer, .. } = self;
        let wanted = &request.source;
        source.check(&request)?;
        let content = hasher.finish();
        request.check_read(wanted.size, &content)?;
        let finish = || {
            request.to.set_modified(&target, wanted.version.modified.into())?;
            // Some network file systems tell only then that they have no room.
            close(target)?;
            staged.look()
        };
        let found = finish().map_err(|e| target_error("finish target", e))?;
        if found.size != wanted.size {
            return Err(CopyError::Corrupt { reason: format!("the file has {} bytes", found.size) });
        }
        request.check_lease()?;
        staged.replace().map_err(|e| target_error("finish target", e))?;
        let mut copied = Copied::read_through(wanted.size, content, "local");
        copied.stored.version = Some(request.to.file(&wanted.key, &found).version);
        copied.said_by = SaidBy::Store;
        if request.keep == Keep::Bytes && buffer.len() as u64 == wanted.size {
            copied.bytes = Some(buffer.into());
        }
        Ok(copied)
    }
}

#[cfg(target_os = "linux")]
fn clone_blocks(source: &File, target: &File) -> bool {
    rustix::fs::ioctl_ficlone(target, source).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn clone_blocks(_source: &File, _target: &File) -> bool {
    false
}

fn target_error(operation: &'static str, error: io::Error) -> CopyError {
    match error.kind() {
        // A file where a directory is needed, or the other way round: trying again does not help.
        io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory => {
            CopyError::store(CopySide::Target, operation, StoreErrorKind::AlreadyExists, error)
        }
        _ => CopyError::from_io(CopySide::Target, operation, error),
    }
}

#[cfg(test)]
mod tests;
