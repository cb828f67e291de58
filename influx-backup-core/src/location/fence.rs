//! [`Fence`]: whether this process may still write to a location.

use std::{fmt, sync::Arc};

use super::Location;
use crate::error::Result;

/// Asked directly before each request that changes a location. Cheap: it asks no store.
pub(crate) trait Fence: fmt::Debug + Send + Sync {
    /// Checks that this process may still write.
    ///
    /// # Errors
    /// Why it may not.
    fn check(&self) -> Result<()>;
}

impl Location {
    /// The same location, where nothing is written or deleted once `fence` forbids it.
    pub(crate) fn fenced(&self, fence: Arc<dyn Fence>) -> Self {
        self.with(|inner| inner.fence = Some(fence))
    }

    /// The same location without a fence: for what has to be undone in any case.
    pub(crate) fn unfenced(&self) -> Self {
        self.with(|inner| inner.fence = None)
    }

    /// Checks that this process may still write here.
    ///
    /// # Errors
    /// What the fence says, where there is one.
    pub(crate) fn check_fence(&self) -> Result<()> {
        self.0.fence.as_ref().map_or(Ok(()), |fence| fence.check())
    }
}

/// A fence that is open as long as a condition holds.
#[cfg(test)]
pub(crate) struct OpenWhile<F>(pub(crate) F);

#[cfg(test)]
impl<F> fmt::Debug for OpenWhile<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenWhile").finish_non_exhaustive()
    }
}

#[cfg(test)]
impl<F: Fn() -> bool + Send + Sync> Fence for OpenWhile<F> {
    fn check(&self) -> Result<()> {
        let lost = || crate::error::Error::LeaseLost { what: "a target".to_owned(), reason: "it is closed".to_owned() };
        if self.0() { Ok(()) } else { Err(lost()) }
    }
}
