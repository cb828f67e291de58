//! Promises of what is no job.

use influx_backup_core as core;
use napi::{Env, Result, bindgen_prelude::Object};

use crate::{document::Document, error::raise, runtime};

/// A promise of what `work` returns.
pub(crate) fn promise(
    env: &Env,
    work: impl Future<Output = core::Result<Option<Document>>> + Send + 'static,
) -> Result<Object<'_>> {
    let (deferred, promise) = env.create_deferred()?;
    runtime::handle()?.spawn(async move {
        let result = work.await;
        deferred.resolve(move |env| result.map_err(raise(&env)));
    });
    Ok(promise)
}
