//! What lies in a repository.

/// Calls the macros with the tables of this subject.
#[macro_export]
macro_rules! repository_tables {
    ($by_name:ident, $document:ident, $handle:ident) => {
        $by_name!($crate::core::repository::BackupState, $crate::core::leftovers::LeftoverKind);

        $document! {
            /// The root of a backup.
            Manifest(it: $crate::core::manifest::Manifest) {
                /// The format that it was written in.
                format = it.format,
                /// The oldest format whose readers understand it. A release that knows only older ones refuses the backup.
                min_reader = it.min_reader,
                /// The backup's name.
                name = it.name,
                /// Complete, or degraded with the caller's consent.
                status = it.status,
                /// Which release of influx-backup wrote it.
                written_by = it.written_by,
                /// When the backup began: what was acknowledged before is in it.
                began = it.began,
                /// When it was committed.
                committed = it.committed,
                /// The cluster and its source, without credentials.
                cluster = it.cluster,
                /// How many objects.
                object_count = it.object_count,
                /// How many bytes.
                byte_count = it.byte_count,
                /// The proof as it was at the commit.
                certificate = it.certificate,
                /// What the passes cost and found.
                passes = it.passes,
            }

            /// One entry of the list of a repository.
            BackupSummary(it: $crate::core::repository::BackupSummary) {
                /// Its name.
                name = it.name,
                /// In which state it is, such as `complete` or `damaged`.
                state = it.state,
                /// The cluster it was taken from.
                cluster = it.cluster,
                /// When it was begun.
                began = it.began,
                /// When it was committed.
                committed = it.committed,
                /// How many objects it holds.
                objects = it.objects,
                /// How many bytes.
                bytes = it.bytes,
                /// Why no more is known of it, where it is damaged, newer or unreadable: code, hint and causes, as of any other error.
                reason = it.reason,
            }

            /// What an attempt left that ended without a commit. It takes room until `Repository.remove` deletes it.
            ///
            /// An upload that never became an object counts as one object of no bytes: stores do not tell its size. A bucket's
            /// lifecycle rule (`AbortIncompleteMultipartUpload`) removes them too, and Azure does after a week.
            Leftover(it: $crate::core::leftovers::Leftover) {
                /// The directory of the repository that it lies in: a backup's name.
                name = it.name,
                /// What it is.
                kind = it.kind,
                /// How many files or objects.
                objects = it.objects,
                /// How many bytes.
                bytes = it.bytes,
            }

            /// One object of a backup.
            ObjectRecord(it: $crate::core::record::ObjectRecord) {
                /// Its key in the source, and where it is restored to.
                key = it.key,
                /// How many bytes it had in the source.
                size = it.content.size,
                /// The checksum of these bytes (CRC-64/NVME), where they were read on the way.
                crc64 = it.content.crc64,
                /// Their BLAKE3, where they were read on the way and it was wanted.
                blake3 = it.content.blake3,
                /// The version of the source that was copied.
                version = it.version,
                /// What the copy was compared by.
                checked_by = it.checked_by,
                /// Metadata that the source's store returned with it.
                attributes = it.attributes,
                /// Where its bytes lie, relative to the repository; `None`: under its own key in the backup.
                stored_at = it.stored.at,
                /// How many bytes lie there.
                stored_size = it.stored.size,
            }

            /// A Parquet file that is referred to and that neither the backup nor the source has.
            AbsentRecord(it: $crate::core::record::AbsentRecord) {
                /// The node.
                node = it.node,
                /// The database's id.
                database = it.database,
                /// The table's id.
                table = it.table,
                /// Its key.
                path = it.path,
                /// How many rows it had.
                rows = it.rows,
                /// The newest row's time.
                newest = it.newest,
            }

            /// The marker of a repository, `_influx_backup/repository.json`. The first backup writes it; it is never changed.
            RepositoryMarker(it: $crate::core::manifest::RepositoryMarker) {
                /// The version of the format.
                format = it.format,
                /// The oldest version of the format whose readers can read this repository.
                min_reader = it.min_reader,
                /// When the repository was made.
                created = it.created,
                /// Tells this repository from every other one: 32 hexadecimal digits, chosen at random.
                id = it.id,
                /// Which release of influx-backup made it.
                written_by = it.written_by,
            }
        }

        $handle! {
            /// A committed backup, opened.
            Backup(it: $crate::core::Backup) {
                /// Its name: that of the place where it lies.
                name = it.name(),
                /// Where it lies.
                location = it.location(),
                /// SHA-256 of the root manifest: keep it elsewhere, and no change of the backup goes unnoticed.
                sha256 = it.sha256(),
                /// The repository that it lies in.
                repository = it.repository(),
                /// Every object that it holds, sorted by key. Made anew at each look.
                objects lazily = it.objects().collect::<Vec<_>>(),
                /// Parquet files that live manifests name and that were gone from the source, with the consent of the caller.
                absent lazily = it.absent().collect::<Vec<_>>(),
                /// What the backup holds.
                manifest = it.manifest(),
            }
        }
    };
}
