//! Events: a class for each kind.

/// Calls the macro with the table of all kinds.
#[macro_export]
macro_rules! event_tables {
    ($kinds:ident) => {
        $kinds! {
            /// A pass of a backup begins.
            PassStarted = $crate::core::EventKind::PassStarted { pass, listed, objects, bytes, .. } => {
                /// Its number, from 1.
                number = pass,
                /// Objects listed in the source.
                listed = listed,
                /// Objects to copy.
                objects = objects,
                /// Bytes to copy.
                bytes = bytes,
            }

            /// A restore begins to compare objects of its backup, before it writes anything.
            CheckStarted = $crate::core::EventKind::CheckStarted { objects, bytes, .. } => {
                /// How many objects.
                objects = objects,
                /// Their bytes: all of them are read, but for those that are compared by their store's checksums.
                bytes = bytes,
            }

            /// A stage begins.
            StageStarted = $crate::core::EventKind::StageStarted { stage, objects, bytes, .. } => {
                /// Which one.
                stage = stage,
                /// Objects to copy.
                objects = objects,
                /// Bytes to copy.
                bytes = bytes,
            }

            /// How far the job is. Sent ten times a second at most; one that is not read is replaced by the next.
            ProgressEvent = $crate::core::EventKind::Progress(progress) => {
                /// How far it is.
                progress = progress,
            }

            /// Events were dropped because nothing read them: the next event has the number `seq + missed`.
            Lagged = $crate::core::EventKind::Lagged { missed, .. } => {
                /// How many.
                missed = missed,
            }

            /// A stage is over and, for files, on disk.
            StageFinished = $crate::core::EventKind::StageFinished { stage, .. } => {
                /// Which one.
                stage = stage,
            }

            /// An object was listed and then gone before its copy. Sent only where object events are asked for.
            Vanished = $crate::core::EventKind::Vanished { key, .. } => {
                /// The object.
                key = key,
            }

            /// An object changed between its listing and its copy. Sent only where object events are asked for.
            Changed = $crate::core::EventKind::Changed { key, .. } => {
                /// The object.
                key = key,
            }

            /// Something failed and is tried again. Sent only where object events are asked for.
            Retry = $crate::core::EventKind::Retry { key, attempt, wait, code, .. } => {
                /// The object.
                key = key,
                /// How many attempts failed so far.
                attempt = attempt,
                /// How long it waits.
                wait = wait,
                /// What failed, with a stable code.
                code = code,
            }

            /// A pass of a backup is over.
            PassFinished = $crate::core::EventKind::PassFinished { pass, report, .. } => {
                /// Its number.
                number = pass,
                /// What it cost and found.
                report = report,
            }

            /// The proof, as far as it holds.
            Certified = $crate::core::EventKind::Certified { certificate, .. } => {
                /// The certificate.
                certificate = certificate,
            }

            /// Where each node can be recovered to.
            Recovery = $crate::core::EventKind::Recovery { points, .. } => {
                /// One per node.
                points = points,
            }

            /// An object was deleted: trimmed from a backup, or from the target of a restore. Sent only where object events are asked for.
            Deleted = $crate::core::EventKind::Deleted { key, .. } => {
                /// The object.
                key = key,
            }

            /// The boot guard stands: no server starts on the target.
            GuardSet = $crate::core::EventKind::GuardSet => {}

            /// The boot guard is gone: servers may start on the target.
            GuardReleased = $crate::core::EventKind::GuardReleased => {}

            /// A node was stopped by the orchestrator.
            NodeStopped = $crate::core::EventKind::NodeStopped { node, .. } => {
                /// Its id.
                node = node,
            }

            /// A node was started by the orchestrator.
            NodeStarted = $crate::core::EventKind::NodeStarted { node, .. } => {
                /// Its id.
                node = node,
            }

            /// Something was found, or the caller has to do something: see its severity.
            FindingEvent = $crate::core::EventKind::Finding(finding) => {
                /// What was found.
                finding = finding,
            }

            /// The last object is written: the backup counts.
            Committed = $crate::core::EventKind::Committed { name, .. } => {
                /// Its name.
                name = name,
            }

            /// The job has ended. Always the last event, also of a job that was cancelled or that panicked.
            Finished = $crate::core::EventKind::Finished { error, .. } => {
                /// Why it failed, together with what it had found; `None`: it did not.
                error = error,
            }
        }
    };
}
