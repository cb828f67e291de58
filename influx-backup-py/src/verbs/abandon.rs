//! `abandon`

use influx_backup_core as core;
use pyo3::{prelude::*, types::PyDict};

use crate::{
    convert::options,
    job::{Job, start},
    location::place,
};

/// Starts to undo an unfinished restore.
#[pyfunction]
pub(crate) fn abandon(target: &Bound<'_, PyAny>, given: &Bound<'_, PyDict>, object_events: bool) -> PyResult<Job> {
    start!(core::abandon(&place(target)?, options(given)?), object_events)
}
