//! Copiers: an object of the caller's as [`core::Copier`], and those of the core for Python.

use std::sync::Arc;

use async_trait::async_trait;
use influx_backup_core::{
    self as core,
    checksum::Crc64,
    copier::{Copied, Copiers, CopyContext as CoreContext, CopyRequest as CoreRequest},
    error::{CopyError, Source},
};
use pyo3::{exceptions::PyTypeError, prelude::*, types::PyTuple};

use crate::{
    callback::Callee,
    convert::{ToPython, by_name},
};

by_name!(core::copier::Transform, core::copier::Transfer, Crc64);

/// The copiers of the package, in their order. It goes into a chain: `copier=[Mine(), *default_copiers()]`.
#[pyclass(frozen, module = "influx_backup")]
#[derive(Debug)]
struct NativeCopier(Arc<dyn core::Copier>);

/// The copiers that a backup and a restore use unless told otherwise: to be put behind one's own.
#[pyfunction]
fn default_copiers() -> Vec<NativeCopier> {
    vec![NativeCopier(core::default_copiers())]
}

/// One object to move.
#[pyclass(frozen, module = "influx_backup")]
#[derive(Debug)]
struct CopyRequest(CoreRequest);

#[pymethods]
impl CopyRequest {
    /// Where the object lies.
    #[getter]
    fn source<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.from.to_python(py)
    }

    /// Its key there.
    #[getter]
    fn source_key(&self) -> &str {
        self.0.source.key.as_str()
    }

    /// Where to copy it to.
    #[getter]
    fn target<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.to.to_python(py)
    }

    /// Its key there.
    #[getter]
    fn target_key(&self) -> &str {
        self.0.target.as_str()
    }

    /// How many bytes it has.
    #[getter]
    fn size(&self) -> u64 {
        self.0.source.size
    }

    /// The checksum (CRC-64/NVME, sixteen hex digits) that it is expected to have, where that is known.
    #[getter]
    fn crc64<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.expect.crc64.to_python(py)
    }

    /// The entity tag of the version to copy, where the store has them.
    #[getter]
    fn e_tag(&self) -> Option<&str> {
        self.0.source.version.e_tag.as_deref()
    }

    /// What is done to the bytes on the way; raise `Unsupported` for what is not known.
    #[getter]
    fn transform<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.transform.to_python(py)
    }

    /// How the object may be moved: `any`, or `read_through`, which a copy by the store itself is not.
    #[getter]
    fn transfer<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.transfer.to_python(py)
    }

    /// To be called directly before each request that changes the target. Raises `RuntimeError`
    /// where another process took it over.
    fn check_lease(&self) -> PyResult<()> {
        self.0.check_lease().map_err(|error| PyErr::new::<pyo3::exceptions::PyRuntimeError, _>(error.to_string()))
    }
}

/// What a copier may use besides the request.
#[pyclass(frozen, module = "influx_backup")]
#[derive(Debug)]
struct CopyContext(CoreContext);

#[pymethods]
impl CopyContext {
    /// Whether the copy is to stop: look at it now and then.
    #[getter]
    fn is_cancelled(&self) -> bool {
        self.0.cancellation.is_cancelled()
    }

    /// Reports that this many bytes were moved.
    fn moved(&self, bytes: u64) {
        (self.0.progress)(bytes);
    }
}

/// Calls `copy(request, context)`.
#[derive(Debug)]
struct PythonCopier {
    callee: Callee,
    name: String,
}

#[async_trait]
impl core::Copier for PythonCopier {
    async fn copy(&self, request: &CoreRequest, context: &CoreContext) -> Result<Copied, CopyError> {
        let size = request.source.size;
        let name = self.name.clone();
        let mut context = context.clone();
        context.cancellation = context.cancellation.child();
        let given = (request.clone(), context);
        let arguments = move |py: Python<'_>| {
            let request = Bound::new(py, CopyRequest(given.0))?.into_any();
            Ok(PyTuple::new(py, [request, Bound::new(py, CopyContext(given.1))?.into_any()])?.unbind())
        };
        let take = move |answer: &Bound<'_, PyAny>| {
            let crc64 = answer.extract::<Option<String>>()?;
            let crc64 = crc64.map(|text| text.parse::<Crc64>()).transpose();
            let crc64 = crc64.map_err(|error| PyTypeError::new_err(error.to_string()))?;
            Ok(crc64.map_or_else(
                || Copied::unverified(size, name.clone()),
                |crc64| Copied::read_through(size, crc64, name.clone()),
            ))
        };
        self.callee.call("copy", arguments, take).await.map_err(copy_error)
    }
}

/// What a copier raised: a `CopyError` of `influx_backup.copiers` by its code, anything else as it is.
fn copy_error(raised: Source) -> CopyError {
    let code = raised
        .downcast_ref::<PyErr>()
        .and_then(|error| Python::attach(|py| error.value(py).getattr("copy_code").ok()?.extract::<String>().ok()));
    match code {
        Some(code) => CopyError::new(&code, raised.to_string()),
        None => CopyError::failed(raised),
    }
}

/// The chain of what a caller gives: one copier, or several that are asked in turn.
pub(crate) fn chain(
    given: Option<&Bound<'_, PyAny>>,
    event_loop: Option<&Bound<'_, PyAny>>,
) -> PyResult<Option<Arc<dyn core::Copier>>> {
    let Some(given) = given.filter(|given| !given.is_none()) else { return Ok(None) };
    let several = match given.hasattr("copy")? && !given.is_instance_of::<pyo3::types::PyList>() {
        true => vec![given.clone()],
        false => given.try_iter()?.collect::<PyResult<Vec<_>>>()?,
    };
    let copiers = several.iter().map(|copier| -> PyResult<Arc<dyn core::Copier>> {
        if let Ok(native) = copier.cast::<NativeCopier>() {
            return Ok(Arc::clone(&native.get().0));
        }
        if !copier.hasattr("copy")? {
            return Err(PyTypeError::new_err(format!("a copier has a method `copy`, which {} lacks", copier.repr()?)));
        }
        let name = copier.get_type().name()?.to_string();
        Ok(Arc::new(PythonCopier { callee: Callee::new(copier, event_loop), name }))
    });
    Ok(Some(Arc::new(Copiers::new(copiers.collect::<PyResult<_>>()?))))
}

/// Adds the classes and the function.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<CopyRequest>()?;
    module.add_class::<CopyContext>()?;
    module.add_class::<NativeCopier>()?;
    module.add_function(wrap_pyfunction!(default_copiers, module)?)
}
