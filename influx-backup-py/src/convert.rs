//! Values of the core as Python values, and options the other way.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use influx_backup_core::{
    ByteSize, Error, Key, error::Category, finding::FindingCode, options::GivenOptions, units::duration,
};
use pyo3::{
    IntoPyObjectExt,
    exceptions::PyValueError,
    prelude::*,
    types::{PyBool, PyByteArray, PyBytes, PyDelta, PyDict, PyMapping, PyString, PyTuple},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Number, Value};

use crate::error::raise;

/// A value of the core as an immutable Python value.
pub(crate) trait ToPython {
    /// Texts stay texts, sizes and counts become `int`, times `datetime` (aware), durations `timedelta`, lists `tuple`, maps
    /// `dict`, names of enums `str`, data a frozen class.
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>>;
}

macro_rules! as_it_is {
    ($($type:ty),+ $(,)?) => {
        $(impl ToPython for $type {
            fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                self.clone().into_bound_py_any(py)
            }
        })+
    };
}
as_it_is!(bool, f64, u8, u32, u64, usize, String, DateTime<Utc>, Duration, TimeDelta);

/// Gives enums of the core their names as `str`.
macro_rules! by_name {
    ($($type:ty),+ $(,)?) => {
        $(impl $crate::convert::ToPython for $type {
            fn to_python<'py>(&self, py: pyo3::Python<'py>) -> pyo3::PyResult<pyo3::Bound<'py, pyo3::PyAny>> {
                Ok(pyo3::types::PyString::new(py, &self.to_string()).into_any())
            }
        })+
    };
}
pub(crate) use by_name;
by_name!(Category, FindingCode, Key, str);

impl ToPython for ByteSize {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.to_python(py)
    }
}

impl ToPython for () {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(py.None().into_bound(py))
    }
}

impl<T: ToPython> ToPython for Option<T> {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.as_ref().map_or_else(|| ().to_python(py), |value| value.to_python(py))
    }
}

impl<T: ToPython + ?Sized> ToPython for &T {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        T::to_python(self, py)
    }
}

impl<T: ToPython + ?Sized> ToPython for Box<T> {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        T::to_python(self, py)
    }
}

impl<T: ToPython, U: ToPython> ToPython for (T, U) {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(PyTuple::new(py, [self.0.to_python(py)?, self.1.to_python(py)?])?.into_any())
    }
}

impl<T: ToPython> ToPython for [T] {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let items = self.iter().map(|item| item.to_python(py)).collect::<PyResult<Vec<_>>>()?;
        Ok(PyTuple::new(py, items)?.into_any())
    }
}

impl<T: ToPython> ToPython for Vec<T> {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.as_slice().to_python(py)
    }
}

impl<T: ToPython> ToPython for BTreeSet<T> {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.iter().collect::<Vec<_>>().to_python(py)
    }
}

impl<K: ToPython, V: ToPython> ToPython for BTreeMap<K, V> {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let dict = PyDict::new(py);
        for (key, value) in self {
            dict.set_item(key.to_python(py)?, value.to_python(py)?)?;
        }
        Ok(dict.into_any())
    }
}

impl ToPython for Value {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        loads(py, &self.to_string())
    }
}

/// A JSON document as dicts, lists and plain values.
pub(crate) fn loads<'py>(py: Python<'py>, json: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("json")?.call_method1("loads", (json,))
}

/// Data of the core as JSON.
pub(crate) fn to_json(data: &impl Serialize) -> PyResult<String> {
    serde_json::to_string(data).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// Data of the core from JSON. `document` is what it is, for the error.
pub(crate) fn from_json<T: DeserializeOwned>(json: &str, document: &'static str) -> PyResult<T> {
    serde_json::from_str(json).map_err(|error| raise(Error::invalid_document(document, error.to_string())))
}

/// The keyword arguments of a call, by name: options of the core.
pub(crate) struct Given(GivenOptions);

impl Given {
    /// All of them.
    pub(crate) fn of(given: &Bound<'_, PyDict>) -> PyResult<Self> {
        Ok(Self(GivenOptions::new(values_of(given)?)))
    }

    /// Takes those that `T` knows.
    pub(crate) fn take<T: DeserializeOwned>(&mut self) -> PyResult<T> {
        self.0.take().map_err(raise)
    }

    /// Takes the rest, which `T` has to know.
    pub(crate) fn last<T: DeserializeOwned>(self) -> PyResult<T> {
        self.0.last().map_err(raise)
    }
}

/// Options of one kind.
pub(crate) fn options<T: DeserializeOwned>(given: &Bound<'_, PyDict>) -> PyResult<T> {
    Given::of(given)?.last()
}

/// Options by name, in the words of JSON.
pub(crate) fn values_of(given: &Bound<'_, PyDict>) -> PyResult<Map<String, Value>> {
    let values = given.iter().map(|(name, value)| {
        let name: String = name.extract()?;
        let value = value_of(&value, &name, 0)?;
        Ok((name, value))
    });
    values.collect()
}

/// How deep options may be nested: more than any is, and no danger to the stack.
const DEEPEST: usize = 8;

/// The value of the option with this name, in the words of JSON. What it means is the core's to say.
fn value_of(object: &Bound<'_, PyAny>, option: &str, depth: usize) -> PyResult<Value> {
    let unusable = || {
        let kind = object.get_type().name().map_or_else(|_| "this".to_owned(), |name| format!("a `{name}`"));
        raise(Error::invalid_option(option, format!("{kind} is no value of an option")))
    };
    if object.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(flag) = object.cast::<PyBool>() {
        return Ok(flag.is_true().into());
    }
    if let Ok(text) = object.cast::<PyString>() {
        return Ok(text.to_str()?.into());
    }
    if let Ok(time) = object.cast::<PyDelta>() {
        // A negative one is the option's to refuse.
        let seconds = || Ok::<_, PyErr>(format!("{}s", time.call_method0("total_seconds")?));
        return Ok(time.extract::<Duration>().map(duration::format).or_else(|_| seconds())?.into());
    }
    if let Ok(number) = object.extract::<u64>() {
        return Ok(number.into());
    }
    if let Ok(number) = object.extract::<f64>() {
        return Number::from_f64(number).map(Value::Number).ok_or_else(unusable);
    }
    if depth == DEEPEST {
        return Err(unusable());
    }
    if let Ok(map) = object.cast::<PyMapping>() {
        let pairs = map.items()?;
        let pairs = pairs.iter().map(|pair| pair.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>());
        return pairs
            .map(|pair| {
                let (name, value) = pair?;
                let name: String = name.extract().map_err(|_| unusable())?;
                let value = value_of(&value, &format!("{option}.{name}"), depth + 1)?;
                Ok((name, value))
            })
            .collect();
    }
    let is_list = !object.is_instance_of::<PyBytes>() && !object.is_instance_of::<PyByteArray>();
    let items = object.try_iter().ok().filter(|_| is_list).ok_or_else(unusable)?;
    items.map(|item| value_of(&item?, option, depth + 1)).collect()
}
