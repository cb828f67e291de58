//! Whether a store answered with the version that is wanted.

use object_store::ObjectMeta;

use crate::location::{Entry, Version};

/// Some stores pay no heed to preconditions, and some quote entity tags in one answer and not in the other.
pub(super) fn is_wanted(wanted: &Entry, found: &ObjectMeta) -> bool {
    let plain = |e_tag: &str| Box::from(e_tag.trim_start_matches("W/").trim_matches('"'));
    let of = |e_tag: Option<&str>, modified| Version { e_tag: e_tag.map(plain), id: None, modified };
    let version = of(wanted.version.e_tag.as_deref(), wanted.version.modified);
    found.size == wanted.size && version.is_same(&of(found.e_tag.as_deref(), found.last_modified))
}
