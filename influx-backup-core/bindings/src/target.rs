//! What is at the place that a backup is restored to.

/// Calls the macros with the tables of this subject.
#[macro_export]
macro_rules! target_tables {
    ($by_name:ident, $document:ident) => {
        $by_name!($crate::core::target::Phase, $crate::core::target::Changes, $crate::core::options::ExtraNodes);

        $document! {
            /// What is at the place that a backup is restored to. Nothing was written to find out.
            Target(it: $crate::core::Target) {
                /// The place, as a URL without credentials.
                location = it.location,
                /// Who keeps the objects there.
                identity = it.identity,
                /// When it was inspected.
                inspected = it.inspected,
                /// Whether it holds nothing at all, files of influx-backup apart.
                is_empty = it.is_empty(),
                /// The prefixes that hold files of InfluxDB, sorted by id.
                prefixes = it.prefixes,
                /// Top-level names that hold none, sorted.
                others = it.others,
                /// A restore that was begun here and not finished.
                unfinished = it.unfinished,
                /// The process that restores to it now.
                holder = it.holder,
                /// When anything below the prefixes was last written.
                last_written = it.last_written,
                /// How long before the inspection something was written, where that is so recent that a server may be running.
                signs_of_life = it.signs_of_life(),
                /// Every object but those of influx-backup, sorted by key. Made anew at each look.
                objects lazily = it.objects().collect::<Vec<_>>(),
            }

            /// A restore that was begun and not finished.
            UnfinishedRestore(it: $crate::core::target::UnfinishedRestore) {
                /// Its id, which the boot guard names.
                restore = it.restore,
                /// The backup that it restores.
                backup = it.backup,
                /// SHA-256 of that backup's root manifest.
                manifest_sha256 = it.manifest_sha256,
                /// When it was begun.
                began = it.began,
                /// Its policy, which holds for resuming as well.
                policy = it.policy,
                /// Its answer to nodes that the backup lacks, which holds for resuming as well.
                extra_nodes = it.extra_nodes,
                /// How far it is.
                phase = it.phase,
                /// Whether it can be abandoned.
                changes = it.changes,
            }

            /// The process that restores to a target now.
            LeaseHolder(it: $crate::core::target::LeaseHolder) {
                /// Which process, and on which host.
                owner = it.owner,
                /// How long ago its last heartbeat was.
                silence = it.silence,
            }

            /// A prefix of a target that holds files of InfluxDB.
            Prefix(it: $crate::core::target::Prefix) {
                /// The node id or cluster id that it stands for.
                id = it.id,
                /// The kinds of objects found, sorted.
                components = it.components,
                /// The roots of its catalog, oldest generation first.
                roots = it.roots,
                /// Whether it holds what only nodes hold.
                is_node = it.is_node(),
                /// Whether it holds any part of a catalog.
                has_catalog = it.has_catalog(),
                /// The uuid of its newest readable catalog.
                uuid = it.uuid(),
            }

            /// A root of the catalog at a target.
            FoundRoot(it: $crate::core::target::FoundRoot) {
                /// Which generation's.
                generation = it.generation,
                /// What stands there: `catalog`, `guard` (of a restore), or `unreadable`.
                kind = it.content.kind(),
                /// The catalog's uuid, where the file has one.
                uuid = match &it.content { $crate::core::target::RootContent::Catalog { uuid, .. } => uuid.as_deref(), _ => None },
                /// The catalog's sequence, where the file has one.
                sequence = match &it.content { $crate::core::target::RootContent::Catalog { sequence, .. } => *sequence, _ => None },
                /// The id of the restore whose guard stands there.
                restore = match &it.content { $crate::core::target::RootContent::Guard { restore, .. } => Some(restore.as_str()), _ => None },
                /// Why no server would read it.
                reason = match &it.content { $crate::core::target::RootContent::Unreadable { reason, .. } => Some(reason.as_str()), _ => None },
            }
        }
    };
}
