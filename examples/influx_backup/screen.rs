//! [`Screen`]: what goes to stdout and what to stderr.

use std::{
    fmt::Display,
    io::{self, Write},
};

use serde::Serialize;

use crate::{exit::Exit, failure::Failure};

/// Where answers and messages go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Screen {
    /// Tables on stdout.
    People,
    /// Exactly one JSON document on stdout.
    Machines,
}

impl Screen {
    pub(crate) const fn new(json: bool) -> Self {
        if json { Self::Machines } else { Self::People }
    }

    /// The one answer of a verb.
    pub(crate) fn answer(self, json: &impl Serialize, text: impl Display) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        let written = match self {
            Self::People => writeln!(stdout, "{}", text.to_string().trim_end()),
            Self::Machines => {
                serde_json::to_writer_pretty(&mut stdout, json).map_err(io::Error::from).and_then(|()| writeln!(stdout))
            }
        };
        match written.and_then(|()| stdout.flush()) {
            // `… | head` has read enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other.map_err(|error| Failure::io("write the answer", error)),
        }
    }

    /// A message for people.
    pub(crate) fn say(self, message: impl Display) {
        // Nothing can be done for someone who closed stderr.
        let _ = writeln!(io::stderr().lock(), "{message}");
    }

    /// A failure: its message on stderr and, for machines, its document on stdout.
    pub(crate) fn fail(self, failure: &Failure) -> Exit {
        self.say(format_args!("error [{}]: {}", failure.code(), failure.message()));
        for cause in failure.causes() {
            self.say(format_args!("  because: {cause}"));
        }
        if let Some(hint) = failure.hint() {
            self.say(format_args!("  options: {hint}"));
        }
        match self {
            Self::People => failure.certificate().into_iter().for_each(|certificate| self.say(certificate)),
            // When stdout fails, the message on stderr and the exit code have to do.
            Self::Machines => drop(self.answer(&failure.document(), "")),
        }
        failure.exit()
    }
}
