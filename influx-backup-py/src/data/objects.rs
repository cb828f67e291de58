//! Objects of a location, and listings of them.

use influx_backup_core::{Component, Inventory, inventory, layout::Group, location};
use pyo3::prelude::*;

use crate::{convert::by_name, document::document};

by_name!(Component, Group);

document! {
    /// Which version of an object it is.
    Version(it: location::Version) {
        /// The store's entity tag, where it gives one.
        e_tag = it.e_tag,
        /// The store's version id, in versioned buckets.
        id = it.id,
        /// When it was last modified.
        modified = it.modified,
    }

    /// One object of a location.
    ObjectMeta(it: location::ObjectMeta) {
        /// Its key, relative to the location.
        key = it.key,
        /// Its length in bytes.
        size = it.size,
        /// Which version of it.
        version = it.version,
    }

    /// One listing of a cluster.
    Listing(it: inventory::Listing) {
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
        entries = it.entries.iter().map(location::ObjectMeta::from).collect::<Vec<_>>(),
    }

    /// What one pass over a cluster listed, in the order in which it was listed.
    ListedObjects(it: Inventory, name = "Inventory") {
        /// The listings.
        listings = it.listings,
        /// How many objects were listed.
        objects = it.objects(),
        /// How many bytes they have.
        bytes = it.bytes(),
    }
}
