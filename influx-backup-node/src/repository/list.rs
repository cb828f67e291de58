//! `list`

use napi::{Env, Result, bindgen_prelude::Object};
use napi_derive::napi;

use super::Repository;
use crate::{
    caller::Caller,
    job::{Job, start},
    options::no_options,
};

#[napi]
impl Repository {
    /// Starts to list what lies in a repository.
    #[napi]
    pub fn list(&self, env: &Env, given: Object<'_>, caller: &Caller) -> Result<Job> {
        no_options(env, given)?;
        start!(self.0.list(), caller)
    }
}
