//! What lies in a repository.

use influx_backup_core as core;
use pyo3::prelude::*;

use crate::{
    convert::{ToPython, by_name},
    document::{document, hash_of},
    error::raise,
};

influx_backup_bindings::repository_tables!(by_name, document);

/// A committed backup, opened.
#[pyclass(frozen, module = "influx_backup")]
#[derive(Debug)]
pub(crate) struct Backup(pub(crate) core::Backup);

#[pymethods]
impl Backup {
    /// Its name: that of the place where it lies.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// Where it lies.
    #[getter]
    fn location<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.location().to_python(py)
    }

    /// SHA-256 of the root manifest: keep it elsewhere, and no change of the backup goes unnoticed.
    #[getter]
    fn sha256(&self) -> &str {
        self.0.sha256()
    }

    /// The repository that it lies in.
    #[getter]
    fn repository<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.repository().to_python(py)
    }

    /// Every object that it holds, sorted by key. Made anew at each look.
    #[getter]
    fn objects<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.objects().cloned().collect::<Vec<_>>().to_python(py)
    }

    /// Parquet files that live manifests name and that were gone from the source, with the consent of the caller.
    #[getter]
    fn absent<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.absent().cloned().collect::<Vec<_>>().to_python(py)
    }

    /// The object of this key; `None` where it holds none. Raises `UsageError` for a text that is no key.
    fn object<'py>(&self, py: Python<'py>, key: &str) -> PyResult<Bound<'py, PyAny>> {
        let key = core::Key::parse(key).map_err(|error| raise(error.into()))?;
        self.0.object(&key).cloned().to_python(py)
    }

    /// What the backup holds.
    #[getter]
    fn manifest<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.manifest().to_python(py)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        let same = |other: &core::Backup| self.0.location() == other.location() && self.0.sha256() == other.sha256();
        other.cast::<Self>().is_ok_and(|other| same(&other.get().0))
    }

    fn __hash__(&self) -> u64 {
        hash_of(self.0.sha256())
    }

    fn __repr__(&self) -> String {
        format!("<Backup {} in {}>", self.0.name(), self.0.repository())
    }
}

impl ToPython for core::Backup {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(Bound::new(py, Backup(self.clone()))?.into_any())
    }
}

/// Adds the classes of this file.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Backup>()?;
    add_documents_to(module)
}
