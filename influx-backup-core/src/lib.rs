//! Backup and restore of InfluxDB 3 clusters (Core and Enterprise, Parquet engine) that prove themselves.
//!
//! A [`Location`] is where objects live. [`discover()`] finds the [`Cluster`] there, [`Cluster::list`] its [`Inventory`], and
//! [`BackupPlan`] and [`RestorePlan`] say, as data and without any I/O, what is copied in which order. A [`Repository`] runs
//! backups in passes (list, plan, copy, list again, certify) until the [`Certificate`] closes; [`restore()`] brings one back
//! behind a boot guard. A [`Copier`] moves one object, an [`Orchestrator`] stops and starts servers: both are the caller's to
//! replace. Whatever runs is a [`Job`], with a
//! [`JobHandle`] to cancel it, a stream of [`Event`]s and a result to await.
//!
//! Data flows one way through the modules: [`location`] → [`layout`] → [`discover`](mod@discover) → [`inventory`] → [`plan`] →
//! [`copier`] → [`execute`] → [`certificate`] → [`manifest`]; [`backup`], [`restore`](mod@restore), [`verify`](mod@verify) and
//! [`repository`] and [`leftovers`] use them all. [`format`](mod@format) reads InfluxDB's files, pure, over bytes.
//!
//! The README has an example; the package `examples` one for each verb.

mod adaptive;
pub mod backup;
pub mod cancellation;
pub mod certificate;
pub mod certify;
pub mod checksum;
#[cfg(feature = "cli")]
pub mod cli;
pub mod cluster;
mod concurrent;
pub mod copier;
pub mod discover;
pub mod error;
pub mod event;
pub mod execute;
mod facts;
pub mod finding;
pub mod format;
pub mod inventory;
pub mod job;
pub mod judge;
pub mod key;
pub mod layout;
pub mod lease;
pub mod leftovers;
pub mod limits;
pub mod location;
mod log;
pub mod manifest;
mod named;
pub mod options;
pub mod orchestrate;
pub mod plan;
pub mod preflight;
pub mod record;
pub mod repository;
pub mod restore;
mod retry;
pub mod summary;
pub mod target;
#[cfg(feature = "generate")]
pub mod testing;
pub mod units;
pub mod verify;
mod versioned;

pub use self::{
    backup::BackupReport,
    certificate::Certificate,
    certify::certify,
    cluster::{Cluster, DiscoverOptions},
    copier::{Copier, default_copiers},
    discover::discover,
    error::{Error, Result},
    event::{Event, EventKind, Progress},
    finding::{Clause, Finding, FindingCode, Severity},
    inventory::Inventory,
    job::{Events, Job, JobHandle},
    key::Key,
    layout::{Component, Generation},
    leftovers::Leftover,
    limits::Limits,
    location::{Location, StoreOptions},
    manifest::{Backup, Manifest},
    options::{BackupOptions, Passes, RestoreOptions, VerifyLevel, VerifyOptions},
    orchestrate::Orchestrator,
    plan::{BackupPlan, RestorePlan, Stage},
    repository::Repository,
    restore::{Restore, RestoreReport, abandon},
    target::Target,
    units::ByteSize,
    verify::verify,
};

/// The example of the README runs as a test.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
#[derive(Debug)]
pub struct Readme;
