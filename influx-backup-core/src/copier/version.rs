//! Whether a store answered with the version that is wanted.

use object_store::ObjectMeta;

use super::CopyError;
use crate::location::{Entry, Location, Version};

/// Some stores pay no heed to preconditions, and some quote entity tags in one answer and not in the other.
pub(super) fn is_wanted(wanted: &Entry, found: &ObjectMeta) -> bool {
    let plain = |e_tag: &str| Box::from(e_tag.trim_start_matches("W/").trim_matches('"'));
    let of = |e_tag: Option<&str>, modified| Version { e_tag: e_tag.map(plain), id: None, modified };
    let version = of(wanted.version.e_tag.as_deref(), wanted.version.modified);
    found.size == wanted.size && version.is_same(&of(found.e_tag.as_deref(), found.last_modified))
}

/// Tells gone from changed, which stores mix up: Google says not found for a generation that another one took the place of,
/// Azurite says precondition failed for what is gone. One request, and only after such an answer.
pub(super) async fn settle(from: &Location, wanted: &Entry, error: CopyError) -> CopyError {
    if from.directory().is_some() || !matches!(error, CopyError::Vanished | CopyError::Changed) {
        return error;
    }
    match from.head(&wanted.key).await {
        Ok(Some(_)) => CopyError::Changed,
        Ok(None) => CopyError::Vanished,
        Err(_) => error,
    }
}
