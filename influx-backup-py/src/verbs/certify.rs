//! `certify`

use influx_backup_core::certify::{certify as certify_location, certify_backup, certify_cluster};
use pyo3::{prelude::*, types::PyDict};

use crate::{
    convert::options,
    data::{Backup, Cluster},
    job::{Job, start},
    location::place,
};

/// Starts to judge the tree at a place, a cluster, or a backup that is open.
#[pyfunction]
pub(crate) fn certify(tree: &Bound<'_, PyAny>, given: &Bound<'_, PyDict>) -> PyResult<Job> {
    let request = if let Ok(cluster) = tree.cast::<Cluster>() {
        certify_cluster(&cluster.get().0)
    } else if let Ok(backup) = tree.cast::<Backup>() {
        certify_backup(&backup.get().0)
    } else {
        certify_location(&place(tree)?)
    };
    start!(request.with_options(options(given)?))
}
