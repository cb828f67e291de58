//! `inspect`

use influx_backup_core::Target;
use pyo3::prelude::*;

use crate::{
    job::{Job, start},
    location::place,
};

/// Starts to look at what is at the place that a backup would be restored to.
#[pyfunction]
pub(crate) fn inspect(target: &Bound<'_, PyAny>) -> PyResult<Job> {
    start!(Target::inspect(&place(target)?))
}
