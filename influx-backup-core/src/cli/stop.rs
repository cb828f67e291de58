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

    /// Listens to Ctrl-C, SIGTERM and, where it is not ignored (`nohup`), SIGHUP from now on. What it returns has to be run; where it fails, the operating system ends the
    /// program itself.
    #[cfg(unix)]
    pub(crate) fn listen(self) -> io::Result<impl Future<Output = ()> + Send + 'static> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = if ignores_hangup() { None } else { Some(signal(SignalKind::hangup())?) };
        let mut hung_up = async move || match &mut hangup {
            Some(hangup) => hangup.recv().await,
            None => std::future::pending().await,
        };
        Ok(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => self.ask(),
                    _ = terminate.recv() => self.ask(),
                    _ = hung_up() => self.ask(),
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

/// Whether the process was started to outlive its terminal. Where the system does not tell, SIGHUP keeps its effect.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    std::fs::read_to_string("/proc/self/status").map_or(true, |status| has_ignored_hangup(&status))
}

/// SIGHUP is the signal 1: the lowest bit of the mask.
#[cfg(unix)]
fn has_ignored_hangup(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_none_or(|mask| mask & 1 == 1)
}

#[cfg(target_os = "linux")]
#[allow(clippy::print_stderr, reason = "a test that could not run is named")]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nohup_is_respected() {
        assert!(has_ignored_hangup("Name:\tx\nSigIgn:\t0000000000001001\n"));
        assert!(!has_ignored_hangup("Name:\tx\nSigIgn:\t0000000000001000\n"));
    }

    #[tokio::test]
    async fn a_closed_terminal_stops_in_good_order() {
        if ignores_hangup() {
            return eprintln!("not run: a_closed_terminal_stops_in_good_order (cli): this process ignores SIGHUP");
        }
        let stop = Stop::default();
        tokio::spawn(stop.clone().listen().expect("listening"));
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::HUP).expect("sent");
        stop.asked.cancelled().await;
        assert!(!stop.at_once.is_cancelled());
    }
}
