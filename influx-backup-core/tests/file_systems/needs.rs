//! Tools that a test needs.

use std::{
    env,
    io::{self, Write},
    panic::Location,
    path::PathBuf,
    thread,
};

/// A program on `PATH`; `None` after the test has been reported as not run.
#[track_caller]
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|directory| directory.join(name)).find(|program| program.is_file());
    if found.is_none() {
        not_run(&format!("{name} is missing, get it with .ci/file-systems"));
    }
    found
}

/// Whether this process is root; the test has been reported as not run where it is not.
#[track_caller]
pub(crate) fn root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        not_run("it is not run by root");
    }
    is_root
}

/// Reports the test as not run. Written to the stream itself, because the harness hides the output of a test that passes.
#[track_caller]
pub(crate) fn not_run(why: &str) {
    let thread = thread::current();
    let test = thread.name().unwrap_or("a test");
    writeln!(io::stderr(), "not run: {test} ({}): {why}", Location::caller()).ok();
}
