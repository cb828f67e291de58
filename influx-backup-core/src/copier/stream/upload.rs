//! A multipart upload that is completed or aborted, whatever happens.

use std::time::Duration;

use object_store::{MultipartUpload, PutMultipartOptions, PutPayload, PutResult, UploadPart};
use tokio::{runtime::Handle, task::JoinHandle, time::timeout};

use super::super::{CopyRequest, wait::within};
use crate::error::CopyError;
use crate::{
    key::Key,
    location::{Location, Provider},
};

/// How long an abort is waited for; it goes on behind.
const ABORT: Duration = Duration::from_millis(500);

/// Aborts itself when dropped.
pub(super) struct Upload {
    upload: Option<Box<dyn MultipartUpload>>,
    to: Location,
    key: Key,
}

impl Upload {
    pub(super) async fn begin(
        request: CopyRequest,
        options: PutMultipartOptions,
        patience: Duration,
    ) -> Result<Self, CopyError> {
        let path = request.to.path(&request.target);
        let begun = within(patience, request.to.store().put_multipart_opts(&path, options)).await?;
        let (to, key) = (request.to, request.target);
        begun
            .map(|upload| Self { upload: Some(upload), to, key })
            .map_err(|e| CopyError::from_target("begin upload", e))
    }

    /// Sends the next part. The order of the calls is the order of the parts.
    pub(super) fn part(&mut self, payload: PutPayload) -> Result<UploadPart, CopyError> {
        self.upload.as_mut().map(|upload| upload.put_part(payload)).ok_or(CopyError::Cancelled)
    }

    pub(super) async fn complete(mut self, patience: Duration) -> Result<PutResult, CopyError> {
        let completed = match &mut self.upload {
            Some(upload) => within(patience, upload.complete()).await,
            None => return Err(CopyError::Cancelled),
        };
        match completed.and_then(|put| put.map_err(|e| CopyError::from_target("complete upload", e))) {
            Ok(put) => {
                self.upload = None;
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
        let mut upload = self.upload.take()?;
        let (to, key) = (self.to.clone(), self.key.clone());
        Some(Handle::try_current().ok()?.spawn(async move {
            drop(upload.abort().await);
            forget_blocks(&to, &key).await;
        }))
    }
}

/// Azure has no word for an abort: blocks that were sent stay for a week. Where there is no object, a deletion takes them
/// away.
async fn forget_blocks(to: &Location, key: &Key) {
    if to.provider() == Provider::Azure && matches!(to.head(key).await, Ok(None)) {
        // There is nobody to tell.
        drop(to.delete(key).await);
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        drop(self.spawn_abort());
    }
}
