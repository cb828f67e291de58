//! `plan_restore`

use pyo3::{prelude::*, types::PyDict};

use super::Repository;
use crate::{
    convert::options,
    job::{Job, start},
    location::place,
};

#[pymethods]
impl Repository {
    /// Starts to plan a restore.
    fn plan_restore(&self, name: &str, target: &Bound<'_, PyAny>, given: &Bound<'_, PyDict>) -> PyResult<Job> {
        start!(self.0.plan_restore(name, &place(target)?, &options(given)?))
    }
}
