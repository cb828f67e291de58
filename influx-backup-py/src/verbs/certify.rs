//! `certify`

use influx_backup_core as core;
use pyo3::{prelude::*, types::PyDict};

use crate::{convert::options, job::Job, location::place, runtime::handle};

/// Starts to judge the tree at a place.
#[pyfunction]
pub(crate) fn certify(source: &Bound<'_, PyAny>, given: &Bound<'_, PyDict>) -> PyResult<Job> {
    Job::of(core::certify(&place(source)?).with_options(options(given)?).start_on(&handle()?))
}
