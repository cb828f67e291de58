//! Objects that do not stay as they were written.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use object_store::{ObjectStore, ObjectStoreExt, Result, path::Path};
use tokio::time::sleep;

use super::{FaultyStore, plan::Decay};

impl FaultyStore {
    /// Lets an object that was just written decay after a while.
    pub(super) async fn decay(&self, path: &Path, (into, after): (Decay, Duration)) {
        let store = Arc::clone(&self.inner);
        let state = Arc::clone(&self.state);
        let path = path.clone();
        let Ok(written) = read(store.as_ref(), &path).await else { return };
        tokio::spawn(async move {
            sleep(after).await;
            if !state.is_healed() && apply(store.as_ref(), &path, into, written).await.is_ok() {
                state.record_decay(&path);
            }
        });
    }
}

async fn apply(store: &dyn ObjectStore, path: &Path, into: Decay, written: Bytes) -> Result<()> {
    match into {
        Decay::WrittenAgain => store.put(path, written.into()).await.map(drop),
        Decay::Lost => {
            store.head(path).await?;
            store.delete(path).await
        }
        Decay::Truncated => {
            let bytes = read(store, path).await?;
            store.put(path, bytes.slice(..bytes.len() / 2).into()).await.map(drop)
        }
        Decay::Replaced => {
            let mut bytes = read(store, path).await?.to_vec();
            if let Some(last) = bytes.last_mut() {
                *last = !*last;
            }
            store.put(path, bytes.into()).await.map(drop)
        }
    }
}

async fn read(store: &dyn ObjectStore, path: &Path) -> Result<Bytes> {
    store.get(path).await?.bytes().await
}
