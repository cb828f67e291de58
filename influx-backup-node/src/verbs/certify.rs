//! `certify`

use influx_backup_core::{
    Backup, Cluster,
    certify::{certify as certify_location, certify_backup, certify_cluster},
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

/// Starts to judge the tree at a place, a cluster, or a backup that is open.
#[napi]
pub fn certify(env: &Env, tree: Either<&Document, &Location>, given: Object<'_>, caller: &Caller) -> Result<Job> {
    let request = match tree {
        Either::A(document) => match document.get::<Cluster>() {
            Some(cluster) => certify_cluster(cluster),
            None => certify_backup(document.expect::<Backup>()?),
        },
        Either::B(location) => certify_location(&location.0),
    };
    start!(request.with_options(options(env, given)?), caller)
}
