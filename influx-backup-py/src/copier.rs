//! Copiers: an object of the caller's as [`core::Copier`], and those of the core for Python.

use std::sync::Arc;

use async_trait::async_trait;
use influx_backup_core::{
    self as core,
    cancellation::Cancellation,
    checksum::{Blake3, Crc64},
    copier::{Copied, Copiers, CopyContext as CoreContext, CopyRequest as CoreRequest},
    error::{CopyError, Source},
};
use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
    types::PyTuple,
};

use crate::{
    callback::{Callee, Caller},
    convert::{ToPython, by_name},
};

by_name!(core::copier::Transform, core::copier::Transfer, Crc64, Blake3);

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
    fn __repr__(&self) -> String {
        let core::copier::CopyRequest { source, from, to, target, .. } = &self.0;
        format!("<CopyRequest {} of {from} to {target} of {to}, {} bytes>", source.key, source.size)
    }

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

    /// To be called directly before each request that changes the target. Raises `LeaseLost` where
    /// another process may have taken it over.
    fn check_lease(&self, py: Python<'_>) -> PyResult<()> {
        if self.0.check_lease().is_ok() {
            return Ok(());
        }
        let class = py.import("influx_backup.copiers")?.getattr("LeaseLost")?;
        Err(PyErr::from_value(class.call1((format!("{} may no longer be written to", self.0.to),))?))
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

/// Tells a copy that nothing waits for it any more.
struct Abandoned(Cancellation);

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

#[async_trait]
impl core::Copier for PythonCopier {
    async fn copy(&self, request: &CoreRequest, context: &CoreContext) -> Result<Copied, CopyError> {
        let size = request.source.size;
        let name = self.name.clone();
        let mut context = context.clone();
        context.cancellation = context.cancellation.child();
        let _abandoned = Abandoned(context.cancellation.clone());
        let given = (request.clone(), context);
        let arguments = move |py: Python<'_>| {
            let request = Bound::new(py, CopyRequest(given.0))?.into_any();
            Ok(PyTuple::new(py, [request, Bound::new(py, CopyContext(given.1))?.into_any()])?.unbind())
        };
        let take = move |answer: &Bound<'_, PyAny>| {
            let crc64 = answer.extract::<Option<String>>().ok();
            let crc64 = crc64.and_then(|crc64| crc64.map(|text| text.parse::<Crc64>()).transpose().ok());
            let crc64 = crc64.ok_or_else(|| {
                let expected = "expected None, or the checksum of the copy as sixteen hex digits";
                PyTypeError::new_err(format!("`copy` of {name} returned {answer:?}: {expected}"))
            })?;
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
///
/// # Errors
/// `TypeError` for what is no copier.
pub(crate) fn chain(given: Option<&Bound<'_, PyAny>>, caller: &Caller) -> PyResult<Option<Arc<dyn core::Copier>>> {
    let Some(given) = given else { return Ok(None) };
    let several = match given.try_iter() {
        Ok(several) => several.collect::<PyResult<Vec<_>>>()?,
        Err(_) => vec![given.clone()],
    };
    if several.is_empty() {
        return Err(PyValueError::new_err(
            "`copier` is an empty list, and copies nothing: leave it out for the default",
        ));
    }
    let copiers = several.iter().map(|copier| one(copier, caller)).collect::<PyResult<_>>()?;
    Ok(Some(Arc::new(Copiers::new(copiers))))
}

fn one(given: &Bound<'_, PyAny>, caller: &Caller) -> PyResult<Arc<dyn core::Copier>> {
    const EXPECTED: &str =
        "`copier` is an object with the method `copy(request, context)`, or several of them in a list";
    if let Ok(native) = given.cast::<NativeCopier>() {
        return Ok(Arc::clone(&native.get().0));
    }
    let callee = Callee::new(given, &["copy"], EXPECTED, caller)?;
    Ok(Arc::new(PythonCopier { callee, name: given.get_type().name()?.to_string() }))
}

/// Adds the classes and the function.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<CopyRequest>()?;
    module.add_class::<CopyContext>()?;
    module.add_class::<NativeCopier>()?;
    module.add_function(wrap_pyfunction!(default_copiers, module)?)
}
