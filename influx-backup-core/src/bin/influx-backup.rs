//! The command-line program. All of it is [`influx_backup_core::cli`].

use std::process::ExitCode;

use influx_backup_core::cli::{Streams, run};

fn main() -> ExitCode {
    run(std::env::args_os(), Streams::of_process()).into()
}
