//! Events of a job as events of `tracing`, for whoever has installed a subscriber.

use crate::{
    event::EventKind,
    finding::{Finding, Severity},
};

pub(super) fn trace(kind: &EventKind) {
    match kind {
        EventKind::PassStarted { pass, listed, objects, bytes } => {
            tracing::info!(pass, listed, objects, bytes, "pass started");
        }
        EventKind::PassFinished { pass, report } => {
            let violated = report.failed_clauses.len();
            tracing::info!(pass, copied = report.copied, vanished = report.vanished, violated, "pass finished");
        }
        EventKind::CheckStarted { objects, bytes } => tracing::info!(objects, bytes, "check of the backup started"),
        EventKind::StageStarted { stage, objects, bytes } => {
            tracing::info!(stage = stage.title(), objects, bytes, "stage started");
        }
        EventKind::StageFinished { stage } => tracing::info!(stage = stage.title(), "stage finished"),
        EventKind::Vanished { key } => tracing::debug!(%key, "object vanished"),
        EventKind::Changed { key } => tracing::debug!(%key, "object changed"),
        EventKind::Retry { key, attempt, wait, code } => tracing::debug!(%key, attempt, ?wait, code, "retrying"),
        EventKind::Deleted { key } => tracing::debug!(%key, "object deleted"),
        EventKind::GuardSet => tracing::info!("boot guard set"),
        EventKind::GuardReleased => tracing::info!("boot guard released"),
        EventKind::NodeStopped { node } => tracing::info!(node, "node stopped"),
        EventKind::NodeStarted { node } => tracing::info!(node, "node started"),
        EventKind::Finding(finding) => trace_finding(finding),
        EventKind::Committed { name } => tracing::info!(name, "committed"),
        EventKind::Finished { error: Some(error) } => tracing::warn!(code = error.code, "failed: {}", error.message),
        EventKind::Finished { error: None } => tracing::info!("done"),
        EventKind::Certified { .. }
        | EventKind::Recovery { .. }
        | EventKind::Progress(_)
        | EventKind::Lagged { .. } => {}
    }
}

fn trace_finding(Finding { code, severity, message, .. }: &Finding) {
    match severity {
        Severity::Error => tracing::error!(%code, "{message}"),
        Severity::Todo | Severity::Warning => tracing::warn!(%code, "{message}"),
        Severity::Info => tracing::info!(%code, "{message}"),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        sync::{Arc, Mutex},
    };

    use super::*;
    use crate::finding::FindingCode;

    /// What was traced, as lines.
    #[derive(Debug, Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("unpoisoned").write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_finding_has_the_level_of_its_severity() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            for severity in [Severity::Error, Severity::Todo, Severity::Warning, Severity::Info] {
                let finding = Finding { severity, ..Finding::new(FindingCode::ClockSkew, "found") };
                trace(&EventKind::Finding(finding));
            }
        });
        let text = String::from_utf8(lines.0.lock().expect("unpoisoned").clone()).expect("UTF-8");
        let levels: Vec<_> = text.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
        assert_eq!(levels, ["ERROR", "WARN", "WARN", "INFO"], "{text}");
    }
}
