//! `generate`, for `influx-backup/testing`

use std::path::PathBuf;

use influx_backup_core::{cancellation::Cancellation, testing::generate::GenerateOptions};
use napi::{Env, Result, bindgen_prelude::Object};
use napi_derive::napi;
use tokio::task::block_in_place;

use crate::{document::Document, options::options, promise::promise};

/// Writes a made-up cluster into a directory, and returns a promise of what it wrote.
#[napi]
pub fn generate<'env>(env: &'env Env, directory: String, given: Object<'_>) -> Result<Object<'env>> {
    let wanted: GenerateOptions = options(env, given)?;
    let directory = PathBuf::from(directory);
    promise(env, async move {
        let made = block_in_place(|| wanted.generate_into(&directory, &Cancellation::new()))?;
        Ok(Some(Document::new(made)))
    })
}
