//! `marker`

use napi::{Env, Result, bindgen_prelude::Object};
use napi_derive::napi;

use super::Repository;
use crate::{document::Document, promise::promise};

#[napi]
impl Repository {
    /// A promise of the marker of the repository, or of `null` where nothing was backed up to it yet.
    #[napi]
    pub fn marker<'env>(&self, env: &'env Env) -> Result<Object<'env>> {
        let repository = self.0.clone();
        promise(env, async move { Ok(repository.marker().await?.map(Document::new)) })
    }
}
