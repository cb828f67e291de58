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
