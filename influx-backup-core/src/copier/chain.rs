//! Copiers, one after another.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Copied, Copier, CopyContext, CopyError, CopyRequest, LocalCopier, StreamCopier};

/// Copiers that are asked in turn: [`CopyError::Unsupported`] passes a request to the next one.
#[derive(Debug, Clone)]
pub struct Copiers(Vec<Arc<dyn Copier>>);

impl Copiers {
    /// These copiers, in this order.
    #[must_use]
    pub fn new(copiers: Vec<Arc<dyn Copier>>) -> Self {
        Self(copiers)
    }
}

#[async_trait]
impl Copier for Copiers {
    async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
        for copier in &self.0 {
            match copier.copy(request, context).await {
                Err(CopyError::Unsupported) => {}
                answer => return answer,
            }
        }
        Err(CopyError::Unsupported)
    }
}

/// The copiers that a backup and a restore use unless told otherwise.
#[must_use]
pub fn default_copiers() -> Arc<dyn Copier> {
    Arc::new(Copiers::new(vec![Arc::new(LocalCopier::default()), Arc::new(StreamCopier::default())]))
}
