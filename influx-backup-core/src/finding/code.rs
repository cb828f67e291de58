//! [`FindingCode`]: every code that a finding can have. The README lists them in a table.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Severity;

/// Defines the enum, its names, its severities and the list of all.
macro_rules! finding_codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $severity:ident;)+) => {
        /// What was found. Its name in JSON and on the command line is stable and in kebab-case.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum FindingCode {
            $($(#[doc = $doc])+ $variant,)+
            /// A code that a newer release wrote and this one does not know, as it was written.
            Unknown(Box<str>),
        }

        impl FindingCode {
            /// Every code that this release writes.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name.
            #[must_use]
            pub const fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $name,)+
                    Self::Unknown(name) => name,
                }
            }

            /// What it means, in one sentence.
            #[must_use]
            pub const fn meaning(&self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($doc),+).trim_ascii(),)+
                    Self::Unknown(_) => "A code that a newer release wrote and this one does not know.",
                }
            }

            /// How serious a finding of this code is.
            #[must_use]
            pub const fn severity(&self) -> Severity {
                match self {
                    $(Self::$variant => Severity::$severity,)+
                    Self::Unknown(_) => Severity::Warning,
                }
            }
        }
    };
}

finding_codes! {
    // C1: live files.
    /// A live file is not in the backup, and the source had it.
    MissingParquet = "missing-parquet", Error;
    /// A live file has another size than its manifest says.
    WrongSizeParquet = "wrong-size-parquet", Error;
    /// A live file does not have the frame of a Parquet file.
    CorruptParquet = "corrupt-parquet", Error;
    /// Most live files of a node are gone: a volume is probably not mounted.
    MostParquetMissing = "most-parquet-missing", Error;
    /// Live files are neither in the backup nor in the source.
    AbsentParquet = "absent-parquet", Warning;
    // C2: snapshot manifests.
    /// A snapshot manifest was listed and is not in the backup.
    MissingManifest = "missing-manifest", Error;
    /// A snapshot manifest cannot be read.
    CorruptManifest = "corrupt-manifest", Error;
    /// The name and the content of a snapshot manifest disagree.
    MisnamedManifest = "misnamed-manifest", Error;
    /// A snapshot manifest belongs to another node.
    ForeignManifest = "foreign-manifest", Error;
    /// A snapshot manifest names files of another node.
    ForeignParquet = "foreign-parquet", Error;
    /// A node has Parquet files and WAL that was trimmed, and no snapshot manifest.
    NoManifests = "no-manifests", Error;
    // C3: WAL.
    /// WAL files above the newest snapshot are missing.
    MissingWal = "missing-wal", Error;
    /// A WAL file above the newest snapshot is empty or corrupt.
    CorruptWal = "corrupt-wal", Error;
    /// The backup has no record of the WAL of a node.
    NoFence = "no-fence", Error;
    /// A WAL file is corrupt, and a snapshot covers it.
    CorruptCoveredWal = "corrupt-covered-wal", Warning;
    /// An object among the WAL files has another name than a WAL file.
    StrayWal = "stray-wal", Info;
    /// WAL files do not exist in the source either; servers skip them on replay.
    WalHole = "wal-hole", Warning;
    /// WAL files were not listed in the source; there are too many to ask for each.
    UnconfirmedWalHole = "unconfirmed-wal-hole", Warning;
    /// WAL files are missing, and whether the source had them is not recorded.
    WalGap = "wal-gap", Warning;
    // C4: the catalog.
    /// There is no catalog.
    NoCatalog = "no-catalog", Error;
    /// Every generation of the catalog is closed by a terminator: the newer one is missing.
    NoLiveCatalog = "no-live-catalog", Error;
    /// The live catalog has no root.
    MissingCatalogRoot = "missing-catalog-root", Error;
    /// The root or a log of the live catalog is corrupt.
    CorruptCatalog = "corrupt-catalog", Error;
    /// An object among the catalog logs has another name than a log; servers refuse to start with it.
    StrayCatalogLog = "stray-catalog-log", Error;
    /// A catalog log is missing between others.
    CatalogGap = "catalog-gap", Error;
    /// A catalog log belongs to another catalog than the root.
    CatalogUuid = "catalog-uuid", Error;
    /// A catalog log was listed and is not in the backup.
    MissingCatalogLog = "missing-catalog-log", Error;
    /// The catalog is older than a snapshot that needs it.
    OldCatalog = "old-catalog", Error;
    /// The catalog sequence went backwards between two passes.
    CatalogWentBack = "catalog-went-back", Error;
    /// A catalog log is corrupt, and the root is newer.
    CorruptOldCatalogLog = "corrupt-old-catalog-log", Warning;
    /// A catalog that an upgrade replaced is corrupt.
    CorruptFrozenCatalog = "corrupt-frozen-catalog", Warning;
    /// The `enterprise` file of the cluster is missing.
    NoEnterpriseFile = "no-enterprise-file", Warning;
    // C5: snapshot checkpoints.
    /// A snapshot checkpoint cannot be read.
    CorruptCheckpoint = "corrupt-checkpoint", Error;
    /// The name and the content of a snapshot checkpoint disagree.
    MisnamedCheckpoint = "misnamed-checkpoint", Error;
    /// A snapshot checkpoint belongs to another node.
    ForeignCheckpoint = "foreign-checkpoint", Error;
    /// A snapshot checkpoint is newer than the newest snapshot manifest.
    NewCheckpoint = "new-checkpoint", Error;
    /// The newest snapshot checkpoint of a month is not in the backup.
    MissingCheckpoint = "missing-checkpoint", Error;
    // C6: the bytes, and `verify`.
    /// An object of the manifest is not in the backup.
    MissingObject = "missing-object", Error;
    /// An object of the backup has another size than the manifest says.
    WrongSize = "wrong-size", Error;
    /// The bytes of an object of the backup are not those that were copied.
    WrongBytes = "wrong-bytes", Error;
    /// The backup has an object that the manifest does not list.
    UnlistedObject = "unlisted-object", Error;
    /// An object cannot be read, or is archived: one of the backup itself, or one of the source, which the backup lacks then.
    UnreadableObject = "unreadable-object", Error;
    /// The manifest has no checksum of an object: its bytes are compared with nothing.
    NotCompared = "not-compared", Warning;
    /// Copies were compared by their size only.
    SizeOnly = "size-only", Info;
    /// The backup lies under another name than it was taken as.
    RenamedBackup = "renamed-backup", Warning;
    // C7: changes while the backup ran.
    /// An object that servers write once was replaced.
    CreateOnlyRewritten = "create-only-rewritten", Error;
    /// An object was listed and is not in the backup in that version.
    ListedNotHeld = "listed-not-held", Error;
    /// A node disappeared while the backup ran.
    NodeDisappeared = "node-disappeared", Error;
    /// The cluster got another id while the backup ran.
    ClusterMoved = "cluster-moved", Error;
    /// A node became, or is no longer, a compactor.
    CompactorMoved = "compactor-moved", Error;
    /// The newest snapshot manifest of a node disappeared while the backup ran.
    ManifestsWentBack = "manifests-went-back", Error;
    /// The newest WAL file of a node disappeared while the backup ran.
    WalWentBack = "wal-went-back", Error;
    // C8: the compactor's files.
    /// A file of the compactor was listed and is not in the backup.
    MissingCompactorFile = "missing-compactor-file", Error;
    /// A file of the compactor is in the backup in another version than listed.
    OtherCompactorFile = "other-compactor-file", Error;
    /// A file of the compactor is in the backup and was not listed.
    ExtraCompactorFile = "extra-compactor-file", Error;
    /// The compactor wrote while its files were copied.
    CompactorActive = "compactor-active", Error;
    /// Several nodes have files of a compactor.
    SeveralCompactors = "several-compactors", Warning;
    // C9: the nodes.
    /// A node appeared, or began to store data, while the backup ran.
    NodeAppeared = "node-appeared", Error;
    /// A prefix looks like a node, and is neither in the backup nor excluded by name.
    UnclaimedNode = "unclaimed-node", Error;
    /// The catalog names a node that has no objects.
    NodeWithoutObjects = "node-without-objects", Warning;
    /// The nodes that the catalog names cannot be read.
    CatalogNodesUnreadable = "catalog-nodes-unreadable", Warning;
    /// A node was excluded by the caller.
    NodeExcluded = "node-excluded", Info;
    // What discovery notes.
    /// One id is both the cluster's and a node's.
    ClusterIdIsNodeId = "cluster-id-is-node-id", Warning;
    /// A node that was Core once has a catalog of its own, which no server reads.
    StaleCatalog = "stale-catalog", Info;
    /// The catalog does not name a node that was found.
    NodeNotInCatalog = "node-not-in-catalog", Warning;
    /// A node that was declared query-only has objects.
    QueryOnlyStores = "query-only-stores", Warning;
    /// A part of the catalog cannot be read.
    CatalogDamaged = "catalog-damaged", Warning;
    /// The location is a finished backup.
    IsBackup = "is-backup", Info;
    /// The location is a backup that is not finished.
    BackupUnfinished = "backup-unfinished", Info;
    /// The location is the target of a restore that is not finished.
    RestoreUnfinished = "restore-unfinished", Warning;
    // While a backup or a restore runs.
    /// The clock of a store differs from this machine's.
    ClockSkew = "clock-skew", Warning;
    /// A file system has neither hard links nor renames that replace nothing: what must not exist yet is written in place.
    CreatedInPlace = "created-in-place", Info;
    /// A file system does not put files, or their names, on disk when asked.
    DirectoriesNotSynced = "directories-not-synced", Warning;
    /// A file system does not let files have the time of their source.
    TimesNotKept = "times-not-kept", Info;
    /// A file system gives a file another inode at each look: versions are told by size and time.
    UnstableInodes = "unstable-inodes", Info;
    /// What was asked for may be there and was not seen: the credentials do not allow the look.
    NotSeen = "not-seen", Warning;
    /// The caller promises that one process writes: the store is not asked to tell two of them apart.
    SingleWriter = "single-writer", Warning;
    /// A store names one version of an object by several entity tags, or refuses its own: versions are told apart in another way.
    EntityTagsDiffer = "entity-tags-differ", Info;
    /// Something was passed over: directory markers, snapshots of a file system, what lies outside the cluster and cannot be read.
    PassedOver = "passed-over", Info;
    /// Objects of a backup were removed or replaced while it was taken; they were copied again.
    BackupAltered = "backup-altered", Warning;
    /// The target of a restore was written to shortly before.
    RecentlyWritten = "recently-written", Warning;
    /// The target of a restore keeps entries that the backup does not hold.
    KeptEntries = "kept-entries", Info;
    /// Restored files did not get the owner or the permissions of the target directory.
    OwnerNotKept = "owner-not-kept", Warning;
    /// Expired data is deleted soon after the servers start.
    Retention = "retention", Info;
    /// License files were not restored: ask InfluxData support for one for this target.
    LicenseElsewhere = "license-elsewhere", Todo;
    /// Servers of certain releases have to open the result first.
    CatalogV1 = "catalog-v1", Todo;
    /// Files that are in no object store have to be brought by the caller.
    NotCovered = "not-covered", Todo;
    /// A server was stopped and not started again.
    ServersStopped = "servers-stopped", Todo;
    /// The boot guard may be in place: resume or abandon the restore, then start the servers.
    BootGuard = "boot-guard", Todo;
}

