//! The program of the core.

use influx_backup_core::cli::{Streams, run};
use napi_derive::napi;

/// Runs the program `influx-backup` with these arguments, the first of which is its name, on the streams of this process, and
/// returns its exit code. Ctrl-C and SIGTERM are its own while it runs.
#[napi]
pub fn run_program(arguments: Vec<String>) -> u8 {
    run(arguments, Streams::of_process())
}
