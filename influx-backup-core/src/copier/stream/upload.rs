//! A multipart upload that is completed or aborted, whatever happens.

use std::time::Duration;

use object_store::{MultipartUpload, PutMultipartOptions, PutPayload, PutResult, UploadPart};
use tokio::{runtime::Handle, task::JoinHandle, time::timeout};

use super::super::{CopyError, CopyRequest, wait::within};

/// How long an abort is waited for; it goes on behind.
const ABORT: Duration = Duration::from_millis(500);

/// Aborts itself when dropped.
pub(super) struct Upload(Option<Box<dyn MultipartUpload>>);

impl Upload {
    pub(super) async fn begin(
        request: &CopyRequest,
        options: PutMultipartOptions,
        patience: Duration,
    ) -> Result<Self, CopyError> {
        let path = request.to.path(&request.key);
        let begun = within(patience, request.to.store().put_multipart_opts(&path, options)).await?;
        begun.map(|upload| Self(Some(upload))).map_err(|e| CopyError::from_target("begin upload", e))
    }

    /// Sends the next part. The order of the calls is the order of the parts.
    pub(super) fn part(&mut self, payload: PutPayload) -> Result<UploadPart, CopyError> {
        self.0.as_mut().map(|upload| upload.put_part(payload)).ok_or(CopyError::Cancelled)
    }

    pub(super) async fn complete(mut self, patience: Duration) -> Result<PutResult, CopyError> {
        let completed = match &mut self.0 {
            Some(upload) => within(patience, upload.complete()).await,
            None => return Err(CopyError::Cancelled),
        };
        match completed.and_then(|put| put.map_err(|e| CopyError::from_target("complete upload", e))) {
            Ok(put) => {
                self.0 = None;
                Ok(put)
            }
            Err(error) => {
                self.abort().await;
                Err(error)
            }
        }
    }

    pub(super) async fn abort(mut self) {
        if let Some(aborting) = self.spawn_abort() {
            // There is nobody to tell: what is left behind is for the bucket's lifecycle rule.
            let _ = timeout(ABORT, aborting).await;
        }
    }

    fn spawn_abort(&mut self) -> Option<JoinHandle<()>> {
        let mut upload = self.0.take()?;
        Some(Handle::try_current().ok()?.spawn(async move { drop(upload.abort().await) }))
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        drop(self.spawn_abort());
    }
}
