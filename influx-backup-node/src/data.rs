//! What the core returns as data, each type a class.

mod certificate;
mod cluster;
mod error;
mod finding;
mod generated;
mod objects;
mod plans;
mod progress;
mod reports;
mod repository;
mod target;

use influx_backup_core as core;
use napi::{Env, Result, bindgen_prelude::Object};
use napi_derive::napi;

use crate::{document::Document, error::raise, event};

/// The classes of all data, with what each is: a document that is read from JSON, an event, or else data.
#[napi]
pub fn data_classes(env: &Env) -> Result<Object<'_>> {
    let mut classes = Object::new(env)?;
    let documents = [
        certificate::CLASSES,
        cluster::CLASSES,
        error::CLASSES,
        finding::CLASSES,
        generated::CLASSES,
        objects::CLASSES,
        plans::CLASSES,
        progress::CLASSES,
        reports::CLASSES,
        repository::CLASSES,
        target::CLASSES,
        plans::PLANS,
    ];
    for class in documents.into_iter().flatten() {
        classes.set(class, "document")?;
    }
    for class in event::CLASSES {
        classes.set(class, "event")?;
    }
    for class in ["Backup", "Cluster"] {
        classes.set(class, "data")?;
    }
    Ok(classes)
}

/// Reads the JSON of a document of this class.
#[napi]
pub fn read_document(env: &Env, class: String, json: String) -> Result<Document> {
    let readers = [
        certificate::read,
        cluster::read,
        error::read,
        finding::read,
        generated::read,
        objects::read,
        plans::read,
        progress::read,
        reports::read,
        repository::read,
        target::read,
        plans::read_plan,
        event::read,
    ];
    let unknown = || Err(core::Error::invalid_document("document", format!("there is no document `{class}`")));
    readers.iter().find_map(|read| read(&class, &json)).unwrap_or_else(unknown).map_err(raise(env))
}
