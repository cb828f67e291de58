//! What lies in a repository.

use influx_backup_core::{Backup, Key};
use napi::{Env, Result, Unknown};
use napi_derive::napi;

use crate::{
    convert::{ToNode, by_name},
    document::{Document, data, document},
    error::raise,
};

influx_backup_bindings::repository_tables!(by_name, document);

data! {
    Backup(it: Backup) {
        name = it.name(),
        location = it.location(),
        sha256 = it.sha256(),
        repository = it.repository(),
        objects lazily = it.objects().cloned().collect::<Vec<_>>(),
        absent lazily = it.absent().cloned().collect::<Vec<_>>(),
        manifest = it.manifest(),
    }
    json(Ok(None))
}

/// The object of a backup with this key; `null` where it holds none.
#[napi]
pub fn object_of_backup<'env>(env: &'env Env, backup: &Document, key: String) -> Result<Unknown<'env>> {
    let key = Key::parse(&key).map_err(|error| raise(env)(error.into()))?;
    backup.expect::<Backup>()?.object(&key).cloned().to_node(env)
}
