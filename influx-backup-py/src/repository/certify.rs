//! `certify`

use pyo3::{prelude::*, types::PyDict};

use super::Repository;
use crate::{
    convert::options,
    job::{Job, start},
};

#[pymethods]
impl Repository {
    /// Starts to certify a backup.
    fn certify(&self, name: &str, given: &Bound<'_, PyDict>) -> PyResult<Job> {
        start!(self.0.certify(name).with_options(options(given)?))
    }
}
