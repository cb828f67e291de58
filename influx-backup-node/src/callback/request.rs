//! What `copy` is called with.

use influx_backup_core::{
    checksum::{Blake3, Crc64},
    copier::{CopyRequest, Transfer, Transform},
};
use napi::{Env, Result, bindgen_prelude::Object};

use crate::convert::{ToNode, by_name};

by_name!(Transform, Transfer, Crc64, Blake3);

/// The fields of `CopyRequest`.
pub(super) fn fields<'env>(request: &CopyRequest, env: &'env Env) -> Result<Object<'env>> {
    let mut fields = Object::new(env)?;
    fields.set("source", request.from.to_node(env)?)?;
    fields.set("sourceKey", request.source.key.to_node(env)?)?;
    fields.set("target", request.to.to_node(env)?)?;
    fields.set("targetKey", request.target.to_node(env)?)?;
    fields.set("size", request.source.size.to_node(env)?)?;
    fields.set("crc64", request.expect.crc64.to_node(env)?)?;
    fields.set("eTag", request.source.version.e_tag.to_node(env)?)?;
    fields.set("transform", request.transform.to_node(env)?)?;
    fields.set("transfer", request.transfer.to_node(env)?)?;
    Ok(fields)
}
