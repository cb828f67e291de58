//! Plans: what a backup or a restore would do.

use influx_backup_core::RestoreOptions;
use pyo3::prelude::*;

use crate::{
    convert::{ToPython, by_name, loads, to_json},
    document::{self, document, handle},
    error::raise,
};

/// Gives plans their classes.
macro_rules! plan {
    ($( $(#[doc = $doc:literal])+ $name:ident($it:ident: $core:ty) $attributes:tt )+) => {
        $(
            handle! { $(#[doc = $doc])+ $name($it: $core) $attributes }

            #[pymethods]
            impl $name {
                /// The plan as a JSON document, with a format version and its hash.
                fn to_json(&self) -> PyResult<String> {
                    self.0.to_json().map_err(raise)
                }

                /// The plan as dicts, lists and plain values.
                fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                    loads(py, &self.to_json()?)
                }

                /// Reads what `to_json` wrote. Raises `UsageError` where it was altered or is something else.
                #[staticmethod]
                fn from_json(json: &str) -> PyResult<Self> {
                    <$core>::from_json(json).map(Self).map_err(raise)
                }

                fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
                    other.cast::<Self>().is_ok_and(|other| self.0.hash() == other.get().0.hash())
                }

                fn __hash__(&self) -> u64 {
                    document::hash_of(&self.0.hash())
                }

                fn __str__(&self) -> String {
                    self.0.to_string()
                }

                fn __repr__(&self) -> String {
                    format!("<{}: {} objects, hash {}>", stringify!($name), self.0.objects(), self.0.hash())
                }

                fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
                    document::reduce(slf.as_any())
                }
            }
        )+
    };
}

influx_backup_bindings::plans_tables!(by_name, document, plan);

/// As keyword arguments, which can be given again.
impl ToPython for RestoreOptions {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        loads(py, &to_json(self)?)
    }
}

/// Adds the classes of this file.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    add_documents_to(module)?;
    module.add_class::<BackupPlan>()?;
    module.add_class::<RestorePlan>()
}
