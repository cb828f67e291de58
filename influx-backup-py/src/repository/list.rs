//! `list`

use pyo3::{prelude::*, types::PyDict};

use super::Repository;
use crate::{
    convert::options,
    job::{Job, start},
};

#[pymethods]
impl Repository {
    /// Starts to list what lies in a repository.
    fn list(&self, given: &Bound<'_, PyDict>) -> PyResult<Job> {
        start!(self.0.list_with(options(given)?))
    }
}
