//! [`Seen`]: what the bytes say that a pass has moved, so that no object is read back for the proof.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;

use crate::{
    cluster::ClusterDescription,
    copier::{Copied, Copier, CopyContext, CopyRequest, Keep},
    error::CopyError,
    judge::{evidence::readable, fact::Fact},
    key::Key,
};

/// What was seen of objects that are not finished yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen(Arc<Mutex<BTreeMap<Key, Fact>>>);

impl Seen {
    fn add(&self, key: &Key, fact: Fact) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), fact);
    }

    /// What the bytes of an object say, where they passed through in one piece. Others are read from the backup.
    pub(super) fn take(&self, key: &Key) -> Option<Fact> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key)
    }
}

/// Looks at the bytes that a copier moves, where the proof is about them.
#[derive(Debug)]
pub(super) struct Looking {
    copier: Arc<dyn Copier>,
    cluster: ClusterDescription,
    seen: Seen,
}

impl Looking {
    pub(super) fn new(copier: Arc<dyn Copier>, cluster: ClusterDescription, seen: Seen) -> Self {
        Self { copier, cluster, seen }
    }
}

#[async_trait]
impl Copier for Looking {
    async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
        let Some(component) = readable(&self.cluster, &request.target) else {
            return self.copier.copy(request, context).await;
        };
        let mut copied = self.copier.copy(&request.clone().with_keep(Keep::Bytes), context).await?;
        if let Some(bytes) = copied.bytes.take() {
            self.seen.add(&request.target, Fact::parse(component, &bytes));
        }
        Ok(copied)
    }
}
