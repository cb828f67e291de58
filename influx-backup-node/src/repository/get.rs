//! `get`

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
    /// Starts to open a backup.
    #[napi]
    pub fn get(&self, env: &Env, name: String, given: Object<'_>, caller: &Caller) -> Result<Job> {
        no_options(env, given)?;
        start!(self.0.get(&name), caller)
    }
}
