//! [`FileUpload`]: a file that is written in parts.

use std::{
    fs::File,
    io::{self, Seek, SeekFrom, Write},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use futures::FutureExt;
use object_store::{Error, MultipartUpload, PutPayload, PutResult, Result, UploadPart};

use super::{super::publish::Writing, super::staged::Staged, blocking, failed, put};

/// A file beside its target, which is written in parts and then gets the target's name.
#[derive(Debug)]
pub(super) struct FileUpload {
    writing: Writing,
    path: PathBuf,
    /// `None` once it is complete or aborted.
    staged: Option<Staged>,
    file: Arc<Mutex<Option<File>>>,
    /// Where the next part begins.
    end: u64,
}

impl FileUpload {
    pub(super) fn begin(writing: Writing, path: PathBuf) -> io::Result<Self> {
        let (staged, file) = writing.stage(&path)?;
        Ok(Self { writing, path, staged: Some(staged), file: Arc::new(Mutex::new(Some(file))), end: 0 })
    }
}

#[async_trait]
impl MultipartUpload for FileUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let begin = self.end;
        self.end += data.content_length() as u64;
        let file = Arc::clone(&self.file);
        let path = self.path.clone();
        let write = move || {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            let file = file.as_mut().ok_or_else(ended)?;
            let written =
                file.seek(SeekFrom::Start(begin)).and_then(|_| data.iter().try_for_each(|bytes| file.write_all(bytes)));
            written.map_err(|error| failed(path, error))
        };
        blocking(write).boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let mut staged = self.staged.take().ok_or_else(ended)?;
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(ended)?;
        let writing = self.writing.clone();
        let path = self.path.clone();
        let complete = move || {
            writing.finish(file)?;
            let written = staged.look()?;
            staged.replace()?;
            writing.sync_directory(&staged.target().directory)?;
            Ok(put(&writing.known, &written))
        };
        blocking(move || complete().map_err(|error| failed(path, error))).await
    }

    async fn abort(&mut self) -> Result<()> {
        let staged = self.staged.take();
        drop(self.file.lock().unwrap_or_else(PoisonError::into_inner).take());
        blocking(move || {
            drop(staged);
            Ok(())
        })
        .await
    }
}

/// It was completed or aborted.
fn ended() -> Error {
    failed(PathBuf::new(), io::ErrorKind::BrokenPipe.into())
}
