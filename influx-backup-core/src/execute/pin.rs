//! What a copy is pinned to, where listings do not say what requests have to name.

use super::attempt::{Worker, of_store};
use crate::{
    copier::CopyRequest,
    error::{CopyError, CopySide},
    location::{Look, Pin},
};

/// The same request, as the store of its source wants the version to be asked for. What is recorded of the source is what
/// its listing shows, all the same.
pub(super) async fn pinned(request: &CopyRequest) -> Result<CopyRequest, CopyError> {
    let source = request.from.pinned(&request.source).await;
    let source = source.map_err(|error| of_store(CopySide::Source, "head", error))?;
    Ok(CopyRequest { source, ..request.clone() })
}

impl Worker {
    /// Whether a source that seemed to have changed is only named differently: then it is asked for in another way.
    pub(super) async fn is_only_named_differently(&self, request: &CopyRequest, used: Pin) -> Result<bool, CopyError> {
        match self.unless_cancelled(request.from.look_again(&request.source, used)).await? {
            Ok(Look::Same(news)) => {
                news.into_iter().for_each(|finding| self.events.report(finding));
                Ok(true)
            }
            // Where it cannot be looked at, it is for the next pass.
            Ok(Look::Changed) | Err(_) => Ok(false),
        }
    }
}
