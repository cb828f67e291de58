//! [`LeaseFence`]: stops each write of a holder that another process may have replaced.

use std::sync::Arc;

use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    HeldLease,
    heartbeat::{Renewed, expiry},
};
use crate::{error::Result, location::Fence};

/// Looks at the age of the last renewal. That it is too old stops the holder, whose heartbeat may not have seen it yet.
#[derive(Debug)]
pub(super) struct LeaseFence {
    pub(super) held: HeldLease,
    pub(super) renewed: watch::Receiver<Renewed>,
    pub(super) lost: CancellationToken,
    pub(super) cut_off: Arc<watch::Sender<Option<Instant>>>,
}

impl Fence for LeaseFence {
    fn check(&self) -> Result<()> {
        if let Some(age) = expiry(*self.renewed.borrow()) {
            self.lost.cancel();
            return Err(self.held.not_renewed(age));
        }
        if self.lost.is_cancelled() {
            return Err(self.held.scope.taken_over(&self.held.location, None));
        }
        Ok(())
    }

    fn cut_off(&self) {
        self.cut_off.send_replace(Some(Instant::now()));
    }
}
