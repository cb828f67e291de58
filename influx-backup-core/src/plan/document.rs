//! Plans as JSON documents: with a format version, and with a hash that shows whether they were altered.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{BackupPlan, RestorePlan};
use crate::{
    error::{Error, Result},
    versioned::{self, FormatVersion},
};

/// The format that this release writes and reads.
const FORMAT: u64 = 1;

/// A plan as a document.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PlanDocument<P> {
    format: u64,
    min_reader: u64,
    /// The same for the same plan on every machine.
    hash: String,
    plan: P,
}

/// Gives a plan its JSON form.
macro_rules! document {
    ($plan:ty) => {
        impl $plan {
            pub(crate) fn document(&self) -> PlanDocument<&Self> {
                PlanDocument { format: FORMAT, min_reader: FORMAT, hash: self.hash(), plan: self }
            }

            /// Writes it as a JSON document, with a format version and its hash.
            ///
            /// # Errors
            /// [`Error::Internal`].
            pub fn to_json(&self) -> Result<String> {
                versioned::to_json(&self.document())
            }

            /// Reads what [`to_json`](Self::to_json) wrote.
            ///
            /// # Errors
            /// [`Error::UnsupportedFormat`] where a newer release wrote it, [`Error::InvalidDocument`] where it was
            /// altered or is something else.
            pub fn from_json(json: &str) -> Result<Self> {
                read(json, Self::hash)
            }
        }
    };
}

document!(BackupPlan);
document!(RestorePlan);

/// Reads a plan and checks that it is the one that was hashed.
fn read<P: DeserializeOwned>(json: &str, hash: impl FnOnce(&P) -> String) -> Result<P> {
    versioned::from_json::<FormatVersion>(json, "plan")?.require("plan", FORMAT)?;
    let document: PlanDocument<P> = versioned::from_json(json, "plan")?;
    if document.hash != hash(&document.plan) {
        let reason = "its hash is not that of its content: it was altered, make the plan again".to_owned();
        return Err(Error::InvalidDocument { document: "plan", reason });
    }
    Ok(document.plan)
}
