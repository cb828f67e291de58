//! What `-v` shows: events and spans of the library, as lines on the message stream.

use std::io;

use tracing::{Dispatch, Level, level_filters::LevelFilter};
use tracing_subscriber::{Layer, Registry, filter::Targets, fmt, layer::SubscriberExt};

use crate::cli::screen::Screen;

/// The target of this crate's own events.
const OWN: &str = "influx_backup_core";

/// Does `work` with a log of this verbosity: 0 shows nothing, 1 what this crate does, 2 and more also what it builds on.
pub(crate) fn with_log<T>(verbosity: u8, screen: &Screen, work: impl FnOnce() -> T) -> T {
    let shown = match verbosity {
        0 => return work(),
        1 => Targets::new().with_target(OWN, Level::DEBUG).with_default(LevelFilter::WARN),
        _ => Targets::new().with_target(OWN, Level::TRACE).with_default(LevelFilter::DEBUG),
    };
    let screen = screen.clone();
    let lines = fmt::layer().with_ansi(false).with_writer(move || Messages(screen.clone()));
    let log = Registry::default().with(lines.with_filter(shown));
    tracing::dispatcher::with_default(&Dispatch::new(log), work)
}

/// The message stream.
struct Messages(Screen);

impl io::Write for Messages {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_messages(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
