//! A multipart upload that is always completed or aborted.

use std::time::Duration;

use object_store::{MultipartUpload, PutMultipartOptions, PutPayload, PutResult, UploadPart};

use super::super::{
    CopyRequest,
    clean_up::{CleanUps, Undo, UndoOnDrop},
    wait::within,
};
use crate::error::{CopyError, CopySide};

/// Aborts itself when dropped.
pub(super) struct Upload(UndoOnDrop<Multipart>);

/// An upload that was begun.
struct Multipart {
    upload: Box<dyn MultipartUpload>,
    request: CopyRequest,
}

impl Upload {
    pub(super) async fn begin(
        request: CopyRequest,
        options: PutMultipartOptions,
        patience: Duration,
        clean_ups: CleanUps,
    ) -> Result<Self, CopyError> {
        let path = request.to.store_path(&request.target).map_err(|e| CopyError::from_target("begin upload", e))?;
        let begun = within(CopySide::Target, patience, request.to.store().put_multipart_opts(&path, options)).await?;
        let upload = begun.map_err(|e| CopyError::from_target("begin upload", e))?;
        let multipart = Multipart { upload, request };
        Ok(Self(UndoOnDrop::new(multipart, &clean_ups)))
    }

    /// Sends the next part. The order of the calls is the order of the parts.
    pub(super) fn part(&mut self, payload: PutPayload) -> Result<UploadPart, CopyError> {
        self.0.begun().map(|begun| begun.upload.put_part(payload)).ok_or(CopyError::Cancelled)
    }

    pub(super) async fn complete(mut self, patience: Duration) -> Result<PutResult, CopyError> {
        let Some(begun) = self.0.begun() else { return Err(CopyError::Cancelled) };
        let completed = async {
            let sent = begun.request.send()?;
            let put = within(CopySide::Target, patience, begun.upload.complete()).await?;
            sent.end(&put);
            put.map_err(|e| CopyError::from_upload("complete upload", e))
        };
        match completed.await {
            Ok(put) => {
                self.0.keep();
                Ok(put)
            }
            Err(error) => {
                self.abort().await;
                Err(error)
            }
        }
    }

    pub(super) async fn abort(self) {
        self.0.undo().await;
    }
}

impl Undo for Multipart {
    async fn undo(mut self) {
        // Best effort: what is left is for `leftovers`, or for a lifecycle rule of the bucket.
        let _ = self.upload.abort().await;
        // Azure has no request to abort an upload.
        #[cfg(feature = "azure")]
        if let Some(crate::location::cloud::Handle::Azure(azure)) = self.request.to.handle() {
            let _ = azure.discard_blocks(&self.request.to.path(&self.request.target)).await;
        }
        #[cfg(not(feature = "azure"))]
        let _ = self.request;
    }
}
