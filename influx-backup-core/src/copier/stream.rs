//! [`StreamCopier`].

use async_trait::async_trait;

use super::{Copied, Copier, CopyContext, CopyError, CopyRequest};

/// Copies (stream).
#[derive(Debug, Clone, Default)]
pub struct StreamCopier;

#[async_trait]
impl Copier for StreamCopier {
    async fn copy(&self, _request: &CopyRequest, _context: &CopyContext) -> Result<Copied, CopyError> {
        Err(CopyError::Unsupported)
    }
}
