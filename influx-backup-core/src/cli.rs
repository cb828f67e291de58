//! The command-line program, as a function: [`run`] takes arguments and streams and returns an exit code.
//!
//! The binary `influx-backup` starts it, and so do the Python and Node packages. Results go to the answer stream, as
//! tables or with `--json` as exactly one JSON document, errors included; messages and the progress bar go to the message
//! stream. The exit codes are in the README.

mod args;
mod exit;
mod failure;
mod log;
mod places;
mod progress;
mod screen;
mod settings;
mod stop;
#[cfg(test)]
mod tests;
mod verbs;

use std::{
    ffi::OsString,
    panic::{AssertUnwindSafe, catch_unwind},
};

use clap::{Parser, error::ErrorKind};

pub use self::screen::Streams;
use self::{args::Args, exit::Exit, failure::Failure, screen::Screen, stop::Stop};
use crate::{cancellation::Cancellation, concurrent::traced, error::Error, naming::visible};

/// Runs the program to its end and returns its exit code.
///
/// The first argument is the program's own name. Ctrl-C, SIGTERM and SIGHUP cancel the verb in good order, for the whole
/// process: where signals are the caller's own, use [`run_with`]. Starts a runtime of its own, so it must not be called from
/// within an asynchronous task.
///
/// ```
/// use influx_backup_core::cli::{Streams, run};
///
/// let code = run(["influx-backup", "list", "/no/such/repository"], Streams::new(Vec::new(), Vec::new()));
/// assert_eq!(code, 5);
/// ```
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = impl Into<OsString>>, streams: Streams) -> u8 {
    start(arguments, streams, Stop::default(), Signals::Heard)
}

/// Runs the program as [`run`] does, without listening to signals: it is cancelled, in good order, by `cancellation`.
#[must_use]
pub fn run_with(
    arguments: impl IntoIterator<Item = impl Into<OsString>>,
    streams: Streams,
    cancellation: &Cancellation,
) -> u8 {
    start(arguments, streams, Stop::by(cancellation), Signals::Ignored)
}

/// Whether signals stop the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signals {
    Heard,
    Ignored,
}

fn start(
    arguments: impl IntoIterator<Item = impl Into<OsString>>,
    streams: Streams,
    stop: Stop,
    signals: Signals,
) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    let exit = match Args::try_parse_from(&arguments) {
        Ok(args) => run_verb(args, streams, stop, signals),
        Err(error) => refuse(&error, &arguments, streams),
    };
    exit as u8
}

fn run_verb(args: Args, streams: Streams, stop: Stop, signals: Signals) -> Exit {
    let screen = Screen::new(args.json, streams, stop.clone());
    // Lines of the log would tear a progress bar apart.
    let screen = if args.verbose == 0 { screen } else { screen.without_bar() };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return screen.fail(&Failure::io("start the runtime", &error)),
    };
    if signals == Signals::Heard {
        let entered = runtime.enter();
        // Where signals cannot be heard, the operating system ends the program itself.
        if let Ok(listening) = stop.listen() {
            runtime.spawn(traced(listening));
        }
        drop(entered);
    }
    let run = || {
        let exit = log::with_log(args.verbose, &screen, || runtime.block_on(args.verb.run(&screen)));
        exit.unwrap_or_else(|failure| screen.fail(&failure))
    };
    // What panics outside of a job ends as an error, too. The hook of the process has written where it was.
    let ended = catch_unwind(AssertUnwindSafe(run));
    let exit = ended.unwrap_or_else(|panic| screen.fail(&Error::panicked("program", panic.as_ref()).into()));
    // A read that hangs in the operating system must not keep a cancelled program alive.
    runtime.shutdown_background();
    exit
}

/// Help and version are answers; everything else that the parser reports is a usage error.
fn refuse(error: &clap::Error, arguments: &[OsString], streams: Streams) -> Exit {
    let json = arguments.iter().any(|argument| argument == "--json");
    let screen = Screen::new(json, streams, Stop::default());
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return screen.fail(&Failure::usage("a command is required, see --help"));
    }
    if error.use_stderr() {
        return screen.fail(&Failure::usage(quoting(error.to_string(), arguments)));
    }
    screen.show_help(error);
    Exit::Done
}

/// A message of the parser, which quotes arguments: without what may be an option of a store, and with control characters escaped.
fn quoting(message: String, arguments: &[OsString]) -> String {
    let arguments: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
    let is_flag = |at: Option<usize>| at.is_some_and(|at| arguments[at].ends_with("-option"));
    // Of `--source-option NAME= VALUE` the value is an argument of its own.
    let is_secret = |at: usize| is_flag(at.checked_sub(1)) || is_flag(at.checked_sub(2));
    let message = arguments.iter().enumerate().fold(message, |message, (at, argument)| {
        let joined = argument.split_once('=').filter(|_| argument.starts_with('-'));
        let (value, is_secret) = match joined {
            Some((name, value)) => (value, is_secret(at) || name.contains("-opt")),
            None => (&**argument, is_secret(at) && !argument.starts_with('-')),
        };
        if is_secret {
            message.replace(&format!("'{value}'"), "'\u{2026}'")
        } else if value.contains(char::is_control) {
            message.replace(&format!("'{value}'"), &format!("'{}'", visible(value)))
        } else {
            message
        }
    });
    // The parser takes some sequences out, so that it no longer quotes what was given.
    if arguments.iter().any(|argument| argument.contains('\u{1b}')) { visible(message) } else { message }
}
