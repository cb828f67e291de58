//! [`verify`]: whether a backup is still what it was.

mod bytes;
mod show;

use std::collections::{BTreeMap, HashSet};

use futures::FutureExt;
use serde::{Deserialize, Serialize};

use crate::{
    certificate::Certificate,
    certify::backup_certificate,
    concurrent,
    error::Result,
    event::Phase,
    finding::{Finding, FindingCode},
    job::{EventSink, Request},
    judge::fingerprint,
    key::Key,
    location::{ChecksumMatch, Location, Reads},
    manifest::{Backup, StoredObjects},
    options::{VerifyLevel, VerifyOptions},
    record::ObjectRecord,
    table::Table,
    versioned::document,
};

/// How many objects are asked about at once.
const HEADS_AT_ONCE: usize = 32;

/// What verification found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
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
    /// Objects of which the manifest has no checksum: whatever their bytes are, nothing shows that they are the right ones.
    #[serde(default)]
    pub not_compared: u64,
    /// What is wrong: the first [`Certificate::VIOLATIONS_KEPT`] of each code. Empty: the backup is what it was.
    pub problems: Vec<Finding>,
    /// How many problems there are in all, by code.
    pub counts: BTreeMap<FindingCode, u64>,
    /// What should be looked at. Nothing of it is wrong.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// The certificate, made again; `None` at the level `listing`.
    pub certificate: Option<Certificate>,
}

document!(VerifyReport, "verify report");

impl VerifyReport {
    /// Whether the backup is what it was.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.problems.is_empty()
    }

    /// How many problems there are in all.
    #[must_use]
    pub fn problem_count(&self) -> u64 {
        self.counts.values().sum()
    }
}

/// Verifies a backup.
///
/// The job fails with [`Error::Store`](crate::Error::Store), with [`Error::Link`](crate::Error::Link) for a link inside the
/// backup, with [`Error::UntrustedBackup`](crate::Error::UntrustedBackup) for one that is not what the options expect, and with
/// [`Error::InvalidRequest`](crate::Error::InvalidRequest) as [`VerifyOptions::check`]. What else is wrong with it is in the report.
///
/// Its progress counts an object once for each look at it: in the listing, for the certificate, for its checksum or its
/// bytes.
pub fn verify(backup: &Backup, options: VerifyOptions) -> Request<VerifyReport> {
    request(backup.name().to_owned(), Which::Opened(backup.clone()), options)
}

/// Verifies the backup at a location, which the job opens.
///
/// The job fails as [`Backup::at`] and [`verify`] do.
pub fn verify_at(location: &Location, options: VerifyOptions) -> Request<VerifyReport> {
    request(location.to_string(), Which::At(location.clone()), options)
}

/// Verifies the backup of this name, which the job opens.
pub(crate) fn verify_name(repository: &Location, name: &str, options: VerifyOptions) -> Request<VerifyReport> {
    let repository = repository.clone();
    request(name.to_owned(), Which::Named { repository, name: name.to_owned() }, options)
}

/// Which backup is verified.
enum Which {
    Opened(Backup),
    At(Location),
    Named { repository: Location, name: String },
}

fn request(what: String, which: Which, options: VerifyOptions) -> Request<VerifyReport> {
    Request::new("verify", what, move |context| async move {
        options.check()?;
        let events = &context.events;
        let verify = async {
            let reads = Reads::new(&options.limits);
            let counted = |location: &Location| events.counting(location).with_reads(&reads);
            let vouch = options.vouch()?;
            let backup = match which {
                Which::Opened(backup) => {
                    backup.require(&vouch).await?;
                    backup.read_by(counted)
                }
                Which::At(location) => Backup::at_vouched(&counted(&location), &vouch).await?,
                Which::Named { repository, name } => Backup::open_vouched(&counted(&repository), &name, &vouch).await?,
            };
            check_backup(&backup, options, events).await
        };
        let mut report = context.unless_cancelled(verify).await?;
        report.findings.extend(events.found());
        Ok(report)
    })
}

