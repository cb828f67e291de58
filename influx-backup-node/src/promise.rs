//! Promises of what is no job.

use influx_backup_core as core;
use napi::{Env, Result, bindgen_prelude::Object};

use crate::{document::Document, error::raise, runtime};

/// A promise of what `work` returns. A panic is an `InternalError`, as in a job.
pub(crate) fn promise(
    env: &Env,
    work: impl Future<Output = core::Result<Option<Document>>> + Send + 'static,
) -> Result<Object<'_>> {
    let (deferred, promise) = env.create_deferred()?;
    let runtime = runtime::handle()?;
    let work = runtime.spawn(work);
    runtime.spawn(async move {
        // Nothing cancels it.
        let result =
            work.await.unwrap_or_else(|failed| Err(core::Error::panicked("promise", failed.into_panic().as_ref())));
        deferred.resolve(move |env| result.map_err(raise(&env)));
    });
    Ok(promise)
}
