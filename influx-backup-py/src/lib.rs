//! The native part of the Python package `influx_backup`: the API of `influx-backup-core`, and nothing that the core does not do.
//!
//! Each verb is a function here that builds a request of the core and returns its `job::Job`. What the core returns as data
//! is a frozen class, see `document`. The Python side waits for jobs, in threads or in event loops.

mod callback;
mod convert;
mod copier;
mod data;
mod document;
mod error;
mod event;
mod event_loop;
mod job;
mod location;
mod log;
mod orchestrator;
mod program;
mod repository;
mod runtime;
mod verbs;

use pyo3::prelude::*;

/// The module `influx_backup._native`.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    runtime::add_to(module)?;
    copier::add_to(module)?;
    location::add_to(module)?;
    repository::add_to(module)?;
    job::add_to(module)?;
    data::add_to(module)?;
    document::add_to(module)?;
    event::add_to(module)?;
    error::add_to(module)?;
    verbs::add_to(module)?;
    program::add_to(module)
}