impl FindingCode {
    /// Whether it is damage in the source itself, which no further pass can repair: what objects claim about themselves, and
    /// what should not be there, or not together.
    #[must_use]
    pub const fn is_source_damage(&self) -> bool {
        matches!(
            self,
            Self::CorruptParquet
                | Self::CorruptManifest
                | Self::CorruptWal
                | Self::CorruptCatalog
                | Self::CorruptCheckpoint
                | Self::MisnamedManifest
                | Self::ForeignManifest
                | Self::ForeignParquet
                | Self::MisnamedCheckpoint
                | Self::ForeignCheckpoint
                | Self::NewCheckpoint
                | Self::StrayCatalogLog
                | Self::CatalogUuid
                | Self::WrongSizeParquet
        )
    }

    /// Whether it may follow from this that one object is not in the backup.
    #[must_use]
    pub(crate) const fn is_lack(&self) -> bool {
        matches!(
            self,
            Self::MissingParquet
                | Self::MostParquetMissing
                | Self::MissingManifest
                | Self::NoManifests
                | Self::MissingWal
                | Self::NoFence
                | Self::NoCatalog
                | Self::NoLiveCatalog
                | Self::MissingCatalogRoot
                | Self::CatalogGap
                | Self::MissingCatalogLog
                | Self::OldCatalog
                | Self::MissingCheckpoint
                | Self::NewCheckpoint
                | Self::ListedNotHeld
                | Self::MissingCompactorFile
        )
    }

