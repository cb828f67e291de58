//! Plans: what a backup or a restore would do.

/// Calls the macros with the tables of this subject.
#[macro_export]
macro_rules! plans_tables {
    ($by_name:ident, $document:ident, $plan:ident) => {
        $by_name!($crate::core::options::Policy, $crate::core::plan::RootAction);

        $plan! {
            /// What a backup of a cluster would copy. `str()` shows it as text.
            BackupPlan(it: $crate::core::BackupPlan) {
                /// The cluster id, or for Core the node id.
                cluster = it.cluster,
                /// Core or Enterprise.
                edition = it.edition,
                /// The source, as a URL without credentials.
                source = it.source,
                /// What is copied, in order: each stage is finished before the next one begins.
                stages lazily = it.stages().cloned().collect::<Vec<_>>(),
                /// What is skipped, and why.
                skipped = it.skipped,
                /// What else was found.
                findings = it.findings,
                /// How many objects it copies.
                objects = it.objects(),
                /// How many bytes.
                bytes = it.bytes(),
                /// The same for the same plan on every machine.
                hash lazily = it.hash(),
            }

            /// What a restore would do: to be shown, approved and run. `str()` shows it as text.
            RestorePlan(it: $crate::core::RestorePlan) {
                /// The backup's name.
                backup = it.backup,
                /// SHA-256 of its root manifest.
                manifest_sha256 = it.manifest_sha256,
                /// The cluster id, or for Core the node id.
                cluster = it.cluster,
                /// Core or Enterprise.
                edition = it.edition,
                /// The target, as a URL without credentials.
                target = it.target,
                /// Who keeps the objects of the target.
                target_identity = it.target_identity,
                /// The `RestoreOptions` that the plan was made with.
                options = it.options,
                /// The policy that holds: that of an unfinished restore, where the plan resumes one.
                policy = it.policy,
                /// The id of the unfinished restore that is resumed.
                resumes = it.resumes,
                /// Where the boot guard is put, so that no server starts meanwhile.
                guards = it.guards,
                /// What happens to each guard at the end, in order.
                release = it.release,
                /// What is copied, in order: each stage is finished before the next one begins.
                stages lazily = it.stages().cloned().collect::<Vec<_>>(),
                /// What the target holds besides the backup: names, not touched.
                kept = it.kept,
                /// What is skipped, and why.
                skipped = it.skipped,
                /// The generation of the catalog that servers load.
                live = it.live,
                /// Which server releases may open the result.
                servers = it.servers,
                /// The nodes whose servers have to be stopped, in order.
                stop = it.stop,
                /// The nodes whose servers are started again, in order.
                start = it.start,
                /// What the caller has to do.
                todos = it.todos,
                /// What else was found.
                findings = it.findings,
                /// How many objects it copies.
                objects = it.objects(),
                /// How many bytes.
                bytes = it.bytes(),
                /// The same for the same plan on every machine.
                hash lazily = it.hash(),
                /// Keys at the target that would be overwritten.
                overwrites lazily = it.overwrites().collect::<Vec<_>>(),
                /// Keys at the target that would be deleted.
                deletions lazily = it.deletions().collect::<Vec<_>>(),
                /// License files that are not restored.
                licenses_skipped = it.licenses_skipped().collect::<Vec<_>>(),
            }
        }

        $document! {
            /// A set of copies: all of them are finished before the next stage begins.
            Stage(it: $crate::core::plan::Stage) {
                /// What it copies.
                kind = it.kind,
                /// How many objects it copies.
                objects = it.objects(),
                /// How many bytes.
                bytes = it.bytes(),
                /// The keys that it writes.
                keys lazily = it.keys().collect::<Vec<_>>(),
            }

            /// What happens to the boot guard at the root of one generation of the catalog.
            RootStep(it: $crate::core::plan::RootStep) {
                /// The key of the root.
                key = it.key,
                /// Which generation's.
                generation = it.generation,
                /// `put`: the backup's root takes its place; `remove`: the backup has no catalog of this generation.
                action = it.action,
            }
        }
    };
}
