//! `discover`

use influx_backup_core as core;
use pyo3::{prelude::*, types::PyDict};

use crate::{
    convert::options,
    job::{Job, start},
    location::place,
};

/// Starts to look for the cluster at a place.
#[pyfunction]
pub(crate) fn discover(source: &Bound<'_, PyAny>, given: &Bound<'_, PyDict>) -> PyResult<Job> {
    start!(core::discover(&place(source)?, &options(given)?))
}