    /// Whether it is damage only where a second look at an unchanged source shows it again: a server that replays its WAL
    /// after a crash writes a file again.
    #[must_use]
    pub const fn needs_second_look(&self) -> bool {
        matches!(self, Self::WrongSizeParquet)
    }
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A name that is not a finding code of this release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown finding code `{0}`")]
pub struct UnknownCode(String);

impl FromStr for FindingCode {
    type Err = UnknownCode;

    fn from_str(name: &str) -> Result<Self, UnknownCode> {
        let known = Self::ALL.iter().find(|code| code.as_str() == name).cloned();
        known.ok_or_else(|| UnknownCode(name.to_owned()))
    }
}

impl Serialize for FindingCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A code of a newer release is read as [`FindingCode::Unknown`], and written as it was read.
impl<'de> Deserialize<'de> for FindingCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Ok(name.parse().unwrap_or_else(|UnknownCode(name)| Self::Unknown(name.into())))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_has_one_name_of_its_own() {
        for code in FindingCode::ALL {
            assert_eq!(code.as_str().parse(), Ok(code.clone()));
            let json = format!("\"{code}\"");
            assert_eq!(serde_json::to_string(code).expect("serializes"), json);
            assert_eq!(serde_json::from_str::<FindingCode>(&json).expect("reads"), *code);
        }
        let names: BTreeSet<_> = FindingCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), FindingCode::ALL.len());
    }

    #[test]
    fn a_code_of_a_newer_release_is_written_as_it_was_read() {
        let json = "\"brand-new\"";
        let code: FindingCode = serde_json::from_str(json).expect("reads");
        assert_eq!(code, FindingCode::Unknown("brand-new".into()));
        assert_eq!((code.as_str(), code.to_string().as_str()), ("brand-new", "brand-new"));
        assert_eq!(serde_json::to_string(&code).expect("serializes"), json);
        assert_ne!(code, serde_json::from_str("\"other\"").expect("reads"), "codes are told apart");
        assert_eq!(code.severity(), Severity::Warning);
        assert_eq!("brand-new".parse::<FindingCode>(), Err(UnknownCode("brand-new".to_owned())));
    }

    #[test]
    fn damage_violates_something() {
        let damage = FindingCode::ALL.iter().filter(|code| code.is_source_damage());
        assert!(damage.clone().all(|code| code.severity() == Severity::Error));
        assert_eq!(damage.count(), 14);
    }

    /// The table in the README is what a user reads: it names every code, once, with its severity.
    #[test]
    fn the_readme_lists_every_code() {
        let readme = include_str!("../../../README.md");
        let section = readme.split("\n## Finding codes").nth(1).expect("a section");
        let section = section.split("\n## ").next().expect("a section");
        let documented: Vec<_> = section.lines().filter(|line| line.starts_with("| `")).collect();
        for code in FindingCode::ALL {
            // A sentence there begins in lower case, unless with an abbreviation.
            let meaning = code.meaning().trim_end_matches('.');
            let (first, rest) = meaning.split_at(1);
            let is_word = rest.starts_with(|c: char| c.is_lowercase() || c == ' ');
            let first = if is_word { first.to_ascii_lowercase() } else { first.to_owned() };
            let row = format!("| `{code}` | {} | {first}{rest} |", code.severity());
            assert!(documented.contains(&row.as_str()), "the README lacks {row}");
        }
        assert_eq!(documented.len(), FindingCode::ALL.len());
    }
}
