//! [`AbandonOptions`].

use serde::{Deserialize, Serialize};

use super::Takeover;
use crate::setters::setters;

/// How a restore is abandoned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct AbandonOptions {
    /// When the target may be taken over from another process that restores to it.
    pub takeover: Takeover,
}

impl AbandonOptions {
    setters! {
        /// Sets when the target may be taken over from another process.
        with_takeover(takeover: Takeover),
    }
}
