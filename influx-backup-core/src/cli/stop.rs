//! [`Stop`]: how the caller stops the program.

use std::io;

use crate::cancellation::Cancellation;

/// Whether the program is to stop.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop {
    /// In good order.
    pub(crate) asked: Cancellation,
    /// Asked a second time.
    pub(crate) at_once: Cancellation,
}

impl Stop {
    /// Stops when this is cancelled.
    pub(crate) fn by(asked: &Cancellation) -> Self {
        Self { asked: asked.clone(), at_once: Cancellation::new() }
    }

    /// Asks the program to stop: the first time in good order, the second time at once.
    pub(crate) fn ask(&self) {
        if self.asked.is_cancelled() { self.at_once.cancel() } else { self.asked.cancel() }
    }

    /// Listens to Ctrl-C and SIGTERM from now on. What it returns has to be run; where it fails, the operating system ends the
    /// program itself.
    #[cfg(unix)]
    pub(crate) fn listen(self) -> io::Result<impl Future<Output = ()> + Send + 'static> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        Ok(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => self.ask(),
                    _ = terminate.recv() => self.ask(),
                }
            }
        })
    }

    /// Listens to Ctrl-C. What it returns has to be run.
    #[cfg(not(unix))]
    pub(crate) fn listen(self) -> io::Result<impl Future<Output = ()> + Send + 'static> {
        Ok(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                self.ask();
            }
        })
    }
}
