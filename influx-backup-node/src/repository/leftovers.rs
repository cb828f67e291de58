//! `leftovers`

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
    /// Starts to look for what attempts that ended without a commit left.
    #[napi]
    pub fn leftovers(&self, env: &Env, given: Object<'_>, caller: &Caller) -> Result<Job> {
        no_options(env, given)?;
        start!(self.0.leftovers(), caller)
    }
}
