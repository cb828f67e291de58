//! What lies in a repository.

use influx_backup_core as core;
use pyo3::prelude::*;

use crate::{
    convert::{ToPython, by_name},
    document::{document, handle, hash_of},
    error::raise,
};

influx_backup_bindings::repository_tables!(by_name, document, handle);

#[pymethods]
impl Backup {
    /// The object of this key; `None` where it holds none. Raises `UsageError` for a text that is no key.
    fn object<'py>(&self, py: Python<'py>, key: &str) -> PyResult<Bound<'py, PyAny>> {
        let key = core::Key::parse(key).map_err(|error| raise(error.into()))?;
        self.0.object(&key).to_python(py)
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

/// Adds the classes of this file.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Backup>()?;
    add_documents_to(module)
}
