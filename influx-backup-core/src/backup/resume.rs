//! Going on with a backup that another run began.

use super::{audit::audit, index::Index, journal};
use crate::{error::Result, location::Location};

/// What an unfinished backup holds: what its journal names and the store has as it was written. Everything else that lies
/// there is deleted: an object without a journal line is copied again, never trusted by its name.
pub(super) async fn index(to: &Location) -> Result<Index> {
    let mut index = journal::read(to).await?;
    let differences = audit(to, &mut index).await?;
    to.delete_versions(differences.to_delete()).await?;
    for altered in differences.altered {
        index.remove(altered.key);
    }
    Ok(index)
}
