//! [`verify`]: whether a backup still is what it was.

use std::collections::BTreeSet;

use futures::FutureExt;
use serde::{Deserialize, Serialize};

use crate::{
    certificate::{Certificate, Violation},
    certify::certify_backup,
    concurrent,
    error::{Error, Result},
    format::parquet,
    key::Key,
    layout::Component,
    location::ChecksumMatch,
    manifest::Backup,
    record::ObjectRecord,
};

/// How many objects are read at once.
const READS_AT_ONCE: usize = 8;

/// How many objects are asked about at once.
const HEADS_AT_ONCE: usize = 32;

/// How deep to look.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum VerifyLevel {
    /// Presence and size of every object: one listing.
    Listing,
    /// That, and the certificate again from the backup's own bytes.
    Structure,
    /// That, and the checksum that the store gives for each object on HEAD, where the manifest has the same kind. No Parquet
    /// file is read. What could not be compared is counted: files; what was written to S3 without a checksum (see
    /// `aws_checksum_algorithm`), or to Azure by blocks.
    Checksums,
    /// The structure, and the bytes of objects against their checksums.
    Bytes(Sample),
}

/// Which part of the objects is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sample(u8);

impl Sample {
    /// All of them.
    pub const ALL: Self = Self(100);

    /// This many percent of them, chosen at random, at least one.
    #[must_use]
    pub const fn percent(percent: u8) -> Self {
        Self(if percent > 100 { 100 } else { percent })
    }

    fn of(self, backup: &Backup) -> Vec<&ObjectRecord> {
        let objects = backup.objects().len();
        let count = (objects * usize::from(self.0)).div_ceil(100).max(1).min(objects);
        let chosen: BTreeSet<usize> = rand::seq::index::sample(&mut rand::rng(), objects, count).iter().collect();
        let is_chosen = |(at, _): &(usize, &ObjectRecord)| chosen.contains(at);
        backup.objects().enumerate().filter(is_chosen).map(|(_, record)| record).collect()
    }
}

/// What verification found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VerifyReport {
    /// The backup.
    pub backup: String,
    /// How deep it looked.
    pub level: VerifyLevel,
    /// Objects that the manifest lists.
    pub objects: u64,
    /// Objects whose bytes were read and compared.
    pub read: u64,
    /// Objects whose checksum at the store is the manifest's, at the level `checksums`.
    #[serde(default)]
    pub confirmed: u64,
    /// Objects of which the store or the manifest has no checksum to compare, at the level `checksums`.
    #[serde(default)]
    pub unconfirmed: u64,
    /// What is wrong; empty: the backup is what it was.
    pub problems: Vec<Problem>,
    /// The certificate, made again; `None` at the level `listing`.
    pub certificate: Option<Certificate>,
}

/// Something wrong with a backup.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// The object.
    pub key: Option<Key>,
    /// A stable code: `missing`, `size`, `bytes`, `unlisted`, `clause`.
    pub code: String,
    /// What a person reads.
    pub message: String,
}

impl Problem {
    fn of(key: &Key, code: &str, message: impl Into<String>) -> Self {
        Self { key: Some(key.clone()), code: code.to_owned(), message: message.into() }
    }
}

impl VerifyReport {
    /// Whether the backup is what it was.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Verifies a backup.
///
/// # Errors
/// [`Error::Store`]; [`Error::Link`] for a link inside the backup. What else is wrong with it is in the report.
pub async fn verify(backup: &Backup, level: VerifyLevel) -> Result<VerifyReport> {
    let mut problems = check_listing(backup).await?;
    let certificate = match level {
        VerifyLevel::Listing => None,
        VerifyLevel::Structure | VerifyLevel::Checksums | VerifyLevel::Bytes(_) => Some(certify_backup(backup).await?),
    };
    problems.extend(certificate.iter().flat_map(|certificate| open_clauses(backup, certificate)));
    let mut read = 0;
    if let VerifyLevel::Bytes(sample) = level {
        let chosen: Vec<_> = sample.of(backup);
        read = chosen.len() as u64;
        let checks: Vec<_> = chosen.into_iter().map(|record| check_bytes(backup, record).boxed()).collect();
        problems.extend(concurrent::run(checks, READS_AT_ONCE).await?.into_iter().flatten());
    }
    let (mut confirmed, mut unconfirmed) = (0, 0);
    if level == VerifyLevel::Checksums {
        let heads = backup.objects().map(|record| backup.compare(record).boxed()).collect();
        for (record, agreement) in backup.objects().zip(concurrent::run(heads, HEADS_AT_ONCE).await?) {
            match agreement {
                ChecksumMatch::Equal => confirmed += 1,
                ChecksumMatch::NotComparable => unconfirmed += 1,
                ChecksumMatch::Mismatch => {
                    let message = format!("`{}` has another checksum at its store than in the manifest", record.key);
                    problems.push(Problem::of(&record.key, "bytes", message));
                }
            }
        }
    }
    let problems: BTreeSet<_> = problems.into_iter().collect();
    Ok(VerifyReport {
        backup: backup.name().to_owned(),
        level,
        objects: backup.objects().len() as u64,
        read,
        confirmed,
        unconfirmed,
        problems: problems.into_iter().collect(),
        certificate,
    })
}

/// Every object is there with its size, and nothing else is.
async fn check_listing(backup: &Backup) -> Result<Vec<Problem>> {
    let stored = backup.list_stored().await?;
    let mut problems = Vec::new();
    for record in backup.objects() {
        let (key, expected) = (&record.key, record.stored.size);
        match stored.of(record).map(|found| found.size) {
            None => problems.push(Problem::of(key, "missing", format!("`{key}` is missing"))),
            Some(size) if size != expected => {
                let message = format!("`{key}` has {size} bytes, the manifest says {expected}");
                problems.push(Problem::of(key, "size", message));
            }
            Some(_) => {}
        }
    }
    let unlisted = |key: &Key| Problem::of(key, "unlisted", format!("`{key}` is not in the manifest"));
    problems.extend(stored.unlisted(backup).map(unlisted));
    Ok(problems)
}

/// What violates a clause now; a degraded backup's own violations are no news.
fn open_clauses(backup: &Backup, certificate: &Certificate) -> Vec<Problem> {
    let recorded = &backup.manifest().certificate.clauses;
    let known: Vec<&Violation> = recorded.iter().flat_map(|clause| &clause.violations).collect();
    let found = certificate.clauses.iter().flat_map(|clause| &clause.violations);
    let problem = |violation: &Violation| Problem {
        key: violation.key.clone(),
        code: "clause".to_owned(),
        message: violation.message.clone(),
    };
    found.filter(|violation| !known.contains(violation)).map(problem).collect()
}

/// The bytes are those that the checksum was taken of; without one, a Parquet file at least has its frame.
async fn check_bytes(backup: &Backup, record: &ObjectRecord) -> Result<Option<Problem>> {
    let problem = |message: String| Ok(Some(Problem::of(&record.key, "bytes", message)));
    match backup.check(record).await {
        Ok(ends) => {
            let object = backup.manifest().cluster.classify(&record.key);
            if object.is_some_and(|object| object.component == Component::Parquet)
                && let Some(ends) = ends
                && let Err(error) = parquet::check(&ends.head, &ends.tail, record.stored.size)
            {
                return problem(format!("`{}`: {error}", record.key));
            }
            Ok(None)
        }
        Err(Error::DamagedBackup { object, reason }) => problem(format!("`{object}`: {reason}")),
        Err(error) => Err(error),
    }
}
