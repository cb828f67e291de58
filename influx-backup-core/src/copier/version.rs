//! Whether a store answered with the version that is wanted.

use object_store::ObjectMeta as StoreMeta;

use crate::error::CopyError;
use crate::location::{Location, ObjectMeta};

/// Some stores pay no heed to preconditions, and some quote entity tags in one answer and not in the other. Where a listing
/// has no entity tags, times decide: listings know milliseconds, the headers of an answer only seconds.
pub(super) fn is_wanted(wanted: &ObjectMeta, found: &StoreMeta) -> bool {
    let plain = |e_tag: &str| Box::from(e_tag.trim_start_matches("W/").trim_matches('"'));
    let same = match (wanted.version.e_tag.as_deref().map(plain), found.e_tag.as_deref().map(plain)) {
        (Some::<Box<str>>(wanted), Some(found)) => wanted == found,
        _ => {
            let (wanted, found) = (wanted.version.modified, found.last_modified);
            let only_seconds = [wanted, found].iter().any(|time| time.timestamp_subsec_nanos() == 0);
            wanted == found || only_seconds && wanted.timestamp() == found.timestamp()
        }
    };
    same && found.size == wanted.size
}

/// Tells gone from changed, which stores mix up: Google says not found for a generation that another one took the place of,
/// Azurite says precondition failed for what is gone. One request, and only after such an answer.
pub(super) async fn settle(from: &Location, wanted: &ObjectMeta, error: CopyError) -> CopyError {
    if from.directory().is_some() || !matches!(error, CopyError::Vanished | CopyError::Changed) {
        return error;
    }
    match from.head(&wanted.key).await {
        Ok(Some(_)) => CopyError::Changed,
        Ok(None) => CopyError::Vanished,
        Err(_) => error,
    }
}
