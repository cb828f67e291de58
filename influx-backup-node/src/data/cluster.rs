//! What discovery finds.

use crate::{
    convert::by_name,
    document::{data, document, to_json},
};

/// Gives a cluster its class, whose document is all that was found.
macro_rules! cluster {
    ($(#[doc = $doc:literal])+ $name:ident($it:ident: $core:ty) $fields:tt) => {
        data! { $name($it: $core, text = $it) $fields json(to_json($it.description())) }
    };
}

influx_backup_bindings::cluster_tables!(by_name, document, cluster);
