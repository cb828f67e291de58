//! How far a job is.

/// Calls the macros with the tables of this subject.
#[macro_export]
macro_rules! progress_tables {
    ($by_name:ident, $document:ident) => {
        $by_name!($crate::core::Phase, $crate::core::plan::StageKind);

        $document! {
            /// How far a job is, and what it is doing. Its counts only grow while it runs.
            Progress(it: $crate::core::Progress, text = it) {
                /// What the job is doing.
                phase = it.phase,
                /// The pass of a backup, from 1.
                pass_number = it.pass,
                /// What is being copied.
                stage = it.stage,
                /// Milliseconds since the job was started, or from there to its end.
                elapsed_ms = it.elapsed_ms,
                /// Objects listed so far: what grows before anything is planned. One that is listed again counts again.
                listed = it.listed,
                /// Objects finished.
                objects = it.objects,
                /// Bytes of objects that are finished or under way.
                bytes = it.bytes,
                /// Objects planned so far.
                total_objects = it.total_objects,
                /// Bytes planned so far.
                total_bytes = it.total_bytes,
                /// Objects that were listed and then gone before their copy.
                vanished = it.vanished,
                /// Objects that changed between their listing and their copy.
                changed = it.changed,
                /// Attempts that failed and were repeated.
                retries = it.retries,
                /// Objects deleted.
                deleted = it.deleted,
                /// How much of what is planned so far is done, from 0 to 1; `None` as long as nothing is planned.
                ///
                /// By bytes, or by objects where no bytes are counted. It falls where more is planned.
                fraction = it.fraction(),
            }
        }
    };
}
