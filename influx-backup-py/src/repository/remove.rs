//! `remove`

use pyo3::prelude::*;

use super::Repository;
use crate::{
    data::Leftover,
    job::{Job, start},
};

#[pymethods]
impl Repository {
    /// Starts to delete a leftover.
    fn remove(&self, leftover: &Leftover, object_events: bool) -> PyResult<Job> {
        start!(self.0.remove(&leftover.0), object_events)
    }
}
