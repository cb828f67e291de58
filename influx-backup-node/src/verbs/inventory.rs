//! `inventory`

use influx_backup_core::Cluster;
use napi::{Env, Result, bindgen_prelude::Object};
use napi_derive::napi;

use crate::{
    caller::Caller,
    document::Document,
    job::{Job, start},
    options::no_options,
};

/// Starts to list a cluster.
#[napi]
pub fn inventory(env: &Env, cluster: &Document, given: Object<'_>, caller: &Caller) -> Result<Job> {
    no_options(env, given)?;
    start!(cluster.expect::<Cluster>()?.list(), caller)
}
