//! [`BackupOptions`].

use std::{sync::Arc, time::Duration};

use super::Weakness;
use crate::{
    copier::{Copier, default_copiers},
    execute::Limits,
    manifest::TakeOver,
    plan::Derived,
};

/// How a backup is taken.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BackupOptions {
    /// The backup's name; `None`: `backup-YYYYMMDD-HHMMSS` in UTC.
    pub name: Option<String>,
    /// When to stop trying to close the certificate.
    pub passes: Passes,
    /// What to do when it does not close.
    pub open_certificate: OpenCertificate,
    /// What to do with corrupt objects in the source.
    pub corrupt: CorruptPolicy,
    /// Whether derived files are copied.
    pub derived: Derived,
    /// What to do with an unfinished backup of this name.
    pub existing: Existing,
    /// How hard to work.
    pub limits: Limits,
    /// What moves the objects.
    pub copier: Arc<dyn Copier>,
    /// What to do when most live Parquet files are gone from the source.
    pub missing_parquet: MissingParquet,
    /// Rules that are turned off, to show in tests that they are needed.
    pub(crate) weaknesses: Vec<Weakness>,
}

impl Default for BackupOptions {
    fn default() -> Self {
        Self {
            name: None,
            passes: Passes::default(),
            open_certificate: OpenCertificate::default(),
            corrupt: CorruptPolicy::default(),
            derived: Derived::default(),
            existing: Existing::default(),
            limits: Limits::default(),
            copier: default_copiers(),
            missing_parquet: MissingParquet::default(),
            weaknesses: Vec::new(),
        }
    }
}

impl BackupOptions {
    /// Under this name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// With these limits on passes.
    #[must_use]
    pub const fn with_passes(mut self, passes: Passes) -> Self {
        self.passes = passes;
        self
    }

    /// With this answer to a certificate that does not close.
    #[must_use]
    pub const fn with_open_certificate(mut self, open_certificate: OpenCertificate) -> Self {
        self.open_certificate = open_certificate;
        self
    }

    /// With this answer to corrupt objects in the source.
    #[must_use]
    pub const fn with_corrupt(mut self, corrupt: CorruptPolicy) -> Self {
        self.corrupt = corrupt;
        self
    }

    /// With derived files, or without.
    #[must_use]
    pub const fn with_derived(mut self, derived: Derived) -> Self {
        self.derived = derived;
        self
    }

    /// With this answer to an unfinished backup of the same name.
    #[must_use]
    pub const fn with_existing(mut self, existing: Existing) -> Self {
        self.existing = existing;
        self
    }

    /// With these limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// With this copier (or a chain of them, [`Copiers`](crate::copier::Copiers)).
    #[must_use]
    pub fn with_copier(mut self, copier: Arc<dyn Copier>) -> Self {
        self.copier = copier;
        self
    }

    /// Without one more of the rules, to show in tests that it is needed.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn weakened(mut self, weakness: Weakness) -> Self {
        self.weaknesses.push(weakness);
        self
    }

    /// Whether a rule is turned off.
    pub(crate) fn lacks(&self, weakness: Weakness) -> bool {
        self.weaknesses.contains(&weakness)
    }

    /// With this answer to a source most of whose live Parquet files are gone.
    #[must_use]
    pub const fn with_missing_parquet(mut self, missing_parquet: MissingParquet) -> Self {
        self.missing_parquet = missing_parquet;
        self
    }
}

/// When to stop trying to close the certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passes {
    /// How many passes at most.
    pub most: u32,
    /// For how long at most: after that no further pass begins; one that has begun is finished.
    pub time: Duration,
}

impl Passes {
    /// Passes until the certificate closes, but no more than this many and for no longer than this.
    #[must_use]
    pub const fn until_closed(most: u32, time: Duration) -> Self {
        Self { most, time }
    }
}

impl Default for Passes {
    /// Ten passes, a day.
    fn default() -> Self {
        Self::until_closed(10, Duration::from_secs(24 * 3600))
    }
}

/// What to do when the certificate does not close.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenCertificate {
    /// Say [`Error::NotConsistent`](crate::Error::NotConsistent) and commit nothing.
    #[default]
    Fail,
    /// Commit a backup marked `degraded`, with the violated clauses.
    Degrade,
}

/// What to do with corrupt objects in the source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CorruptPolicy {
    /// Say [`Error::CorruptSource`](crate::Error::CorruptSource) for what stops a server or loses rows.
    #[default]
    Fail,
    /// Copy them as they are and record them; the backup is `degraded` where a clause does not hold.
    Record,
}

/// What to do with an unfinished backup of the same name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Existing {
    /// Say so.
    #[default]
    Refuse,
    /// Go on with it; take over as said.
    Resume(TakeOver),
}

/// What to do when most live Parquet files are gone. Core: `dbs` is empty under live references, or lacks more than half of
/// them. Enterprise, where compaction supersedes files: `dbs` of a node was emptied while the backup ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MissingParquet {
    /// A violation: a volume is probably not mounted.
    #[default]
    Refuse,
    /// A finding: the caller knows that retention removed them.
    Accept,
}
