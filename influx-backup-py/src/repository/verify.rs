//! `verify`

use pyo3::{prelude::*, types::PyDict};

use super::Repository;
use crate::{
    convert::options,
    job::{Job, start},
};

#[pymethods]
impl Repository {
    /// Starts to verify a backup.
    fn verify(&self, name: &str, given: &Bound<'_, PyDict>) -> PyResult<Job> {
        start!(self.0.verify(name, options(given)?))
    }
}
