//! The runtime of all jobs of the process, those of worker threads among them.

use std::{io, sync::LazyLock};

use napi::{Error, Result, Status};
use tokio::runtime::{Handle, Runtime};

static RUNTIME: LazyLock<io::Result<Runtime>> = LazyLock::new(Runtime::new);

/// The runtime of all jobs.
///
/// # Errors
/// Where its threads cannot be started.
pub(crate) fn handle() -> Result<&'static Handle> {
    let failed =
        |error| Error::new(Status::GenericFailure, format!("the threads of influx-backup cannot be started: {error}"));
    RUNTIME.as_ref().map(Runtime::handle).map_err(failed)
}
