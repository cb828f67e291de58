//! What discovery finds.

use influx_backup_core::Cluster as CoreCluster;
use pyo3::prelude::*;

use crate::{
    convert::{by_name, loads, to_json},
    document::{document, handle, hash_of},
};

influx_backup_bindings::cluster_tables!(by_name, document, handle);

/// Adds the classes of this file.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Cluster>()?;
    add_documents_to(module)
}

#[pymethods]
impl Cluster {
    /// The description as JSON. A cluster itself is not made from it: its location may need credentials.
    fn to_json(&self) -> PyResult<String> {
        to_json(self.0.description())
    }

    /// The description as dicts, lists and plain values.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        loads(py, &self.to_json()?)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        let same =
            |other: &CoreCluster| self.0.location() == other.location() && self.0.description() == other.description();
        other.cast::<Self>().is_ok_and(|other| same(&other.get().0))
    }

    fn __hash__(&self) -> PyResult<u64> {
        Ok(hash_of(&self.to_json()?))
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<Cluster {} at {}>", self.0.id(), self.0.location())
    }
}
