//! The complete command-line program: discover, plan, back up, certify, verify, restore and list InfluxDB 3 clusters.
//!
//! ```text
//! cargo run --example influx-backup -- backup /var/lib/influxdb3 /backups
//! cargo run --example influx-backup -- restore /backups/backup-20260102-030405 /var/lib/influxdb3
//! ```
//!
//! Results go to stdout, as tables or with `--json` as exactly one JSON document, errors included; messages and the
//! progress bar go to stderr. The exit codes are those of [`exit::Exit`].

mod args;
mod exit;
mod failure;
mod places;
mod progress;
mod screen;
mod verbs;

use std::process::ExitCode;

use clap::Parser;

use self::{args::Args, exit::Exit, failure::Failure, screen::Screen};

fn main() -> ExitCode {
    match Args::try_parse() {
        Ok(args) => run(args).into(),
        Err(error) => refuse(&error).into(),
    }
}

fn run(args: Args) -> Exit {
    let screen = Screen::new(args.json);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return screen.fail(&Failure::io("start the runtime", error)),
    };
    let exit = runtime.block_on(args.verb.run(&screen)).unwrap_or_else(|failure| screen.fail(&failure));
    // A read that hangs in the operating system must not keep a cancelled program alive.
    runtime.shutdown_background();
    exit
}

/// Help and version are answers, everything else that the parser says is a usage error.
fn refuse(error: &clap::Error) -> Exit {
    if !error.use_stderr() {
        // Nobody is left to tell when the reader of `--help` is gone.
        let _ = error.print();
        return Exit::Done;
    }
    let json = std::env::args_os().any(|argument| argument == "--json");
    Screen::new(json).fail(&Failure::usage(error.to_string()))
}
