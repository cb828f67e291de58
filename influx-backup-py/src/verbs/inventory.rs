//! `inventory`

use pyo3::prelude::*;

use crate::{
    data::Cluster,
    job::{Job, start},
};

/// Starts to list a cluster.
#[pyfunction]
pub(crate) fn inventory(cluster: &Cluster) -> PyResult<Job> {
    start!(cluster.0.list())
}