/// Verifies within another job. The limits are those that the backup is read within.
pub(crate) async fn check_backup(backup: &Backup, options: VerifyOptions, events: &EventSink) -> Result<VerifyReport> {
    let level = options.level;
    events.set_phase(Phase::Listing);
    let mut problems = Problems::default();
    events.planned(backup.objects().len() as u64, 0);
    let stored = backup.list_stored().await?;
    let wrong = check_listing(backup, &stored, events, &mut problems);
    events.set_phase(Phase::Checking);
    let certificate = match level {
        VerifyLevel::Listing => None,
        VerifyLevel::Structure | VerifyLevel::Checksums | VerifyLevel::Bytes => {
            Some(backup_certificate(backup, stored, events).await?)
        }
    };
    let mut read = 0;
    if level == VerifyLevel::Bytes {
        read = bytes::check(backup, options.sample_percent, events, &wrong, &mut problems).await?;
    }
    let mut confirmed = 0;
    let mut unconfirmed = 0;
    if level == VerifyLevel::Checksums {
        events.planned(backup.objects().len() as u64, 0);
        let heads = backup.objects().map(|record| counted(events, 0, compare(backup, record)).boxed());
        concurrent::each(heads, backup.location().max_reads(HEADS_AT_ONCE), |(key, agreement)| match agreement {
            ChecksumMatch::Equal => confirmed += 1,
            ChecksumMatch::NotComparable => unconfirmed += 1,
            ChecksumMatch::Mismatch => {
                let message = format!("`{key}` has another checksum at its store than in the manifest");
                problems.add(problem(&key, FindingCode::WrongBytes, message));
            }
        })
        .await?;
    }
    let recorded = &backup.manifest().certificate;
    let violations = certificate.iter().flat_map(|certificate| new_violations(recorded, certificate));
    // Missing or altered objects violate C6 too: each is reported once.
    let violations: Vec<_> = violations.filter(|violation| !problems.has_like(violation)).collect();
    violations.into_iter().for_each(|violation| problems.add(violation));
    let (problems, counts) = problems.finish();
    if !problems.is_empty() {
        backup.require_there().await?;
    }
    let mut bare = Problems::default();
    backup.objects().filter(|record| !record.is_comparable()).for_each(|record| bare.add(not_compared(&record)));
    let (bare, not_compared) = bare.finish();
    Ok(VerifyReport {
        backup: backup.name().to_owned(),
        level,
        objects: backup.objects().len() as u64,
        read,
        confirmed,
        unconfirmed,
        not_compared: not_compared.values().sum(),
        problems,
        counts,
        findings: backup.rename().into_iter().chain(bare).collect(),
        certificate,
    })
}

/// What is wrong, of which there may be as much as there are objects: counted by code, and the first of each code kept.
#[derive(Debug, Default)]
struct Problems {
    kept: Vec<Finding>,
    counts: BTreeMap<FindingCode, u64>,
    /// Of all of them, and of the code and key of each.
    fingerprints: HashSet<u64>,
}

impl Problems {
    fn add(&mut self, problem: Finding) {
        if !self.fingerprints.insert(fingerprint(&problem)) {
            return;
        }
        self.fingerprints.insert(fingerprint(&(&problem.code, &problem.key)));
        let count = self.counts.entry(problem.code.clone()).or_default();
        *count += 1;
        if *count <= Certificate::VIOLATIONS_KEPT {
            self.kept.push(problem);
        }
    }

    /// Whether there is one of the same code about the same object.
    fn has_like(&self, other: &Finding) -> bool {
        self.fingerprints.contains(&fingerprint(&(&other.code, &other.key)))
    }

    fn finish(mut self) -> (Vec<Finding>, BTreeMap<FindingCode, u64>) {
        self.kept.sort_by(|a, b| (&a.key, a).cmp(&(&b.key, b)));
        (self.kept, self.counts)
    }
}

fn not_compared(record: &ObjectRecord) -> Finding {
    let message = format!("the manifest has no checksum of `{}`: its bytes are compared with nothing", record.key);
    problem(&record.key, FindingCode::NotCompared, message)
}

/// Counts an object and its bytes when the work on it is done.
async fn counted<T>(events: &EventSink, bytes: u64, work: impl Future<Output = T>) -> T {
    let done = work.await;
    events.add_bytes(bytes);
    events.add_object();
    done
}

/// Every object is there with its size, and nothing else is. Returns the keys of those that are missing or have another one.
fn check_listing(backup: &Backup, stored: &StoredObjects, events: &EventSink, problems: &mut Problems) -> Table<Key> {
    let mut found = stored.reader();
    let wrong = backup.objects().filter_map(|record| {
        events.add_object();
        let key = record.key.clone();
        let expected = record.stored.size;
        let wrong = match found.of(&record).map(|found| found.size) {
            Some(size) if size == expected => return None,
            None => problem(&key, FindingCode::MissingObject, format!("`{key}` is missing")),
            Some(size) => {
                let message = format!("`{key}` has {size} bytes, the manifest says {expected}");
                problem(&key, FindingCode::WrongSize, message)
            }
        };
        problems.add(wrong);
        Some(key)
    });
    let wrong = wrong.collect();
    for key in stored.unlisted(backup) {
        problems.add(problem(&key, FindingCode::UnlistedObject, format!("`{key}` is not in the manifest")));
    }
    wrong
}

/// A problem with one object.
fn problem(key: &Key, code: FindingCode, message: impl Into<String>) -> Finding {
    Finding::new(code, message).with_key(key.clone())
}

