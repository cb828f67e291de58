//! Plans: what a backup or a restore would do.

use influx_backup_core::{self as core, options::RestoreOptions};
use pyo3::prelude::*;

use crate::{
    convert::{ToPython, by_name, loads},
    document::{self, document},
    error::raise,
};

/// Gives plans their classes.
macro_rules! plan {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident($it:ident: $core:ty) {
            $( $(#[doc = $attribute_doc:literal])+ $attribute:ident $($lazily:ident)? = $value:expr, )*
        }
    )+) => {$(
        $(#[doc = $doc])+
        #[pyclass(frozen, module = "influx_backup")]
        #[derive(Debug)]
        pub(crate) struct $name(pub(crate) core::$name);

        impl ToPython for core::$name {
            fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                Ok(Bound::new(py, $name(self.clone()))?.into_any())
            }
        }

        #[pymethods]
        impl $name {
            $(
                $(#[doc = $attribute_doc])+
                #[getter]
                fn $attribute<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                    let $it = &self.0;
                    ToPython::to_python(&$value, py)
                }
            )*

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
                core::$name::from_json(json).map(Self).map_err(raise)
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
    )+};
}

impl ToPython for RestoreOptions {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serde_json::to_value(self).unwrap_or_default().to_python(py)
    }
}

influx_backup_bindings::plans_tables!(by_name, document, plan);

/// Adds the classes of this file.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    add_documents_to(module)?;
    module.add_class::<BackupPlan>()?;
    module.add_class::<RestorePlan>()
}
