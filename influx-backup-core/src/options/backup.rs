//! [`BackupOptions`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Secret, Takeover};
use crate::{
    error::{Error, Result},
    key::Key,
    limits::Limits,
    named::named,
    setters::setters,
    signature::Signer,
    units::duration,
};

/// How a backup is taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct BackupOptions {
    /// The backup's name; `None`: `backup-YYYYMMDD-HHMMSS` in UTC.
    pub name: Option<String>,
    /// When to stop trying to close the certificate.
    pub passes: Passes,
    /// What to do when clauses of the certificate are violated at the end.
    pub on_violation: OnViolation,
    /// What to do with corrupt objects in the source.
    pub on_corrupt: OnCorrupt,
    /// What to do with objects in the source that cannot be read, or are archived.
    pub on_unreadable: OnUnreadable,
    /// Whether objects get a cryptographic digest beside their checksum, where their bytes pass through this process.
    pub digest: ContentDigest,
    /// The text of a file of a secret key of minisign, which signs the root manifest. It is never written or shown.
    pub sign: Option<Secret>,
    /// The password of that key, where it has one. It is never written or shown.
    pub sign_password: Option<Secret>,
    /// Whether derived files are copied.
    pub derived: Derived,
    /// What to do with an unfinished backup of this name.
    pub on_existing: OnExisting,
    /// When an unfinished backup may be taken over from another process; only where `on_existing` is `resume`.
    pub takeover: Takeover,
    /// How many resources to use.
    pub limits: Limits,
    /// What to do when most live Parquet files are gone from the source.
    pub absence_tolerance: AbsenceTolerance,
    /// How long each server may take to stop, where there is an orchestrator.
    #[serde(with = "duration")]
    pub stop_timeout: Duration,
}

impl Default for BackupOptions {
    fn default() -> Self {
        Self {
            name: None,
            passes: Passes::default(),
            on_violation: OnViolation::default(),
            on_corrupt: OnCorrupt::default(),
            on_unreadable: OnUnreadable::default(),
            digest: ContentDigest::default(),
            sign: None,
            sign_password: None,
            derived: Derived::default(),
            on_existing: OnExisting::default(),
            takeover: Takeover::default(),
            limits: Limits::default(),
            absence_tolerance: AbsenceTolerance::default(),
            stop_timeout: super::STOP_TIMEOUT,
        }
    }
}

impl BackupOptions {
    /// Checks that the options fit together. A backup does so before it begins.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] with the name of the option that does not.
    pub fn check(&self) -> Result<()> {
        if let Some(name) = &self.name {
            check_name(name)?;
        }
        if self.passes.max_passes == 0 {
            return Err(Error::invalid_request("passes.max_passes", "a backup takes at least 1 pass"));
        }
        if self.on_existing == OnExisting::Resume && self.name.is_none() {
            return Err(Error::invalid_request("on_existing", "only a backup with a `name` can be resumed"));
        }
        if self.takeover == Takeover::Immediately && self.on_existing != OnExisting::Resume {
            let reason = "only a backup that is resumed can be taken over: set `on_existing` to `resume`";
            return Err(Error::invalid_request("takeover", reason));
        }
        if self.sign_password.is_some() && self.sign.is_none() {
            return Err(Error::invalid_request("sign_password", "it is the password of a key: set `sign`"));
        }
        self.limits.check()
    }

    /// What signs the manifest. A key with a password takes about a second to open.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`].
    pub(crate) fn signer(&self) -> Result<Option<Signer>> {
        let password = self.sign_password.as_ref().map(Secret::as_str);
        self.sign.as_ref().map(|key| Signer::read(key.as_str(), password)).transpose()
    }

    /// Signs the root manifest with this secret key of minisign: the text of its file.
    #[must_use]
    pub fn with_sign(mut self, key: impl Into<Secret>) -> Self {
        self.sign = Some(key.into());
        self
    }

    /// Gives the password of that key.
    #[must_use]
    pub fn with_sign_password(mut self, password: impl Into<Secret>) -> Self {
        self.sign_password = Some(password.into());
        self
    }

    /// Sets the name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    setters! {
        /// Sets the limits on passes.
        with_passes(passes: Passes),

        /// Sets what to do when clauses are violated at the end.
        with_on_violation(on_violation: OnViolation),

        /// Sets what to do with corrupt objects in the source.
        with_on_corrupt(on_corrupt: OnCorrupt),

        /// Sets what to do with objects that cannot be read.
        with_on_unreadable(on_unreadable: OnUnreadable),

        /// Sets whether objects get a cryptographic digest.
        with_digest(digest: ContentDigest),

        /// Sets whether derived files are copied.
        with_derived(derived: Derived),

