//! [`handle!`] and [`document!`]: types of the core as frozen classes of Python.

use std::hash::{DefaultHasher, Hash, Hasher};

use pyo3::{
    prelude::*,
    types::{PyString, PyTuple},
};

/// How much of an attribute `repr` shows.
const SHOWN: usize = 60;

/// Gives types of the core their classes, whose attributes are read from the value of the core.
///
/// They are in the Python module `influx_backup`, or `in` another one.
macro_rules! handle {
    (in $module:literal: $(
        $(#[doc = $doc:literal])+
        $name:ident($it:ident: $core:ty $(, name = $shown:literal)?) {
            $( $(#[doc = $attribute_doc:literal])+ $attribute:ident $($lazily:ident)? = $value:expr, )*
        }
    )+) => {
        $(
            $(#[doc = $doc])+
            #[pyclass(frozen, module = $module $(, name = $shown)?)]
            #[derive(Debug)]
            pub(crate) struct $name(pub(crate) $core);

            impl $crate::convert::ToPython for $core {
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
                        $crate::convert::ToPython::to_python(&$value, py)
                    }
                )*
            }
        )+
    };
    ($($handles:tt)+) => {
        $crate::document::handle! { in "influx_backup": $($handles)+ }
    };
}
pub(crate) use handle;

/// Gives types of the core their classes, with what data has besides its attributes.
///
/// `text` is what `str()` shows. Each class has `to_json`, `to_dict`, `from_json`, `==`, `hash`, `repr` and can be pickled, by
/// way of the JSON of the core.
macro_rules! document {
    (in $module:literal: $(
        $(#[doc = $doc:literal])+
        $name:ident($it:ident: $core:ty $(, name = $shown:literal)? $(, text = $text:expr)?) {
            $( $(#[doc = $attribute_doc:literal])+ $attribute:ident $($lazily:ident)? = $value:expr, )*
        }
    )+) => {
        $(
            $crate::document::handle! {
                in $module:
                $(#[doc = $doc])+
                $name($it: $core $(, name = $shown)?) { $( $(#[doc = $attribute_doc])+ $attribute = $value, )* }
            }

            #[pymethods]
            impl $name {
                /// The document as JSON, as the program writes it.
                fn to_json(&self) -> PyResult<String> {
                    $crate::convert::to_json(&self.0)
                }

                /// The document as dicts, lists and plain values.
                fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                    $crate::convert::loads(py, &self.to_json()?)
                }

                /// Reads what `to_json` wrote. Raises `UsageError` for anything else.
                #[staticmethod]
                fn from_json(json: &str) -> PyResult<Self> {
                    $crate::convert::from_json(json, stringify!($name)).map(Self)
                }

                fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
                    other.cast::<Self>().is_ok_and(|other| self.0 == other.get().0)
                }

                fn __hash__(&self) -> PyResult<u64> {
                    Ok($crate::document::hash_of(&self.to_json()?))
                }

                fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
                    $crate::document::show(slf.as_any(), &[$(stringify!($attribute)),*])
                }

                $(
                    fn __str__(&self) -> String {
                        let $it = &self.0;
                        $text.to_string()
                    }
                )?

                fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
                    $crate::document::reduce(slf.as_any())
                }
            }
        )+

        /// Adds the classes of this file.
        pub(crate) fn add_documents_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
            $(module.add_class::<$name>()?;)+
            Ok(())
        }
    };
    ($($documents:tt)+) => {
        document! { in "influx_backup": $($documents)+ }
    };
}
pub(crate) use document;

pub(crate) fn hash_of(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// `Name(attribute=value, …)`, long values cut.
pub(crate) fn show(document: &Bound<'_, PyAny>, attributes: &[&str]) -> PyResult<String> {
    let name: Bound<'_, PyString> = document.get_type().name()?;
    let mut parts = Vec::new();
    for attribute in attributes {
        let value = document.getattr(*attribute)?.repr()?.to_string();
        let shown: String = value.chars().take(SHOWN).collect();
        let cut = if shown.len() < value.len() { "…" } else { "" };
        parts.push(format!("{attribute}={shown}{cut}"));
    }
    Ok(format!("{name}({})", parts.join(", ")))
}

/// How `pickle` makes the document again: by `from_json`.
pub(crate) fn reduce<'py>(document: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = document.py();
    let read = py.import("influx_backup._native")?.getattr("_read")?;
    let json = document.call_method0("to_json")?;
    let arguments = PyTuple::new(py, [document.get_type().into_any(), json])?;
    Ok(PyTuple::new(py, [read, arguments.into_any()])?.into_any())
}

/// What `pickle` calls.
#[pyfunction]
#[pyo3(name = "_read")]
fn read<'py>(class: &Bound<'py, PyAny>, json: &str) -> PyResult<Bound<'py, PyAny>> {
    class.call_method1("from_json", (json,))
}

/// Adds what `pickle` calls.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(read, module)?)
}
