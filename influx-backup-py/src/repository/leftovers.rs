//! `leftovers`

use pyo3::prelude::*;

use super::Repository;
use crate::job::{Job, start};

#[pymethods]
impl Repository {
    /// Starts to look for what attempts that ended without a commit left.
    fn leftovers(&self) -> PyResult<Job> {
        start!(self.0.leftovers())
    }
}
