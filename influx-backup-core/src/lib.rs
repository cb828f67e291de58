//! Backup and restore of InfluxDB 3 clusters (Core and Enterprise, Parquet engine) that prove themselves.
//!
//! # Overview
//!
//! Three types do most of the work:
//!
//! - A [`Location`] is where objects live: a directory, S3, Azure Blob Storage or Google Cloud Storage.
//! - A [`Cluster`] is what [`discover()`] finds at a location: edition, ids, nodes, catalog. A backup of a location finds it
//!   itself.
//! - A [`Repository`] is a location that holds backups. What is done with them is a method of it: plan and take a backup,
//!   list, verify, plan and run a restore, find and remove leftovers.
//!
//! Two verbs need no repository: [`certify()`] judges any tree, [`abandon()`] undoes a restore at its target.
//!
//! A backup of a running cluster is taken in passes (list, copy what is missing, list again) until a [`Certificate`] shows that
//! what was copied restores. Only then is it committed. A restore writes behind a boot guard, so that a half-done one never
//! starts. Plans ([`BackupPlan`], [`RestorePlan`]) are data: printed, kept as JSON, compared by hash.
//!
//! Each verb is a [`Job`], with a [`JobHandle`] to watch and cancel it, a stream of [`Event`]s and a result to await. Two
//! things are yours to replace: a [`Copier`] moves one object, an [`Orchestrator`] stops and starts servers. Every [`Error`] has a stable code, a category and a [report](Error::report) that serializes.
//!
//! # Example
//!
//! ```
//! # #[cfg(feature = "generate")]
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # influx_backup_core::testing::generate::Generate::core("node1").generate_into(&directory.path().join("data"))?;
//! # let place = |name: &str| directory.path().join(name).display().to_string();
//! # let (data, backups, elsewhere) = (place("data"), place("backups"), place("elsewhere"));
//! use influx_backup_core::{
//!     BackupOptions, Location, Repository, RestoreOptions, StoreOptions, certify,
//! };
//!
//! let options = StoreOptions::default();
//! let source = Location::parse(&data, &options)?;
//! let repository = Repository::open(Location::parse(&backups, &options)?).await?;
//! let report = repository.backup(&source, BackupOptions::default().with_name("monday")).await?;
//! println!("{report}");
//!
//! let target = Location::parse(&elsewhere, &options)?;
//! let plan = repository.plan_restore("monday", &target, &RestoreOptions::default()).await?;
//! println!("{plan}"); // a dry run ends here
//! repository.restore(&plan).await?;
//! assert!(certify(&target).await?.is_proven());
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "generate"))]
//! # fn main() {}
//! ```
//!
//! # Glossary
//!
//! | term | meaning |
//! |---|---|
//! | absent | a live file that neither the backup nor the source has: retention or compaction removed it |
//! | attested | known from the record of the run that took the backup, not recomputed from its bytes |
//! | boot guard | an invalid catalog root that stands at the target of a restore until all is verified: no server starts on it |
//! | clause | one of the nine statements that make up a certificate, `C1` to `C9` |
//! | cut | up to which snapshot of each node a backup, a proof or a restore goes |
//! | degraded | committed with the caller's consent although a clause is violated |
//! | fence | the listing of a node's WAL that ends before its snapshots are listed |
//! | lease | the right of one process to write a backup or a target, renewed every minute |
//! | pass | one round of list, plan, copy, list again and certify |
//! | promoted | a Core node that became part of an Enterprise cluster; its own catalog is stale |
//! | read through | copied by way of this process, which reads every byte |
//! | role | which location a plan means: `source`, `backup` or `shared` |
//! | top-up | WAL that is copied after the snapshots because it was written since the fence |
//!
//! `ARCHITECTURE.md` beside the sources has the layers of the crate.

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
mod judge;
pub mod key;
pub mod layout;
mod lease;
pub mod leftovers;
pub mod limits;
pub mod location;
mod log;
pub mod manifest;
mod named;
mod naming;
pub mod options;
pub mod orchestrate;
mod passed;
pub mod plan;
pub mod preflight;
mod read_limits;
pub mod record;
pub mod repository;
pub mod restore;
mod retry;
mod setters;
mod signature;
mod similar;
pub mod summary;
mod table;
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
    discover::{Source, discover},
    error::{Error, Result},
    event::{Event, EventKind, Phase, Progress},
    finding::{Clause, Finding, FindingCode, Severity},
    inventory::Inventory,
    job::{Events, Job, JobHandle, Request},
    key::Key,
    layout::{Component, Generation},
    leftovers::Leftover,
    limits::Limits,
    location::{Location, StoreOptions},
    manifest::{Backup, Manifest},
    naming::visible,
    options::{BackupOptions, CertifyOptions, Passes, RestoreOptions, RestoreRunOptions, VerifyLevel, VerifyOptions},
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
