//! Backup and restore of InfluxDB 3 clusters (Core and Enterprise, Parquet engine) that prove themselves.
//!
//! A [`Location`] is where objects live. [`discover()`] finds the [`Cluster`] there, [`Cluster::list`] its [`Inventory`], and
//! [`BackupPlan`] and [`RestorePlan`] say, as data and without any I/O, what is copied in which order. A [`Repository`] runs
//! backups in passes (list, plan, copy, list again, certify) until the [`Certificate`] closes; [`restore()`] brings one back
//! behind a boot guard. A [`Copier`] moves one object, an [`Orchestrator`] stops and starts servers: both are the caller's to
//! replace. Whatever runs is a [`Job`]: awaited, asked for its [`Event`]s, cancelled.
//!
//! Data flows one way through the modules: [`location`] → [`layout`] → [`discover`](mod@discover) → [`inventory`] → [`plan`] →
//! [`copier`] → [`execute`] → [`certificate`] → [`manifest`]; [`backup`], [`restore`](mod@restore), [`verify`](mod@verify) and
//! [`repository`] and [`leftovers`] use them all. [`format`](mod@format) reads InfluxDB's files, pure, over bytes.
//!
//! The README has an example; the package `examples` one for each verb.

mod adaptive;
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
pub mod leftovers;
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
    leftovers::Leftover,
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