        /// Sets what to do with an unfinished backup of the same name.
        with_on_existing(on_existing: OnExisting),

        /// Sets when an unfinished backup may be taken over from another process.
        with_takeover(takeover: Takeover),

        /// Sets how many resources to use.
        with_limits(limits: Limits),

        /// Sets what to do when most live Parquet files are gone from the source.
        with_absence_tolerance(absence_tolerance: AbsenceTolerance),

        /// Sets how long each server may take to stop.
        with_stop_timeout(stop_timeout: Duration),
    }

    /// Resumes an unfinished backup of the same name.
    #[must_use]
    pub fn resuming(self) -> Self {
        self.with_on_existing(OnExisting::Resume)
    }
}

/// The bytes that a name may have: what file systems take for one directory.
const LONGEST_NAME: usize = 255;

/// Refuses names that are not a single directory.
fn check_name(name: &str) -> Result<()> {
    let reason = match Key::parse(name) {
        Err(_) => "is not the name of a directory",
        Ok(_) if name.contains('/') => "contains a `/`",
        Ok(_) if name.starts_with(['_', '.']) => "begins with `_` or `.`, which is reserved",
        Ok(_) if name.trim() != name => "begins or ends with a space",
        Ok(_) if name.len() > LONGEST_NAME => "is longer than the 255 bytes that file systems take",
        Ok(_) => return Ok(()),
    };
    Err(Error::invalid_request("name", format!("`{}` {reason}: choose another one", name.escape_debug())))
}

/// When to stop trying to close the certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Passes {
    /// The highest number of passes, at least 1.
    pub max_passes: u32,
    /// After this time no further pass begins. One that is running ends normally.
    #[serde(with = "duration")]
    pub time_limit: Duration,
}

impl Passes {
    /// Passes until the certificate closes, within these limits.
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

/// What to do when clauses of the certificate are violated at the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnViolation {
    /// Return [`Error::NotConsistent`](crate::Error::NotConsistent) and commit nothing.
    #[default]
    Fail,
    /// Commit a backup marked `degraded`, with the violated clauses.
    Degrade,
}

named!(OnViolation, "answer to a violation", { Fail => "fail", Degrade => "degrade" });

/// What to do with corrupt objects in the source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnCorrupt {
    /// Return [`Error::CorruptSource`](crate::Error::CorruptSource) where one stops a server or loses rows.
    #[default]
    Fail,
    /// Copy them as they are and record them; the backup is `degraded` where a clause is violated.
    Record,
}

named!(OnCorrupt, "answer to corrupt objects", { Fail => "fail", Record => "record" });

/// What to do with objects in the source that cannot be read while others can, or that are archived.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnUnreadable {
    /// Return [`Error::Copy`](crate::Error::Copy) with the code `object-unreadable` or `object-archived`.
    #[default]
    Refuse,
    /// Leave them out and record them; the backup is `degraded` and names them.
    Record,
}

named!(OnUnreadable, "answer to objects that cannot be read", { Refuse => "refuse", Record => "record" });

/// What to do with an unfinished backup of the same name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnExisting {
    /// Return [`Error::BackupUnfinished`](crate::Error::BackupUnfinished).
    #[default]
    Refuse,
    /// Resume it: objects that are finished are not copied again.
    Resume,
}

named!(OnExisting, "answer to an unfinished backup", { Refuse => "refuse", Resume => "resume" });

/// The cryptographic digest that objects get in the manifest. Verification of bytes and restores compare it; a CRC-64/NVME, which
/// every object has where its bytes pass through, finds accidents but no forger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContentDigest {
    /// None.
    #[default]
    None,
    /// BLAKE3.
    Blake3,
}

named!(ContentDigest, "digest", { None => "none", Blake3 => "blake3" });

/// Whether `table-snapshots/`, `db-indices/` and `table-index-conversion-completed` are copied: all three or none.
///
/// Excluded by default, as documented: InfluxDB makes them again, and a real 3.3.0 server did not start with them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Derived {
    /// Not copied.
    #[default]
    Exclude,
    /// Copied, all three.
    Include,
}

named!(Derived, "rule for derived files", { Exclude => "exclude", Include => "include" });

/// What to do when most live Parquet files are gone. Core: `dbs` is empty under live references, or lacks more than half of
/// them. Enterprise, where compaction supersedes files: `dbs` of a node was emptied while the backup ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AbsenceTolerance {
    /// A violation: a volume is probably not mounted.
    #[default]
    Strict,
    /// A finding: the caller knows that retention removed them.
    Lenient,
}

named!(AbsenceTolerance, "absence tolerance", { Strict => "strict", Lenient => "lenient" });
