//! Backup and restore of InfluxDB 3 clusters.

pub mod backup;
pub mod certificate;
pub mod checksum;
mod concurrent;
pub mod copier;
pub mod discover;
pub mod error;
pub mod execute;
pub mod format;
pub mod inventory;
pub mod key;
pub mod layout;
pub mod location;
pub mod manifest;
pub mod observe;
pub mod orchestrate;
pub mod plan;
pub mod preflight;
pub mod repository;
pub mod restore;
#[cfg(feature = "testing")]
pub mod testing;
pub mod verify;

pub use object_store;

pub use self::{
    backup::{BackupOptions, BackupReport, Passes},
    certificate::{Certificate, Clause, certify},
    copier::{Copier, default_copiers},
    discover::{Cluster, Discover, discover},
    error::{Error, Result},
    execute::Limits,
    inventory::Inventory,
    key::Key,
    layout::{Component, Generation},
    location::{Location, Options},
    manifest::{Backup, Manifest},
    observe::{ByteSize, Event, Job},
    orchestrate::Orchestrator,
    plan::{BackupPlan, RestorePlan, Stage},
    repository::Repository,
    restore::{RestoreOptions, RestoreReport, Target, abandon, restore},
    verify::{Level, verify},
};

/// The example of the README runs as a test.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
#[derive(Debug)]
pub struct Readme;
