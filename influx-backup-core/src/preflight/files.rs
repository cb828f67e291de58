//! What a probe shows of a file system. How it was created, and whether that was synced, its location has learned by creating it.

use crate::{
    error::{Error, Result},
    key::Key,
    location::{Location, Version},
};

/// Looks at the probe as files are looked at later, and gives it another time as copies are given theirs.
///
/// # Errors
/// [`Error::Store`] for what a file system answers besides that it does not do that.
pub(super) async fn probe(location: &Location, key: &Key, written: &Version) -> Result<()> {
    location.probe_file(key, written).await.map_err(|error| Error::io("put", key, location, error))
}
