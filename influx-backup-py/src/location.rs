//! [`Location`]: where objects live.

mod store;

use std::path::PathBuf;

use influx_backup_core::{Location as CoreLocation, StoreOptions, location::Provider, options::Naming};
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyDict, PyString, PyTuple},
};

use crate::{
    convert::{ToPython, values_of},
    document::hash_of,
    error::raise,
};

/// Where objects live: a directory, or a bucket or container with an optional prefix.
///
/// `place` is a path, a URL (`s3://…`, `az://…`, `gs://…`, `file://…`) or a store of obstore. `options` are those of the
/// store, by the names that InfluxDB and object_store use; the environment (`AWS_…`, `AZURE_…`, `GOOGLE_…`) is their
/// default. `str()` is the location as a URL or path, without credentials. No store is contacted.
///
/// Raises `UsageError` for a place or an option that cannot be used.
#[pyclass(frozen, module = "influx_backup")]
#[derive(Debug)]
pub(crate) struct Location(pub(crate) CoreLocation);

#[pymethods]
impl Location {
    #[new]
    #[pyo3(signature = (place, *, options = None))]
    fn new(place: &Bound<'_, PyAny>, options: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        parse(place, options).map(Self)
    }

    /// Which kind of store this is: `file`, `s3`, `azure`, `gcs` or `other`.
    #[getter]
    fn provider(&self) -> String {
        self.0.provider().to_string()
    }

    /// Who keeps the objects, without any secret.
    #[getter]
    fn identity<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.identity().to_python(py)
    }

    /// The last segment of the location; `None` at the top of a bucket or file system.
    #[getter]
    fn name(&self) -> Option<&str> {
        self.0.name()
    }

    /// The location one segment above this one; `None` at the top of a bucket or file system.
    #[getter]
    fn parent(&self) -> Option<Self> {
        self.0.parent().map(Self)
    }

    /// The location `tail` below this one, also `location / tail`. Raises `RefusedError` for a name that climbs out.
    fn child(&self, tail: &str) -> PyResult<Self> {
        self.0.child(tail).map(Self).map_err(raise)
    }

    /// Whether `other` is this location or lies inside it, as far as their names show it.
    fn __contains__(&self, other: &Self) -> bool {
        self.0.contains(&other.0)
    }

    fn __truediv__(&self, tail: &str) -> PyResult<Self> {
        self.child(tail)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| self.0 == other.get().0)
    }

    fn __hash__(&self) -> u64 {
        hash_of(&self.0)
    }

    /// Its URL is pickled. One that needs options of its own is not: they may be secret.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let location = &slf.get().0;
        let is_plain = location.provider() == Provider::File || location.options() == &StoreOptions::from_env();
        if !is_plain {
            return Err(PyTypeError::new_err(format!(
                "the options of {location} may be secret, so it is not pickled: pickle its URL, and give the options where it is opened"
            )));
        }
        let arguments = PyTuple::new(slf.py(), [location.to_string()])?;
        PyTuple::new(slf.py(), [slf.get_type().into_any(), arguments.into_any()])
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("Location('{}')", self.0)
    }
}

impl ToPython for CoreLocation {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(Bound::new(py, Location(self.clone()))?.into_any())
    }
}

/// A place as a caller gives it: a `Location`, a text, a path, or a store of obstore.
pub(crate) fn place(given: &Bound<'_, PyAny>) -> PyResult<CoreLocation> {
    given.cast::<Location>().map_or_else(|_| parse(given, None), |location| Ok(location.get().0.clone()))
}

fn parse(place: &Bound<'_, PyAny>, given: Option<&Bound<'_, PyDict>>) -> PyResult<CoreLocation> {
    let text = if let Ok(text) = place.cast::<PyString>() {
        text.to_string()
    } else if place.hasattr("__fspath__")? {
        let path: PathBuf = place.extract()?;
        path.into_os_string()
            .into_string()
            .map_err(|path| PyTypeError::new_err(format!("a path has to be UTF-8: {}", path.display())))?
    } else if given.is_some() {
        return Err(PyTypeError::new_err(
            "options of a store go with a path or a URL; a Location and a store have their own",
        ));
    } else {
        return store::location(place);
    };
    let given = given.map(store_options).transpose()?.unwrap_or_default();
    CoreLocation::parse(&text, &given.or(&StoreOptions::from_env())).map_err(raise)
}

/// Options of a store. `None` is none.
fn store_options(given: &Bound<'_, PyDict>) -> PyResult<StoreOptions> {
    StoreOptions::read(&values_of(given)?, Naming::SnakeCase).map_err(raise)
}

/// Adds the class.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Location>()
}
