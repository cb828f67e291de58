//! The steps that release the boot guard. Its bytes, its paths and the order of the steps are in
//! [`layout::guard`](crate::layout::guard).

use bytes::Bytes;

use crate::{
    error::Result,
    key::Key,
    layout::guard::restore_of,
    location::{Attributes, Location},
};

/// Puts a real root in the place of the guard of `restore`. Where something else stands there, a server has already
/// gone on from the root: it stays.
pub(crate) async fn replace(
    target: &Location,
    key: &Key,
    restore: &str,
    root: Bytes,
    attributes: &Attributes,
) -> Result<()> {
    match target.get(key, None).await? {
        Some(found) if restore_of(&found).as_deref() != Some(restore) => Ok(()),
        _ => target.put_with_attributes(key, root, attributes).await.map(drop),
    }
}

/// Removes the guard of `restore`, and nothing else.
pub(crate) async fn remove(target: &Location, key: &Key, restore: &str) -> Result<()> {
    match target.get(key, None).await? {
        Some(found) if restore_of(&found).as_deref() == Some(restore) => target.delete(key).await,
        _ => Ok(()),
    }
}
