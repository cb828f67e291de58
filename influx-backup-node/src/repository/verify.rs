//! `verify`

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
    /// Starts to verify a backup.
    #[napi]
    pub fn verify(&self, env: &Env, name: String, given: Object<'_>, caller: &Caller) -> Result<Job> {
        start!(self.0.verify(&name, options(env, given)?), caller)
    }
}
