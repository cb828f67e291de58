//! The proof.

/// Calls the macros with the tables of this subject.
#[macro_export]
macro_rules! certificate_tables {
    ($by_name:ident, $document:ident) => {
        $by_name!(
            $crate::core::certificate::Verdict,
            $crate::core::certificate::Basis,
            $crate::core::certificate::CheckedBy
        );

        $document! {
            /// One clause of the proof and what was found.
            ClauseResult(it: $crate::core::certificate::ClauseResult) {
                /// Which one: `C1` to `C9`.
                clause = it.clause,
                /// Whether it holds, is violated, or could not be judged.
                verdict = it.verdict,
                /// How that is known.
                basis = it.basis,
                /// What violates it, as `Finding`s: the first 100 of each code.
                violations = it.violations,
                /// How many violations there are in all, by code.
                counts = it.counts,
                /// How many violations there are in all.
                violated = it.violated(),
            }

            /// The newest snapshot of a node.
            Guaranteed(it: $crate::core::certificate::Guaranteed) {
                /// Its sequence number.
                snapshot = it.snapshot,
                /// The last WAL file that it covers.
                wal = it.wal,
                /// When it was stored.
                time = it.time,
            }

            /// The last WAL file of a node.
            Reached(it: $crate::core::certificate::Reached) {
                /// Its number.
                wal = it.wal,
                /// When it was stored: what was acknowledged later is lost if the cluster dies now.
                time = it.time,
            }

            /// Where a node can be recovered to.
            RecoveryPoint(it: $crate::core::certificate::RecoveryPoint) {
                /// The node.
                node = it.node,
                /// The newest snapshot: what is certain even without any WAL.
                guaranteed = it.guaranteed,
                /// The last WAL file held above it: what a server replays.
                reached = it.reached,
                /// What the node acknowledged after this time is lost if the cluster dies now; `None` where it holds nothing.
                time = it.time(),
            }

            /// The times that a node can be recovered to.
            RecoveryTimes(it: $crate::core::certificate::RecoveryTimes) {
                /// When the newest snapshot was stored: what is certain even without any WAL.
                guaranteed = it.guaranteed,
                /// What the node acknowledged after this time is lost if the cluster dies now.
                reached = it.reached,
            }

            /// Live files that neither the backup nor the source has.
            AbsentTable(it: $crate::core::certificate::AbsentTable) {
                /// The node.
                node = it.node,
                /// The database's id.
                database = it.database,
                /// The table's id.
                table = it.table,
                /// How many files.
                files = it.files,
                /// How many rows they had.
                rows = it.rows,
                /// The newest row's time.
                newest = it.newest,
            }

            /// The proof that a backup restores.
            ///
            /// `str()` shows it as text. `certify` makes one from any tree; a backup keeps the one that it was committed with.
            Certificate(it: $crate::core::certificate::Certificate, text = it) {
                /// Every clause, in order.
                clauses = it.clauses,
                /// Where each node can be recovered to.
                recovery = it.recovery,
                /// Where each node can be recovered to, by its id.
                recovery_points = it.recovery_points(),
                /// Live files that neither the backup nor the source has, per node and table.
                absent = it.absent,
                /// Findings that violate nothing.
                findings = it.findings,
                /// How many objects were compared by what.
                checked_by = it.checked_by,
                /// The sequence of the live catalog.
                catalog_sequence = it.catalog_sequence,
                /// Parquet files that no manifest names: copied, never certified.
                orphans = it.orphans,
                /// Whether no clause is violated.
                holds = it.holds(),
                /// Whether the tree is proven to restore: no clause is violated, and what its bytes must tell (C1 to C5) is known.
                is_proven = it.is_proven(),
                /// The clauses that are violated.
                violated_clauses = it.violated_clauses(),
                /// Every violation that is kept, clause by clause.
                violations = it.violations().cloned().collect::<Vec<_>>(),
                /// How many live files are absent.
                absent_files = it.absent_files(),
                /// One line: the violated clauses, each with its first reason.
                summary = it.summary(),
            }
        }
    };
}
