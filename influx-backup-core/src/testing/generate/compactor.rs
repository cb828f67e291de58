//! What an Enterprise compactor writes. Its formats are closed: these are opaque bytes under keys of the known shape.

use bytes::Bytes;

use super::{Edition, Generate, Object};
use crate::testing::write;

/// One summary, one detail, one generation detail and one Parquet file for each compaction.
pub(super) fn objects(cluster: &Generate) -> impl Iterator<Item = Object> + Send + '_ {
    let id = match &cluster.edition {
        Edition::Enterprise { compactor: Some((id, _)), .. } => Some(id.as_str()),
        Edition::Enterprise { .. } | Edition::Core { .. } => None,
    };
    id.into_iter().flat_map(move |id| (1..=cluster.snapshots).flat_map(move |number| compaction(cluster, id, number)))
}

fn compaction(cluster: &Generate, id: &str, number: u64) -> [Object; 4] {
    // `c/2b/56d/67c/79`: ten digits of a hash in four segments.
    let hash = format!("{:010x}", cluster.random(number << 16) >> 24);
    let hashed = format!("{id}/c/{}/{}/{}/{}", &hash[..2], &hash[2..5], &hash[5..8], &hash[8..]);
    let text = |what: &str| Bytes::from(format!("opaque {what} {number} {hash}"));
    [
        Object { key: format!("{id}/cs/{number:020}.json"), bytes: text("summary") },
        Object { key: format!("{id}/cd/{number:020}.json"), bytes: text("detail") },
        Object { key: format!("{hashed}.json"), bytes: text("generation") },
        Object { key: format!("{hashed}.parquet"), bytes: write::parquet(&vec![b' '; cluster.parquet_size]) },
    ]
}
