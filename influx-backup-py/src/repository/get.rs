//! `get`

use pyo3::prelude::*;

use super::Repository;
use crate::job::{Job, start};

#[pymethods]
impl Repository {
    /// Starts to open a backup.
    fn get(&self, name: &str) -> PyResult<Job> {
        start!(self.0.get(name))
    }
}
