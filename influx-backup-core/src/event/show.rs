//! An event as one line of text, and its name.

use std::fmt;

use super::EventKind;
use crate::naming::visible;
use crate::units::ByteSize;

impl EventKind {
    /// The name of every event, as in its JSON.
    pub const NAMES: &'static [&'static str] = &[
        "pass_started",
        "check_started",
        "stage_started",
        "progress",
        "lagged",
        "stage_finished",
        "vanished",
        "changed",
        "retry",
        "pass_finished",
        "certified",
        "recovery",
        "deleted",
        "guard_set",
        "guard_released",
        "node_stopped",
        "node_started",
        "finding",
        "committed",
        "finished",
    ];

    /// Its name, one of [`NAMES`](Self::NAMES).
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::PassStarted { .. } => "pass_started",
            Self::CheckStarted { .. } => "check_started",
            Self::StageStarted { .. } => "stage_started",
            Self::Progress(_) => "progress",
            Self::Lagged { .. } => "lagged",
            Self::StageFinished { .. } => "stage_finished",
            Self::Vanished { .. } => "vanished",
            Self::Changed { .. } => "changed",
            Self::Retry { .. } => "retry",
            Self::PassFinished { .. } => "pass_finished",
            Self::Certified { .. } => "certified",
            Self::Recovery { .. } => "recovery",
            Self::Deleted { .. } => "deleted",
            Self::GuardSet => "guard_set",
            Self::GuardReleased => "guard_released",
            Self::NodeStopped { .. } => "node_stopped",
            Self::NodeStarted { .. } => "node_started",
            Self::Finding(_) => "finding",
            Self::Committed { .. } => "committed",
            Self::Finished { .. } => "finished",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PassStarted { pass, listed, objects, bytes } => {
                write!(f, "pass {pass}: {listed} objects listed, {objects} to copy ({})", ByteSize(*bytes))
            }
            Self::CheckStarted { objects, bytes } => {
                write!(f, "checking {objects} objects of the backup first ({})", ByteSize(*bytes))
            }
            Self::StageStarted { stage, objects, bytes } => {
                write!(f, "{}: {objects} objects to copy ({})", stage.title(), ByteSize(*bytes))
            }
            Self::Progress(progress) => progress.fmt(f),
            Self::Lagged { missed } => write!(f, "{missed} events were missed"),
            Self::StageFinished { stage } => write!(f, "{}: done", stage.title()),
            Self::Vanished { key } => write!(f, "`{}` is gone", visible(key)),
            Self::Changed { key } => write!(f, "`{}` changed", visible(key)),
            Self::Retry { key, attempt, wait, code } => {
                let (key, wait) = (visible(key), wait.as_secs_f64());
                write!(f, "`{key}`: {code}, attempt {attempt}; trying again in {wait:.1} s")
            }
            Self::PassFinished { pass, report } if report.failed_clauses.is_empty() => {
                write!(f, "pass {pass}: {} objects copied, nothing is violated", report.copied)
            }
            Self::PassFinished { pass, report } => {
                let codes: Vec<_> = report.failed_clauses.iter().map(|clause| clause.as_str()).collect();
                write!(f, "pass {pass}: still violated: {}", codes.join(", "))
            }
            Self::Certified { certificate } if certificate.holds() => f.write_str("the certificate holds"),
            Self::Certified { .. } => f.write_str("the certificate is violated"),
            Self::Recovery { points } => write!(f, "recovery points of {} nodes", points.len()),
            Self::Deleted { key } => write!(f, "`{}` deleted", visible(key)),
            Self::GuardSet => f.write_str("boot guard set: no server starts on the target until it is whole"),
            Self::GuardReleased => f.write_str("boot guard released: servers may start on the target"),
            Self::NodeStopped { node } => write!(f, "node {} stopped", visible(node)),
            Self::NodeStarted { node } => write!(f, "node {} started", visible(node)),
            Self::Finding(finding) => write!(f, "{} [{}]: {finding}", finding.severity, finding.code),
            Self::Committed { name } => write!(f, "backup {} committed", visible(name)),
            Self::Finished { error: None } => f.write_str("done"),
            Self::Finished { error: Some(error) } => write!(f, "failed [{}]: {}", error.code, error.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::Duration};

    use super::*;
    use crate::{
        certificate::Certificate,
        error::Error,
        event::Progress,
        finding::{Finding, FindingCode},
        key::Key,
        plan::StageKind,
        record::PassReport,
    };

    fn one_of_each() -> Vec<EventKind> {
        let key = || Key::parse("n1/wal/00000000001.wal").expect("a key");
        let (stage, node) = (StageKind::Wal, || "n1".to_owned());
        let finding = Finding::new(FindingCode::ClockSkew, "the clock is ahead");
        let error = Error::Cancelled { done: 1, total: 2 }.report();
        vec![
            EventKind::PassStarted { pass: 1, listed: 3, objects: 2, bytes: 10 },
            EventKind::CheckStarted { objects: 2, bytes: 10 },
            EventKind::StageStarted { stage, objects: 2, bytes: 10 },
            EventKind::Progress(Progress::default()),
            EventKind::Lagged { missed: 7 },
            EventKind::StageFinished { stage },
            EventKind::Vanished { key: key() },
            EventKind::Changed { key: key() },
            EventKind::Retry { key: key(), attempt: 1, wait: Duration::from_secs(1), code: "stalled".to_owned() },
            EventKind::PassFinished { pass: 1, report: PassReport::default() },
            EventKind::Certified { certificate: Box::new(Certificate::new(Vec::new())) },
            EventKind::Recovery { points: Vec::new() },
            EventKind::Deleted { key: key() },
            EventKind::GuardSet,
            EventKind::GuardReleased,
            EventKind::NodeStopped { node: node() },
            EventKind::NodeStarted { node: node() },
            EventKind::Finding(finding),
            EventKind::Committed { name: "monday".to_owned() },
            EventKind::Finished { error: Some(Box::new(error)) },
        ]
    }

    #[test]
    fn every_event_has_the_name_of_its_json_and_a_line_of_its_own() {
        let events = one_of_each();
        let names: Vec<_> = events.iter().map(EventKind::name).collect();
        assert_eq!(names, EventKind::NAMES);
        for event in &events {
            let json = serde_json::to_value(event).expect("serializes");
            assert_eq!(json["event"], event.name());
        }
        let lines: BTreeSet<_> = events.iter().map(ToString::to_string).collect();
        assert_eq!(lines.len(), events.len(), "{lines:?}");
        assert!(lines.iter().all(|line| !line.is_empty() && !line.contains('\n')), "{lines:?}");
        assert!(lines.contains("warning [clock-skew]: the clock is ahead"), "{lines:?}");
    }
}
