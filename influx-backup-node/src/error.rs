//! Errors of the core for JavaScript.

use influx_backup_core::{Error, FindingCode, error::ErrorReport};
use napi::{Env, JsValue, Result, Unknown, bindgen_prelude::Object};
use napi_derive::napi;

use crate::{callback::Thrown, convert::ToNode};

/// Why a call failed. What the native module throws has it as `failure`; the JavaScript side makes an `InfluxBackupError` of it.
#[napi]
#[derive(Debug)]
pub struct Failure {
    report: ErrorReport,
    thrown: Option<u32>,
}

#[napi]
impl Failure {
    /// Everything about the error.
    #[napi(getter)]
    pub fn report<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        self.report.to_node(env)
    }

    /// The number of what a copier or an orchestrator of the caller's threw, where that is the reason.
    #[napi(getter)]
    pub fn thrown(&self) -> Option<u32> {
        self.thrown
    }
}

/// Throws an error with its report.
pub(crate) fn throw(env: &Env, error: &Error, report: ErrorReport) -> napi::Error {
    let failure = Failure { report, thrown: thrown(error) };
    let made = || -> Result<Unknown<'_>> {
        let mut thrown = env.create_error(napi::Error::from_reason(error.to_string()))?;
        thrown.set("failure", failure)?;
        Ok(thrown.to_unknown())
    };
    made().map_or_else(|error| error, napi::Error::from_unknown_without_coercion)
}

/// Throws an error outside of a job.
pub(crate) fn raise(env: &Env) -> impl Fn(Error) -> napi::Error + '_ {
    |error| throw(env, &error, error.report())
}

/// What was thrown in JavaScript that the core had called.
fn thrown(error: &Error) -> Option<u32> {
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        if let Some(thrown) = source.downcast_ref::<Thrown>() {
            return thrown.index;
        }
        cause = source.source();
    }
    None
}

/// The stable codes of errors, each with its category and meaning.
#[napi]
pub fn error_codes(env: &Env) -> Result<Object<'_>> {
    let mut codes = Object::new(env)?;
    for row in Error::CODES {
        let mut code = Object::new(env)?;
        code.set("category", row.category.to_node(env)?)?;
        code.set("meaning", row.meaning)?;
        codes.set(row.code, code)?;
    }
    Ok(codes)
}

/// The stable codes of findings, each with its severity and meaning.
#[napi]
pub fn finding_codes(env: &Env) -> Result<Object<'_>> {
    let mut codes = Object::new(env)?;
    for row in FindingCode::ALL {
        let mut code = Object::new(env)?;
        code.set("severity", row.severity().to_node(env)?)?;
        code.set("meaning", row.meaning())?;
        codes.set(row.as_str(), code)?;
    }
    Ok(codes)
}

/// Throws that a job was cancelled, for one that is not started.
#[napi]
pub fn throw_cancelled(env: &Env) -> Result<()> {
    Err(raise(env)(Error::cancelled()))
}
