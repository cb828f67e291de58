//! `planBackup`

use napi::{
    Env, Result,
    bindgen_prelude::{Either, Object},
};
use napi_derive::napi;

use super::{Repository, backup::source_of};
use crate::{
    caller::Caller,
    document::Document,
    job::{Job, start},
    location::Location,
    options::{Given, OF_ALL},
};

#[napi]
impl Repository {
    /// Starts to plan a backup.
    #[napi]
    pub fn plan_backup(
        &self,
        env: &Env,
        source: Either<&Document, &Location>,
        given: Object<'_>,
        caller: &Caller,
    ) -> Result<Job> {
        let mut given = Given::of(env, given, OF_ALL)?;
        let source = source_of(source, &mut given)?;
        start!(self.0.plan_backup(source, &given.last()?), caller)
    }
}
