//! `list`

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
    /// Starts to list what lies in a repository.
    #[napi]
    pub fn list(&self, env: &Env, given: Object<'_>, caller: &Caller) -> Result<Job> {
        start!(self.0.list_with(options(env, given)?), caller)
    }
}
