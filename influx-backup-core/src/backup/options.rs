//! [`BackupOptions`].

use std::{sync::Arc, time::Duration};

use crate::{
    copier::{Copier, default_copiers},
    judge::AbsenceTolerance,
    lease::Takeover,
    limits::Limits,
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
    pub on_violation: OnViolation,
    /// What to do with corrupt objects in the source.
    pub on_corrupt: OnCorrupt,
    /// Whether derived files are copied.
    pub derived: Derived,
    /// What to do with an unfinished backup of this name.
    pub on_existing: OnExisting,
    /// How hard to work.
    pub limits: Limits,
    /// What moves the objects.
    pub copier: Arc<dyn Copier>,
    /// What to do when most live Parquet files are gone from the source.
    pub absence_tolerance: AbsenceTolerance,
}

impl Default for BackupOptions {
    fn default() -> Self {
        Self {
            name: None,
            passes: Passes::default(),
            on_violation: OnViolation::default(),
            on_corrupt: OnCorrupt::default(),
            derived: Derived::default(),
            on_existing: OnExisting::default(),
            limits: Limits::default(),
            copier: default_copiers(),
            absence_tolerance: AbsenceTolerance::default(),
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
    pub const fn with_on_violation(mut self, on_violation: OnViolation) -> Self {
        self.on_violation = on_violation;
        self
    }

    /// With this answer to corrupt objects in the source.
    #[must_use]
    pub const fn with_on_corrupt(mut self, on_corrupt: OnCorrupt) -> Self {
        self.on_corrupt = on_corrupt;
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
    pub const fn with_on_existing(mut self, on_existing: OnExisting) -> Self {
        self.on_existing = on_existing;
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

    /// With this answer to a source most of whose live Parquet files are gone.
    #[must_use]
    pub const fn with_absence_tolerance(mut self, absence_tolerance: AbsenceTolerance) -> Self {
        self.absence_tolerance = absence_tolerance;
        self
    }
}

/// When to stop trying to close the certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passes {
    /// How many passes at most.
    pub max_passes: u32,
    /// For how long at most: after that no further pass begins; one that has begun is finished.
    pub time_limit: Duration,
}

impl Passes {
    /// Passes until the certificate closes, but no more than this many and for no longer than this.
    #[must_use]
    pub const fn until_closed(max_passes: u32, time_limit: Duration) -> Self {
        Self { max_passes, time_limit }
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
pub enum OnViolation {
    /// Say [`Error::NotConsistent`](crate::Error::NotConsistent) and commit nothing.
    #[default]
    Fail,
    /// Commit a backup marked `degraded`, with the violated clauses.
    Degrade,
}

/// What to do with corrupt objects in the source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnCorrupt {
    /// Say [`Error::CorruptSource`](crate::Error::CorruptSource) for what stops a server or loses rows.
    #[default]
    Fail,
    /// Copy them as they are and record them; the backup is `degraded` where a clause does not hold.
    Record,
}

/// What to do with an unfinished backup of the same name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnExisting {
    /// Say so.
    #[default]
    Refuse,
    /// Go on with it; take over as said.
    Resume(Takeover),
}
