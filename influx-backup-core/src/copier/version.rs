//! The version of a source: is it the one that is wanted?

use object_store::ObjectMeta as StoreMeta;

use crate::error::CopyError;
use crate::location::{Location, ObjectMeta};

/// Whether an answer is about the version that is wanted. Some stores ignore preconditions, and some quote entity tags in one
/// answer and not in the other. Where a listing has no entity tags, times decide: listings have milliseconds, the headers of
/// an answer only seconds.
pub(super) fn is_wanted(wanted: &ObjectMeta, found: &StoreMeta) -> bool {
    let is_same = match (wanted.version.e_tag.as_deref(), found.e_tag.as_deref()) {
        (Some(wanted), Some(found)) => unquoted(wanted) == unquoted(found),
        _ => {
            let wanted = wanted.version.modified;
            let found = found.last_modified;
            let only_seconds = [wanted, found].iter().any(|time| time.timestamp_subsec_nanos() == 0);
            wanted == found || only_seconds && wanted.timestamp() == found.timestamp()
        }
    };
    is_same && found.size == wanted.size
}

pub(super) fn unquoted(e_tag: &str) -> &str {
    e_tag.trim_start_matches("W/").trim_matches('"')
}

/// Tells a missing object from a changed one, which stores mix up: Google answers "not found" for a generation that was
/// replaced, Azurite "precondition failed" for an object that is missing. One request, and only after such an answer.
pub(super) async fn disambiguate_missing(from: &Location, wanted: &ObjectMeta, error: CopyError) -> CopyError {
    if from.directory().is_some() || !matches!(error, CopyError::Vanished | CopyError::Changed) {
        return error;
    }
    match from.head(&wanted.key).await {
        Ok(Some(_)) => CopyError::Changed,
        Ok(None) => CopyError::Vanished,
        Err(_) => error,
    }
}
