//! Events of `tracing` as records of `logging`.
//!
//! One thread hands them over, from a queue. The threads that do the work never wait for the interpreter, nor for a slow
//! handler.

use std::{
    io, mem,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use pyo3::prelude::*;
use tokio::{sync::oneshot, time::timeout};
use tracing::{Level, Metadata, level_filters::LevelFilter};
use tracing_subscriber::{
    Registry,
    filter::FilterFn,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
};

use influx_backup_core::visible;

use crate::runtime::WorkGuard;

/// The targets of the core.
const CORE: &str = "influx_backup_core";

/// Their loggers.
const LOGGER: &str = "influx_backup";

/// How many records wait at most.
const CAPACITY: usize = 10_000;

/// How long the end of a job waits for handlers.
const LONGEST_FLUSH: Duration = Duration::from_secs(1);

/// Set once there is a thread that hands records over.
static QUEUE: OnceLock<SyncSender<Item>> = OnceLock::new();

/// Records that found no room.
static MISSED: AtomicUsize = AtomicUsize::new(0);

static IS_CLOSED: AtomicBool = AtomicBool::new(false);

enum Item {
    Record(Record),
    /// Tells when all before it are handed over.
    Mark(oneshot::Sender<()>),
}

/// Logger, level, text, file and line.
type Record = (String, u8, String, String, u32);

/// Sends events of the core to `logging`, down to DEBUG. Loggers decide for each record whether it is shown.
pub(crate) fn install() {
    QUEUE.get_or_init(|| {
        let (queue, items) = sync_channel(CAPACITY);
        let thread = thread::Builder::new().name("influx_backup log".to_owned());
        // Without the thread all records are missed.
        let _ = thread.spawn(move || deliver(&items));
        // Spans of single objects cost more than they tell: their events have the key.
        let is_wanted = |meta: &Metadata<'_>| {
            let level = if meta.is_span() { Level::INFO } else { Level::DEBUG };
            meta.target().starts_with(CORE) && *meta.level() <= level
        };
        let filter = FilterFn::new(is_wanted).with_max_level_hint(LevelFilter::DEBUG);
        let lines = fmt::layer().without_time().with_level(false).with_target(false).with_ansi(false);
        // It can be set once in a process, and is set here alone.
        let _ =
            tracing::subscriber::set_global_default(Registry::default().with(filter).with(lines.with_writer(Lines)));
        queue
    });
}

/// Waits until the records so far are handed over, or handlers take too long.
pub(crate) async fn flush() {
    let (mark, reached) = oneshot::channel();
    let is_sent = QUEUE.get().is_some_and(|queue| queue.try_send(Item::Mark(mark)).is_ok());
    if is_sent {
        // Late records come later.
        let _ = timeout(LONGEST_FLUSH, reached).await;
    }
}

/// Drops what comes from now on: there is soon no interpreter.
pub(crate) fn close() {
    IS_CLOSED.store(true, Ordering::Relaxed);
}

struct Lines;

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { logger: LOGGER.to_owned(), level: level_of(Level::INFO), file: String::new(), line: 0 }
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Line {
        Line {
            logger: meta.target().replacen(CORE, LOGGER, 1).replace("::", "."),
            level: level_of(*meta.level()),
            file: meta.file().unwrap_or_default().to_owned(),
            line: meta.line().unwrap_or_default(),
        }
    }
}

/// The level of `logging`.
fn level_of(level: Level) -> u8 {
    match level {
        Level::ERROR => 40,
        Level::WARN => 30,
        Level::INFO => 20,
        Level::DEBUG => 10,
        Level::TRACE => 5,
    }
}

/// Takes the text of one event.
struct Line {
    logger: String,
    level: u8,
    file: String,
    line: u32,
}

impl io::Write for Line {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let line = visible(String::from_utf8_lossy(text).trim_end());
        push((mem::take(&mut self.logger), self.level, line, mem::take(&mut self.file), self.line));
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn push(record: Record) {
    if QUEUE.get().is_none_or(|queue| queue.try_send(Item::Record(record)).is_err()) {
        MISSED.fetch_add(1, Ordering::Relaxed);
    }
}

/// Hands records over, all that wait at a time, as long as the process lives.
fn deliver(items: &Receiver<Item>) {
    while let Ok(first) = items.recv() {
        let mut marks = Vec::new();
        let mut records = Vec::new();
        for item in std::iter::once(first).chain(items.try_iter().take(CAPACITY)) {
            match item {
                Item::Record(record) => records.push(record),
                Item::Mark(mark) => marks.push(mark),
            }
        }
        let missed = MISSED.swap(0, Ordering::Relaxed);
        if missed > 0 {
            let text = format!("{missed} records were dropped: the handlers of logging are too slow");
            records.push((LOGGER.to_owned(), level_of(Level::WARN), text, file!().to_owned(), line!()));
        }
        if !records.is_empty() && !IS_CLOSED.load(Ordering::Relaxed) {
            hand_over(records);
        }
        // Dropping them tells.
        drop(marks);
    }
}

fn hand_over(records: Vec<Record>) {
    let _call = WorkGuard::call();
    Python::try_attach(|py| {
        let delivered = py.import("influx_backup._log").and_then(|log| log.call_method1("deliver", (records,)));
        delivered.map_or_else(|error| error.write_unraisable(py, None), drop);
    });
}
