//! `planRestore`

use napi::{Env, Result, bindgen_prelude::Object};
use napi_derive::napi;

use super::Repository;
use crate::{
    caller::Caller,
    job::{Job, start},
    location::Location,
    options::options,
};

#[napi]
impl Repository {
    /// Starts to plan a restore.
    #[napi]
    pub fn plan_restore(
        &self,
        env: &Env,
        name: String,
        target: &Location,
        given: Object<'_>,
        caller: &Caller,
    ) -> Result<Job> {
        start!(self.0.plan_restore(&name, &target.0, &options(env, given)?), caller)
    }
}
