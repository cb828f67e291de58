//! [`Hold`]: an answer that waits for the test.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

/// Withholds answers until the test [releases](Hold::release) them, also between two runtimes. Clones are one.
#[derive(Debug, Clone, Default)]
pub struct Hold(Arc<Tokens>);

#[derive(Debug, Default)]
struct Tokens {
    reached: CancellationToken,
    released: CancellationToken,
}

impl Hold {
    /// Waits until an answer is withheld.
    pub async fn reached(&self) {
        self.0.reached.cancelled().await;
    }

    /// Lets all answers go.
    pub fn release(&self) {
        self.0.released.cancel();
    }

    /// Waits until it is released.
    pub async fn wait(&self) {
        self.0.reached.cancel();
        self.0.released.cancelled().await;
    }
}

impl PartialEq for Hold {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
