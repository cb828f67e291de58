//! What discovery finds.

use influx_backup_core::Cluster;

use crate::{
    convert::by_name,
    document::{data, document, to_json},
};

influx_backup_bindings::cluster_tables!(by_name, document);

data! {
    Cluster(it: Cluster, text = it) {
        location = it.location(),
        id = it.id(),
        edition = it.edition(),
        nodes = it.nodes(),
        catalog_prefix = it.catalog_prefix(),
        notes = it.notes(),
        description = it.description(),
    }
    json(to_json(it.description()))
}
