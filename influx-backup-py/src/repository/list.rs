//! `list`

use pyo3::prelude::*;

use super::Repository;
use crate::job::{Job, start};

#[pymethods]
impl Repository {
    /// Starts to list what lies in a repository.
    fn list(&self) -> PyResult<Job> {
        start!(self.0.list())
    }
}
