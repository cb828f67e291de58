//! The program of the core.

use std::ffi::OsString;

use influx_backup_core::cli::{Streams, run};
use pyo3::prelude::*;

/// Runs the program `influx-backup` with these arguments, the first of which is its name, on the streams of this process, and
/// returns its exit code. Ctrl-C and SIGTERM are its own while it runs.
#[pyfunction]
fn run_program(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| run(arguments, Streams::of_process()))
}

/// Adds the function.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(run_program, module)?)
}
