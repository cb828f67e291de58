//! What verbs did.

/// Calls the macros with the tables of this subject.
#[macro_export]
macro_rules! reports_tables {
    ($by_name:ident, $document:ident) => {
        $by_name!(
            $crate::core::plan::Reason,
            $crate::core::record::BackupStatus,
            $crate::core::VerifyLevel,
            $crate::core::layout::Release,
            $crate::core::location::CreateOnly,
            $crate::core::location::Synced,
            $crate::core::location::Times,
            $crate::core::location::Inodes
        );

        $document! {
            /// Something that a plan skips, and why.
            Skipped(it: $crate::core::plan::Skipped, text = it) {
                /// What kind of item: `objects`, `component`, `object`, `node` or `name`.
                kind = it.item.kind(),
                /// Which one; `None` for objects that have nothing in common but the reason.
                name = it.item.name(),
                /// Why.
                reason = it.reason,
                /// How many objects. 0 where they were not listed.
                objects = it.objects,
                /// How many bytes.
                bytes = it.bytes,
            }

            /// What one pass cost and found.
            PassReport(it: $crate::core::record::PassReport) {
                /// Objects listed.
                listed = it.listed,
                /// Objects copied.
                copied = it.copied,
                /// Bytes copied.
                bytes = it.bytes,
                /// Objects copied, by the copier that did it.
                copiers = it.copiers,
                /// Objects that another copier did because the store refused to copy them by itself, by the copier that had asked it.
                refused = it.refused,
                /// Objects listed and gone before their copy.
                vanished = it.vanished,
                /// Objects that changed between listing and copy.
                changed = it.changed,
                /// Objects of the backup that were not there as they had been written when the pass was to be committed: copied again.
                altered = it.altered,
                /// Objects that were in the backup then and that no record named: deleted.
                unrecorded = it.unrecorded,
                /// How long it took, in milliseconds.
                elapsed_ms = it.elapsed_ms,
                /// Clauses that were violated after it.
                failed_clauses = it.failed_clauses,
            }

            /// What a place can do, as far as it was found out. What only file systems have is `None` for object stores.
            Abilities(it: $crate::core::location::Abilities, text = it) {
                /// How an object is created that must not exist yet.
                create_only = it.create_only,
                /// What is on disk when a write has returned.
                synced = it.synced,
                /// Whether files can be given the time of their source.
                times = it.times,
                /// Whether a file has the same inode at every look.
                inodes = it.inodes,
            }

            /// What a backup did.
            BackupReport(it: $crate::core::BackupReport, text = it) {
                /// The backup's name.
                name = it.name,
                /// Complete, or degraded with the caller's consent.
                status = it.status,
                /// When it began: what was acknowledged before is in it.
                began = it.began,
                /// When it was committed.
                committed = it.committed,
                /// The proof.
                certificate = it.certificate,
                /// Where each node can be recovered to, by its id.
                recovery_points = it.recovery_points(),
                /// What the passes cost and found.
                passes = it.passes,
                /// How many objects the backup holds.
                objects = it.objects,
                /// How many bytes.
                bytes = it.bytes,
                /// What was skipped, and why.
                skipped = it.skipped,
                /// Names below a node or the cluster that this release does not know: copied.
                unknown = it.unknown,
                /// License files held; before 3.10 they are bound to the place they were issued for.
                licenses = it.licenses,
                /// SHA-256 of the root manifest: write it down elsewhere.
                manifest_sha256 = it.manifest_sha256,
                /// What no backup of an object store covers.
                not_covered = it.not_covered,
                /// What the caller has to do, such as to start a server that the orchestrator could not start again.
                todos = it.todos,
                /// What else the run found. What it found in the cluster is in the certificate.
                findings = it.findings,
                /// What the repository can do, as far as it was found out.
                abilities = it.abilities,
            }

            /// The server releases that open a store.
            ServerReleases(it: $crate::core::layout::ServerReleases, text = it) {
                /// The oldest that opens it.
                oldest = it.oldest,
                /// The newest that opens it; `None`: all that are known.
                newest = it.newest,
                /// The oldest that migrates it, so that releases after `newest` open it then.
                migrated_by = it.migrated_by,
            }

            /// What a restore did.
            RestoreReport(it: $crate::core::RestoreReport, text = it) {
                /// The restore's id, which the boot guard named.
                restore = it.restore,
                /// The backup.
                backup = it.backup,
                /// SHA-256 of its root manifest.
                manifest_sha256 = it.manifest_sha256,
                /// The cluster id, or for Core the node id.
                cluster = it.cluster,
                /// The target, as a URL without credentials.
                target = it.target,
                /// Objects of the backup that the target holds now.
                objects = it.objects,
                /// Their bytes.
                bytes = it.bytes,
                /// Those of the objects that an earlier run of the same restore had finished.
                resumed = it.resumed,
                /// Objects deleted because the backup does not hold them.
                deleted = it.deleted,
                /// What the target holds besides the backup: names, not touched.
                kept = it.kept,
                /// License files that were not restored.
                licenses_skipped = it.licenses_skipped,
                /// Which server releases may open the result.
                servers = it.servers,
                /// Where each node is recovered to.
                recovery = it.recovery,
                /// Where each node is recovered to, by its id.
                recovery_points = it.recovery_points(),
                /// What the caller has to do.
                todos = it.todos,
                /// What else the run found.
                findings = it.findings,
                /// The nodes that the orchestrator started again, in order.
                started = it.started,
                /// What the target can do, as far as it was found out.
                abilities = it.abilities,
            }

            /// What abandoning a restore did.
            AbandonReport(it: $crate::core::restore::AbandonReport, text = it) {
                /// The restore's id.
                restore = it.restore,
                /// The backup that it was to restore.
                backup = it.backup,
                /// Objects that it had copied, deleted again.
                deleted = it.deleted,
                /// Roots of the catalog that are as they were.
                roots = it.roots,
            }

            /// What verification found.
            VerifyReport(it: $crate::core::verify::VerifyReport, text = it) {
                /// The backup.
                backup = it.backup,
                /// How deep it looked.
                level = it.level,
                /// Objects that the manifest lists.
                objects = it.objects,
                /// Objects whose bytes were read and compared.
                read = it.read,
                /// Objects whose checksum at the store is the manifest's, at the level `checksums`.
                confirmed = it.confirmed,
                /// Objects of which the store or the manifest has no checksum to compare, at the level `checksums`.
                unconfirmed = it.unconfirmed,
                /// Objects of which the manifest has no checksum: whatever their bytes are, nothing shows that they are the right ones.
                not_compared = it.not_compared,
                /// What is wrong: the first 100 of each code. Empty: the backup is what it was.
                problems = it.problems,
                /// How many problems there are in all, by code.
                counts = it.counts,
                /// What should be looked at. Nothing of it is wrong.
                findings = it.findings,
                /// The certificate, made again; `None` at the level `listing`.
                certificate = it.certificate,
                /// Whether the backup is what it was.
                ok = it.passed(),
                /// How many problems there are in all.
                problem_count = it.problem_count(),
            }
        }
    };
}
