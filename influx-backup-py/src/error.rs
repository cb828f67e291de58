//! Errors of the core as exceptions.

use influx_backup_core::{Error, FindingCode, error::ErrorReport};
use pyo3::{
    exceptions::{PyKeyboardInterrupt, PySystemExit},
    prelude::*,
    types::PyDict,
};

use crate::convert::ToPython;

/// The exception for an error: an `InfluxBackupError` of `influx_backup.errors`, made from its report. Where a copier or an
/// orchestrator of the caller raised, that exception is its `__cause__`; `KeyboardInterrupt` and `SystemExit` come back as
/// they are, as nothing that handles errors is to catch them.
pub(crate) fn exception(py: Python<'_>, error: &Error, report: &ErrorReport) -> PyErr {
    let raised = raised(py, error);
    if let Some(raised) = &raised
        && (raised.is_instance_of::<PyKeyboardInterrupt>(py) || raised.is_instance_of::<PySystemExit>(py))
    {
        return raised.clone_ref(py);
    }
    let made = || -> PyResult<PyErr> {
        let class = py.import("influx_backup.errors")?.getattr("of_report")?;
        let exception = class.call1((report.to_python(py)?,))?;
        let exception = PyErr::from_value(exception);
        exception.set_cause(py, raised);
        Ok(exception)
    };
    made().unwrap_or_else(|error| error)
}

/// What was raised in Python code that the core had called.
fn raised(py: Python<'_>, error: &Error) -> Option<PyErr> {
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        if let Some(raised) = source.downcast_ref::<PyErr>() {
            return Some(raised.clone_ref(py));
        }
        cause = source.source();
    }
    None
}

/// Raises an error outside of a job.
pub(crate) fn raise(error: Error) -> PyErr {
    Python::attach(|py| exception(py, &error, &error.report()))
}

/// Adds the tables of codes: of errors `code -> (category, meaning)`, of findings `code -> (severity, meaning)`.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let codes = PyDict::new(py);
    for row in Error::CODES {
        codes.set_item(row.code, (row.category.to_python(py)?, row.meaning))?;
    }
    module.add("ERROR_CODES", codes)?;
    let codes = PyDict::new(py);
    for code in FindingCode::ALL {
        codes.set_item(code.as_str(), (code.severity().to_python(py)?, code.meaning()))?;
    }
    module.add("FINDING_CODES", codes)
}
