//! A server behind a proxy that injects faults, with a cluster in it.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use influx_backup_core::{Key, Location, testing::generate::Generate};

use super::{FaultProxy, StoreServer, in_process_s3};

/// A server behind a proxy, with a cluster in a bucket of its own.
pub(crate) struct Behind {
    pub(crate) server: &'static dyn StoreServer,
    pub(crate) proxy: FaultProxy,
    pub(crate) bucket: String,
    /// What is below `cluster`.
    pub(crate) written: BTreeMap<String, Vec<u8>>,
}

impl Behind {
    pub(crate) async fn new(cluster: &Generate) -> Self {
        Self::before(in_process_s3(), cluster).await
    }

    pub(crate) async fn before(server: &'static dyn StoreServer, cluster: &Generate) -> Self {
        let bucket = server.fresh_bucket().await;
        let written = write(cluster, &server.location(&bucket, "cluster")).await;
        Self { proxy: FaultProxy::before(server.address()), server, bucket, written }
    }

    /// A location in the bucket, through the proxy.
    pub(crate) fn location(&self, prefix: &str) -> Location {
        self.server.location_at(self.proxy.address(), &self.bucket, prefix)
    }
}

/// Writes a cluster, and says what it wrote.
pub(crate) async fn write(cluster: &Generate, to: &Location) -> BTreeMap<String, Vec<u8>> {
    let objects: BTreeMap<String, Bytes> = cluster.objects().map(|object| (object.key, object.bytes)).collect();
    let puts = objects.clone().into_iter().map(|(key, bytes)| {
        let key = Key::parse(key).expect("a key");
        async move { to.put(&key, bytes).await }
    });
    futures::stream::iter(puts).buffer_unordered(32).try_for_each(|_| async { Ok(()) }).await.expect("written");
    objects.into_iter().map(|(key, bytes)| (key, bytes.to_vec())).collect()
}
