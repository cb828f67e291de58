//! What discovery finds.

use influx_backup_core::Cluster as CoreCluster;
use pyo3::prelude::*;

use crate::{
    convert::{ToPython, by_name, loads, to_json},
    document::{document, hash_of},
};

/// Adds the classes of this file.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Cluster>()?;
    add_documents_to(module)
}

influx_backup_bindings::cluster_tables!(by_name, document);

/// A cluster at a location, as discovery found it. `description` is all that was found.
#[pyclass(frozen, module = "influx_backup")]
#[derive(Debug)]
pub(crate) struct Cluster(pub(crate) CoreCluster);

#[pymethods]
impl Cluster {
    /// Where it lives.
    #[getter]
    fn location<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.location().to_python(py)
    }

    /// The cluster id, or for Core the node id.
    #[getter]
    fn id(&self) -> &str {
        self.0.id()
    }

    /// Core or Enterprise.
    #[getter]
    fn edition<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.edition().to_python(py)
    }

    /// The nodes, sorted by id.
    #[getter]
    fn nodes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.nodes().to_python(py)
    }

    /// Where the catalog lies.
    #[getter]
    fn catalog_prefix(&self) -> &str {
        self.0.catalog_prefix()
    }

    /// What was found that stops nothing.
    #[getter]
    fn notes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.notes().to_python(py)
    }

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

    /// Everything discovery found.
    #[getter]
    fn description<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.description().to_python(py)
    }
}

impl ToPython for CoreCluster {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(Bound::new(py, Cluster(self.clone()))?.into_any())
    }
}
