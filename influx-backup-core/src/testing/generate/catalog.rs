//! What lies beside the nodes: the catalog in all its generations, the Enterprise configuration, the license.

use bytes::Bytes;

use super::{Edition, Generate, License, Object};
use crate::{
    layout::Generation,
    testing::write::{self, CatalogOp, CatalogSpec, DatabaseSpec, NodeSpec},
};

/// The databases that the Parquet files belong to, by their numbers; 0 is the server's own.
pub(super) const DATABASES: [&str; 3] = ["_internal", "metrics", "sensors"];

/// A server writes a new root after this many logs.
const LOGS_PER_ROOT: u64 = 100;

pub(super) fn uuid(cluster: &Generate) -> u128 {
    cluster.random_uuid(1)
}

/// The sequence of the newest log.
pub(super) fn sequence(cluster: &Generate) -> u64 {
    let upgrades = cluster.generations.len().saturating_sub(1);
    created(cluster) + (upgrades * cluster.registered().len()) as u64 + cluster.catalog_logs
}

/// The sequence of the catalog when a snapshot was taken, rising to the newest log at the last snapshot.
pub(super) fn sequence_at(cluster: &Generate, snapshot: u64) -> u64 {
    let created = created(cluster);
    created + (sequence(cluster) - created) * snapshot / cluster.snapshots.max(1)
}

/// The sequence at which all nodes and databases exist: the logs of [`first_ops`].
fn created(cluster: &Generate) -> u64 {
    (DATABASES.len() + cluster.registered().len() + 1) as u64
}

pub(super) fn objects(cluster: &Generate) -> impl Iterator<Item = Object> + Send + use<> {
    let owner = cluster.catalog_owner();
    let mut objects = Vec::new();
    let mut put = |tail: String, bytes: Bytes| objects.push(Object { key: format!("{owner}/{tail}"), bytes });

    let eras = eras(cluster);
    let mut spec = CatalogSpec { catalog_id: owner.to_owned(), uuid: uuid(cluster), ..Default::default() };
    for (index, era) in eras.iter().enumerate() {
        // The root of a generation is rewritten at every full hundred; the first one stands at the end of the generation before.
        let newest = era.first_log - 1 + era.ops.len() as u64;
        let root_at = (newest / LOGS_PER_ROOT * LOGS_PER_ROOT).max(era.first_log - 1);
        let mut root = (spec.sequence == root_at).then(|| spec.clone());
        for (log, op) in (era.first_log..).zip(&era.ops) {
            put(
                format!("{}/{}", era.generation.logs(), write::catalog_log_name(log)),
                write::catalog_log(era.generation, log, spec.uuid, std::slice::from_ref(op)),
            );
            apply(&mut spec, log, op);
            root = (log == root_at).then(|| spec.clone()).or(root);
        }
        if index + 1 < eras.len() {
            put(
                format!("{}/{}", era.generation.logs(), write::catalog_log_name(newest + 1)),
                write::terminator(era.generation),
            );
        }
        if let Some(root) = root {
            put(era.generation.root().to_owned(), write::catalog_root(era.generation, &root));
        }
    }

    if matches!(cluster.edition, Edition::Enterprise { .. }) {
        put("enterprise".to_owned(), Bytes::from_static(b"{\"version\":1}"));
    }
    match cluster.license {
        License::None => {}
        License::Commercial => put("commercial_license".to_owned(), Bytes::from_static(b"header.commercial.signature")),
        License::Trial => put("trial_or_home_license".to_owned(), Bytes::from_static(b"header.trial.signature")),
    }
    objects.into_iter()
}

/// One generation of the catalog while it was the live one.
struct Era {
    generation: Generation,
    first_log: u64,
    ops: Vec<CatalogOp>,
}

fn eras(cluster: &Generate) -> Vec<Era> {
    let live = cluster.generations.len().saturating_sub(1);
    let mut first_log = 1;
    let mut eras = Vec::new();
    for (index, generation) in cluster.generations.iter().enumerate() {
        // Servers register again when they start in a new release.
        let mut ops = if index == 0 { first_ops(cluster) } else { registrations(cluster) };
        if index == live {
            ops.extend((0..cluster.catalog_logs).map(|_| CatalogOp::SetGenerationDuration));
        }
        let next = first_log + ops.len() as u64;
        eras.push(Era { generation: *generation, first_log, ops });
        first_log = next;
    }
    eras
}

fn first_ops(cluster: &Generate) -> Vec<CatalogOp> {
    let mut databases = (0..)
        .zip(DATABASES)
        .map(|(number, name)| CatalogOp::CreateDatabase(DatabaseSpec { number, name: name.into() }));
    let mut ops: Vec<CatalogOp> = databases.next().into_iter().collect();
    ops.extend(registrations(cluster));
    ops.push(CatalogOp::SetGenerationDuration);
    ops.extend(databases);
    ops
}

fn registrations(cluster: &Generate) -> Vec<CatalogOp> {
    let nodes = (0_u8..).zip(cluster.registered());
    nodes
        .map(|(number, (id, mode))| {
            let instance = cluster.random_uuid(100 + u64::from(number));
            CatalogOp::RegisterNode(NodeSpec { number, node_id: id.to_owned(), instance, mode: mode.to_owned() })
        })
        .collect()
}

fn apply(spec: &mut CatalogSpec, sequence: u64, op: &CatalogOp) {
    spec.sequence = sequence;
    match op {
        CatalogOp::RegisterNode(node) => {
            spec.nodes.retain(|known| known.number != node.number);
            spec.nodes.push(node.clone());
        }
        CatalogOp::CreateDatabase(database) => spec.databases.push(database.clone()),
        CatalogOp::SetGenerationDuration => {}
    }
}
