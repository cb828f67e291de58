//! [`LocalCopier`].

use async_trait::async_trait;

use super::{Copied, Copier, CopyContext, CopyError, CopyRequest};

/// Copies (local).
#[derive(Debug, Clone, Default)]
pub struct LocalCopier;

#[async_trait]
impl Copier for LocalCopier {
    async fn copy(&self, _request: &CopyRequest, _context: &CopyContext) -> Result<Copied, CopyError> {
        Err(CopyError::Unsupported)
    }
}
