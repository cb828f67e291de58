//! [`Streams`] and [`Screen`]: what is an answer and what is a message, and where each goes.

use std::{
    fmt::{self, Display},
    io::{self, IsTerminal, Write},
    sync::{Arc, Mutex, PoisonError},
};

use serde::Serialize;

use crate::{
    cli::{exit::Exit, failure::Failure, stop::Stop},
    naming::visible_lines,
};

/// Where the program writes: answers and messages.
pub struct Streams {
    answers: Box<dyn Write + Send>,
    messages: Box<dyn Write + Send>,
    /// Answers go to a terminal: help may have colors.
    color: bool,
    /// Messages go to the terminal of this process: a progress bar may be drawn there.
    bar: bool,
}

impl Streams {
    /// These two streams. No progress bar is drawn.
    #[must_use]
    pub fn new(answers: impl Write + Send + 'static, messages: impl Write + Send + 'static) -> Self {
        Self { answers: Box::new(answers), messages: Box::new(messages), color: false, bar: false }
    }

    /// Standard output and standard error of this process. On a terminal a progress bar is drawn.
    #[must_use]
    pub fn of_process() -> Self {
        Self {
            answers: Box::new(io::stdout()),
            messages: Box::new(io::stderr()),
            color: io::stdout().is_terminal(),
            bar: true,
        }
    }
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams").field("bar", &self.bar).finish_non_exhaustive()
    }
}

/// How answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// Tables.
    Text,
    /// Exactly one JSON document.
    Json,
}

/// Where answers and messages go, and how; and whether to stop. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Screen {
    format: Format,
    streams: Arc<Mutex<Streams>>,
    stop: Stop,
}

impl Screen {
    pub(crate) fn new(json: bool, streams: Streams, stop: Stop) -> Self {
        let format = if json { Format::Json } else { Format::Text };
        Self { format, streams: Arc::new(Mutex::new(streams)), stop }
    }

    /// Whether the caller wants the program to stop.
    pub(crate) fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Whether a progress bar may be drawn on standard error.
    pub(crate) fn has_bar(&self) -> bool {
        self.format == Format::Text && self.lock().bar
    }

    /// The same screen, with no progress bar.
    pub(crate) fn without_bar(self) -> Self {
        self.lock().bar = false;
        self
    }

    /// Writes text to the message stream.
    pub(crate) fn write_messages(&self, bytes: &[u8]) -> io::Result<usize> {
        let text = visible_lines(&String::from_utf8_lossy(bytes));
        self.lock().messages.write_all(text.as_bytes()).map(|()| bytes.len())
    }

    /// The one answer of a verb.
    pub(crate) fn answer(&self, json: &impl Serialize, text: impl Display) -> Result<(), Failure> {
        // All of it before the first byte: half an answer could not be taken back.
        let answer = match self.format {
            Format::Text => Ok(visible_lines(text.to_string().trim_end())),
            Format::Json => serde_json::to_string_pretty(json).map_err(io::Error::from),
        };
        let answers = &mut self.lock().answers;
        match answer.and_then(|answer| writeln!(answers, "{answer}")).and_then(|()| answers.flush()) {
            // `… | head` has read enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other.map_err(|error| Failure::io("write the answer", &error)),
        }
    }

    /// A message for people.
    pub(crate) fn say(&self, message: impl Display) {
        // Best effort: nothing can be done where the stream is closed.
        let _ = writeln!(self.lock().messages, "{}", visible_lines(&message.to_string()));
    }

    /// Help or version, as the parser words it.
    pub(crate) fn show_help(&self, help: &clap::Error) {
        let streams = &mut *self.lock();
        let text = help.render();
        // Best effort: the reader may have closed the stream.
        let _ =
            if streams.color { write!(streams.answers, "{}", text.ansi()) } else { write!(streams.answers, "{text}") };
    }

    /// A failure: its message and, in JSON, its document as the answer.
    pub(crate) fn fail(&self, failure: &Failure) -> Exit {
        let report = failure.report();
        self.say(failure.text());
        match self.format {
            Format::Text => report.certificate.iter().for_each(|certificate| self.say(certificate)),
            Format::Json => {
                // Best effort: the message above and the exit code tell the same.
                let _ = self.answer(&failure.document(), "");
            }
        }
        failure.exit()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
