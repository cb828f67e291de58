//! Events of `tracing` as records of `logging`.
//!
//! They wait in a queue until a thread of its own hands them over. The threads that do the work never wait for the
//! interpreter, nor for a slow handler.

use std::{
    borrow::Cow,
    collections::VecDeque,
    io, mem,
    sync::{Mutex, MutexGuard, Once, PoisonError},
    time::Duration,
};

use pyo3::prelude::*;
use tokio::time::timeout;
use tracing::{Level, Metadata, level_filters::LevelFilter};
use tracing_subscriber::{
    Registry,
    filter::FilterFn,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
};

use crate::runtime::{Call, runtime};

/// The targets of the core.
const CORE: &str = "influx_backup_core";

/// Their loggers.
const LOGGER: &str = "influx_backup";

/// How many records wait at most.
const CAPACITY: usize = 10_000;

/// How long the end of a job waits for handlers.
const LONGEST_FLUSH: Duration = Duration::from_secs(1);

static QUEUE: Mutex<Queue> =
    Mutex::new(Queue { records: VecDeque::new(), missed: 0, is_delivered: false, is_closed: false });

/// Held by who hands records over, so that they stay in order.
static TURN: Mutex<()> = Mutex::new(());

struct Queue {
    records: VecDeque<Record>,
    missed: usize,
    /// Whether a thread is on its way to hand them over.
    is_delivered: bool,
    is_closed: bool,
}

/// Logger, level, text, file and line.
type Record = (String, u8, String, Cow<'static, str>, u32);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends events of the core to `logging`, down to DEBUG. Loggers decide for each record whether it is shown.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Spans of single objects cost more than they tell: their events have the key.
        let is_wanted = |meta: &Metadata<'_>| {
            let level = if meta.is_span() { Level::INFO } else { Level::DEBUG };
            meta.target().starts_with(CORE) && *meta.level() <= level
        };
        let filter = FilterFn::new(is_wanted).with_max_level_hint(LevelFilter::DEBUG);
        let lines = fmt::layer().without_time().with_level(false).with_target(false).with_ansi(false);
        let log = Registry::default().with(filter).with(lines.with_writer(Lines));
        // It can be set once in a process, and is set here alone.
        let _ = tracing::subscriber::set_global_default(log);
    });
}

/// Waits until the records so far are handed over, or handlers take too long.
pub(crate) async fn flush() {
    let is_idle = {
        let queue = lock(&QUEUE);
        queue.records.is_empty() && !queue.is_delivered
    };
    if !is_idle {
        // Late records come later.
        let _ = timeout(LONGEST_FLUSH, tokio::task::spawn_blocking(deliver)).await;
    }
}

/// Drops what comes from now on: there is soon no interpreter.
pub(crate) fn close() {
    lock(&QUEUE).is_closed = true;
}

struct Lines;

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { logger: LOGGER.to_owned(), level: level_of(Level::INFO), file: Cow::Borrowed(""), line: 0 }
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Line {
        Line {
            logger: meta.target().replacen(CORE, LOGGER, 1).replace("::", "."),
            level: level_of(*meta.level()),
            file: meta.file().map_or(Cow::Borrowed(""), |file| Cow::Owned(file.to_owned())),
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
    file: Cow<'static, str>,
    line: u32,
}

impl io::Write for Line {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(text).trim_end().to_owned();
        push((mem::take(&mut self.logger), self.level, line, mem::take(&mut self.file), self.line));
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn push(record: Record) {
    let mut queue = lock(&QUEUE);
    if queue.is_closed {
        return;
    }
    if queue.records.len() == CAPACITY {
        queue.missed += 1;
        return;
    }
    queue.records.push_back(record);
    if mem::replace(&mut queue.is_delivered, true) {
        return;
    }
    drop(queue);
    if let Ok(runtime) = runtime() {
        runtime.spawn_blocking(deliver);
    }
}

/// Hands records over until there are none.
fn deliver() {
    let _call = Call::begin();
    let _turn = lock(&TURN);
    loop {
        let records = waiting();
        if records.is_empty() {
            return;
        }
        Python::try_attach(|py| {
            let delivered = py.import("influx_backup._log").and_then(|log| log.call_method1("deliver", (records,)));
            delivered.map_or_else(|error| error.write_unraisable(py, None), drop);
        });
    }
}

/// Takes all records that wait.
fn waiting() -> Vec<Record> {
    let mut queue = lock(&QUEUE);
    let missed = mem::take(&mut queue.missed);
    let mut records = Vec::from(mem::take(&mut queue.records));
    queue.is_delivered = !records.is_empty();
    if missed > 0 {
        let text = format!("{missed} records were dropped: the handlers of logging are too slow");
        records.push((LOGGER.to_owned(), level_of(Level::WARN), text, Cow::Borrowed(file!()), line!()));
    }
    records
}
