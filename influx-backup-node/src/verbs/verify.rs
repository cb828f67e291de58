//! `verify`

use influx_backup_core::{
    Backup,
    verify::{verify as verify_backup, verify_at},
};
use napi::{
    Env, Result,
    bindgen_prelude::{Either, Object},
};
use napi_derive::napi;

use crate::{
    caller::Caller,
    document::Document,
    job::{Job, start},
    location::Location,
    options::options,
};

/// Starts to verify the backup at a place, or one that is open.
#[napi]
pub fn verify(env: &Env, backup: Either<&Document, &Location>, given: Object<'_>, caller: &Caller) -> Result<Job> {
    match backup {
        Either::A(backup) => start!(verify_backup(backup.expect::<Backup>()?, options(env, given)?), caller),
        Either::B(location) => start!(verify_at(&location.0, options(env, given)?), caller),
    }
}
