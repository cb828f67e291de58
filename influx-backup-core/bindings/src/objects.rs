//! Objects of a location, and listings of them.

/// Calls the macros with the tables of this subject.
#[macro_export]
macro_rules! objects_tables {
    ($by_name:ident, $document:ident) => {
        $by_name!($crate::core::Component, $crate::core::layout::Group);

        $document! {
            /// Which version of an object it is.
            Version(it: $crate::core::location::Version) {
                /// The store's entity tag, where it gives one.
                e_tag = it.e_tag,
                /// The store's version id, in versioned buckets.
                id = it.id,
                /// When it was last modified.
                modified = it.modified,
            }

            /// One object of a location.
            ObjectMeta(it: $crate::core::location::ObjectMeta) {
                /// Its key, relative to the location.
                key = it.key,
                /// Its length in bytes.
                size = it.size,
                /// Which version of it.
                version = it.version,
            }

            /// One listing of a cluster.
            Listing(it: $crate::core::inventory::Listing) {
                /// What was listed.
                group = it.group,
                /// Whose: a node id, or the prefix of the catalog.
                owner = it.owner,
                /// When it began.
                started = it.started,
                /// When it ended.
                ended = it.ended,
                /// Its place in the order in which the listings of a run happened.
                order = it.order,
                /// What it found. Made anew at each look.
                entries lazily = it.entries.iter().collect::<Vec<_>>(),
            }

            /// What one pass over a cluster listed, in the order in which it was listed.
            ListedObjects(it: $crate::core::Inventory, name = "Inventory") {
                /// The listings.
                listings = it.listings,
                /// How many objects were listed.
                objects = it.objects(),
                /// How many bytes they have.
                bytes = it.bytes(),
            }
        }
    };
}
