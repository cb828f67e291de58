//! `verify`

use influx_backup_core::verify::{verify as verify_backup, verify_at};
use pyo3::{prelude::*, types::PyDict};

use crate::{
    convert::options,
    data::Backup,
    job::{Job, start},
    location::place,
};

/// Starts to verify the backup at a place, or one that is open.
#[pyfunction]
pub(crate) fn verify(backup: &Bound<'_, PyAny>, given: &Bound<'_, PyDict>) -> PyResult<Job> {
    match backup.cast::<Backup>() {
        Ok(backup) => start!(verify_backup(&backup.get().0, options(given)?)),
        Err(_) => start!(verify_at(&place(backup)?, options(given)?)),
    }
}
