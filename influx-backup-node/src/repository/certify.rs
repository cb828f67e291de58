//! `certify`

use napi::{Env, Result, bindgen_prelude::Object};
use napi_derive::napi;

use super::Repository;
use crate::{
    caller::Caller,
    job::{Job, start},
    options::options,
};

#[napi]
impl Repository {
    /// Starts to certify a backup.
    #[napi]
    pub fn certify(&self, env: &Env, name: String, given: Object<'_>, caller: &Caller) -> Result<Job> {
        start!(self.0.certify(&name).with_options(options(env, given)?), caller)
    }
}
