//! `plan_backup`

use pyo3::{prelude::*, types::PyDict};

use super::{Repository, backup::source_of};
use crate::{
    convert::Given,
    job::{Job, start},
};

#[pymethods]
impl Repository {
    /// Starts to plan a backup.
    fn plan_backup(&self, source: &Bound<'_, PyAny>, given: &Bound<'_, PyDict>) -> PyResult<Job> {
        let mut given = Given::of(given)?;
        let source = source_of(source, &mut given)?;
        start!(self.0.plan_backup(source, &given.last()?))
    }
}