/// What violates a clause now and did not when the backup was committed. Of codes with more violations than a certificate
/// keeps, the numbers are compared.
fn new_violations(recorded: &Certificate, found: &Certificate) -> Vec<Finding> {
    let known: HashSet<&Finding> = recorded.violations().collect();
    let mut new = Vec::new();
    for clause in &found.clauses {
        let before = |code: &FindingCode| recorded.count(clause.clause, code);
        let is_kept = |code: &FindingCode| before(code) <= Certificate::VIOLATIONS_KEPT;
        let violations = clause.violations.iter().filter(|violation| is_kept(&violation.code));
        new.extend(violations.filter(|violation| !known.contains(violation)).cloned());
        for (code, count) in clause.counts.iter().filter(|(code, count)| !is_kept(code) && **count > before(code)) {
            let message = format!("{count} violations of this code, {} when the backup was committed", before(code));
            let more = Finding::new(code.clone(), message).with_clause(clause.clause);
            new.push(more.with_numbers(Some(before(code)), Some(*count)));
        }
    }
    new
}

async fn compare(backup: &Backup, record: ObjectRecord) -> Result<(Key, ChecksumMatch)> {
    let compared = backup.compare(&record).await?;
    Ok((record.key, compared))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::{Basis, Clause, ClauseResult, Verdict};

    /// A certificate with one clause, in which logs of these numbers are stray.
    fn certificate(numbers: impl Iterator<Item = u64> + Clone) -> Certificate {
        let stray = |number| Finding::new(FindingCode::StrayCatalogLog, format!("{number} is stray"));
        let mut result = ClauseResult::new(Clause::Catalog, Verdict::Violated, Basis::Recomputed);
        let kept = numbers.clone().take(usize::try_from(Certificate::VIOLATIONS_KEPT).expect("a few"));
        result.violations = kept.map(|number| stray(number).with_clause(Clause::Catalog)).collect();
        result.counts = BTreeMap::from([(FindingCode::StrayCatalogLog, numbers.count() as u64)]);
        Certificate::new(vec![result])
    }

    #[test]
    fn old_violations_are_no_problem_however_many() {
        for many in [3, 100, 101, 500] {
            let recorded = certificate(0..many);
            assert_eq!(new_violations(&recorded, &recorded), []);
            // The first one was repaired: another one is among those that are kept.
            assert_eq!(new_violations(&recorded, &certificate(1..many)), [], "{many}");
        }
    }

    #[test]
    fn of_many_problems_the_first_of_each_code_are_kept() {
        let missing = |number: u64| {
            let key = Key::parse(format!("n/{number:03}")).expect("a key");
            problem(&key, FindingCode::MissingObject, format!("{number} is missing"))
        };
        let mut problems = Problems::default();
        (0..250).for_each(|number| problems.add(missing(number)));
        problems.add(Finding::new(FindingCode::WrongSize, "it has another size"));
        (0..2).for_each(|number| problems.add(missing(number)));
        let (problems, counts) = problems.finish();
        assert_eq!(counts, BTreeMap::from([(FindingCode::MissingObject, 250), (FindingCode::WrongSize, 1)]));
        assert_eq!(problems.len() as u64, Certificate::VIOLATIONS_KEPT + 1);
        assert_eq!(problems[0].code, FindingCode::WrongSize);
        assert_eq!(problems[100], missing(99));
    }

    #[test]
    fn an_object_that_is_reported_is_not_reported_again_by_the_certificate() {
        let key = Key::parse("n/1").expect("a key");
        let wrong = |code: FindingCode, message: &str| problem(&key, code, message);
        let mut problems = Problems::default();
        problems.add(wrong(FindingCode::MissingObject, "it is missing"));
        assert!(problems.has_like(&wrong(FindingCode::MissingObject, "in other words")));
        assert!(!problems.has_like(&wrong(FindingCode::MisnamedCheckpoint, "its name")));
        // A certificate may have two things to say of one object.
        ["its name", "its month"]
            .into_iter()
            .for_each(|what| problems.add(wrong(FindingCode::MisnamedCheckpoint, what)));
        assert_eq!(problems.finish().1[&FindingCode::MisnamedCheckpoint], 2);
    }

    #[test]
    fn new_violations_are_problems_however_many_there_were() {
        let few = new_violations(&certificate(0..3), &certificate(0..5));
        assert_eq!(few.iter().map(|new| new.message.as_str()).collect::<Vec<_>>(), ["3 is stray", "4 is stray"]);
        let many = new_violations(&certificate(0..500), &certificate(0..502));
        assert_eq!(many.len(), 1);
        assert_eq!((many[0].clause, many[0].expected, many[0].found), (Some(Clause::Catalog), Some(500), Some(502)));
    }
}
