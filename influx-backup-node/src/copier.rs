//! Copiers: an object of the caller's as [`core::Copier`], and those of the core for JavaScript.

use std::sync::Arc;

use async_trait::async_trait;
use influx_backup_core::{
    self as core,
    checksum::Crc64,
    copier::{Copied, CopyContext, CopyRequest},
    error::{CopyError, Source},
};
use napi_derive::napi;

use crate::callback::{Abandoned, Answer, Argument, Callee, Thrown};

/// The copiers of the package, in their order.
#[napi]
#[derive(Debug)]
pub struct NativeCopier(pub(crate) Arc<dyn core::Copier>);

/// The copiers that a backup and a restore use unless told otherwise: to be put behind one's own.
#[napi]
pub fn default_copiers() -> Vec<NativeCopier> {
    vec![NativeCopier(core::default_copiers())]
}

/// Calls `copy(request, context)`.
#[derive(Debug)]
pub(crate) struct NodeCopier(pub(crate) Callee);

#[async_trait]
impl core::Copier for NodeCopier {
    async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> std::result::Result<Copied, CopyError> {
        let size = request.source.size;
        let name = &self.0.name;
        let take = |answer| match answer {
            Answer::Nothing => Ok(Copied::unverified(size, name.clone())),
            Answer::Text(text) => match text.parse::<Crc64>() {
                Ok(crc64) => Ok(Copied::read_through(size, crc64, name.clone())),
                Err(_) => Err(Answer::Text(text)),
            },
            other => Err(other),
        };
        let argument = Argument::Copy(Box::new((request.clone(), context.clone())));
        let expected = "nothing, or the checksum of the copy as sixteen hex digits";
        self.0.call("copy", argument, &context.cancellation, take, expected).await.map_err(copy_error)
    }
}

/// What a copier threw: a `CopyError` by its code, anything else as it is.
fn copy_error(thrown: Source) -> CopyError {
    if thrown.is::<Abandoned>() {
        return CopyError::new("cancelled", thrown.to_string());
    }
    let code = thrown.downcast_ref::<Thrown>().and_then(|thrown| thrown.copy_code.clone());
    match code {
        Some(code) => CopyError::new(&code, thrown.to_string()),
        None => CopyError::failed(thrown),
    }
}
