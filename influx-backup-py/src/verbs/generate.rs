//! `generate`, for `influx_backup.testing`

use std::path::PathBuf;

use influx_backup_core::{cancellation::Cancellation, testing::generate::GenerateOptions};
use pyo3::{prelude::*, types::PyDict};

use crate::{convert::options, data::Generated, error::raise};

/// Writes a made-up cluster into a directory.
#[pyfunction]
pub(crate) fn generate(py: Python<'_>, directory: PathBuf, given: &Bound<'_, PyDict>) -> PyResult<Generated> {
    let wanted: GenerateOptions = options(given)?;
    py.detach(|| wanted.generate_into(&directory, &Cancellation::new())).map(Generated).map_err(raise)
}
