//! What lies in a repository.

use influx_backup_core::{Backup, Key};
use napi::{Env, Result, Unknown};
use napi_derive::napi;

use crate::{
    convert::{ToNode, by_name},
    document::{Document, data, document},
    error::raise,
};

/// Gives a backup its class. It is no document.
macro_rules! backup {
    ($(#[doc = $doc:literal])+ $name:ident($it:ident: $core:ty) $fields:tt) => {
        data! { $name($it: $core) $fields json(Ok(None)) }
    };
}

influx_backup_bindings::repository_tables!(by_name, document, backup);

/// The object of a backup with this key; `null` where it holds none.
#[napi]
pub fn object_of_backup<'env>(env: &'env Env, backup: &Document, key: String) -> Result<Unknown<'env>> {
    let key = Key::parse(&key).map_err(|error| raise(env)(error.into()))?;
    backup.expect::<Backup>()?.object(&key).to_node(env)
}
