//! What `influx_backup.testing` writes.

/// Calls the macros with the tables of this subject.
#[macro_export]
macro_rules! generated_tables {
    ($document:ident) => {
        $document! {
            /// A made-up cluster that was written, and what a server should make of it.
            Generated(it: $crate::core::testing::generate::Generated) {
                /// The prefix that holds the catalog: the node's id (Core) or the cluster's.
                catalog_owner = it.catalog_owner,
                /// The sequence of the newest log of the live catalog.
                catalog_sequence = it.catalog_sequence,
                /// The uuid of the catalog.
                catalog_uuid = it.catalog_uuid,
                /// Every node that the catalog registers.
                registered = it.registered,
                /// The nodes that hold data, by their ids.
                nodes = it.nodes,
                /// Every object with its length in bytes, by its key.
                objects = it.objects,
                /// The bytes of all objects.
                bytes = it.bytes(),
            }

            /// What one node of a made-up cluster holds.
            GeneratedNode(it: $crate::core::testing::generate::GeneratedNode) {
                /// The sequence of the newest snapshot, or `None` where there is none.
                last_snapshot = it.last_snapshot,
                /// The last WAL file that it covers; 0 where there is none.
                covered_wal = it.covered_wal,
                /// The first and the last WAL file that are there, or `None` where none is.
                wal = it.wal,
                /// The Parquet files that queries see, absent ones included.
                files = it.files,
                /// The keys of the files that are gone without a manifest that records it.
                absent = it.absent,
                /// The rows that queries see.
                rows = it.rows,
            }
        }
    };
}
