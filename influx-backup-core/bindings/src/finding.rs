//! What is found.

/// Calls the macros with the tables of this subject.
#[macro_export]
macro_rules! finding_tables {
    ($by_name:ident, $document:ident) => {
        $by_name!($crate::core::finding::Clause, $crate::core::finding::Severity);

        $document! {
            /// Something that was found. `str()` shows its message.
            Finding(it: $crate::core::Finding, text = it) {
                /// What it is, by a stable code: one of `FINDING_CODES`.
                code = it.code,
                /// How serious it is: that of its code.
                severity = it.severity,
                /// The clause that it belongs to, where it belongs to one.
                clause = it.clause,
                /// The node concerned.
                node = it.node,
                /// The object concerned.
                key = it.key,
                /// A sentence for a person.
                message = it.message,
                /// The number that should be there: a size in bytes, a count of files, the number of a log.
                expected = it.expected,
                /// The number that is there instead.
                found = it.found,
                /// The first and the last number of a run of WAL files.
                range = it.range,
            }
        }
    };
}
