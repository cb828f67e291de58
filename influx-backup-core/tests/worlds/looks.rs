//! The certificates of a run, those included that another pass came after, and whether the world shows what they say.

use std::time::Duration;

use influx_backup_core::{BackupReport, Certificate, Error, EventKind, Finding, Job};
use influx_backup_testing::model::Model;

use super::{
    Ending, PASSES, Wrong,
    explain::{Knowledge, When},
};

/// One certificate of a run, and when it looked.
#[derive(Debug)]
pub(super) struct Look {
    /// When the listing began that its pass copied.
    listed: Duration,
    /// When the listing began that looked again after the copies.
    again: Duration,
    /// When it was made.
    certified: Duration,
    certificate: Certificate,
}

impl Look {
    /// What it says, clause by clause.
    fn violations(&self) -> impl Iterator<Item = &Finding> {
        self.certificate.clauses.iter().flat_map(|result| &result.violations)
    }
}

/// Reads the events of a run to their end. The first look begins with the discovery.
pub(super) async fn watch(job: &Job<BackupReport>, model: &Model, began: Duration) -> Vec<Look> {
    let mut looks = Vec::new();
    let mut listed = began;
    let mut again = began;
    let mut events = job.events();
    while let Some(event) = events.next().await {
        match event.kind {
            // The last one of a pass: then it looks again, and that is what the next pass copies.
            EventKind::StageFinished { .. } => again = model.now(),
            EventKind::Certified { certificate, .. } => {
                looks.push(Look { listed, again, certified: model.now(), certificate: *certificate });
                listed = again;
            }
            _ => {}
        }
    }
    looks
}

/// Whatever a certificate says, the world shows it, or moved so under its pass.
pub(super) fn nothing_is_made_up(knowledge: &Knowledge<'_>, looks: &[Look]) -> Result<(), Wrong> {
    for look in looks {
        let when = look.listed..=look.certified;
        let made_up = look.violations().find(|violation| !knowledge.explains(violation, &when));
        made_up.map_or(Ok(()), |violation| Err(unexplained(violation, &when)))?;
    }
    Ok(())
}

/// Whatever its last certificate counts as absent, the world lacked under that pass.
pub(super) fn nothing_is_missed(
    knowledge: &Knowledge<'_>,
    looks: &[Look],
    mut absent: impl Iterator<Item = String>,
) -> Result<(), Wrong> {
    let Some(last) = looks.last() else { return Ok(()) };
    let when = last.listed..=last.certified;
    let there = absent.find(|path| !knowledge.objects.lacked(path, &when));
    there
        .map_or(Ok(()), |path| Err(Wrong::Certificate(format!("`{path}` is absent by it, and was there all the time"))))
}

/// A backup was refused for what its last certificate says. At its last pass that may be movement; before, it stands and nothing
/// else moves.
pub(super) fn refused(error: &Error, knowledge: &Knowledge<'_>, looks: &[Look]) -> Result<Ending, Wrong> {
    let failed = || Wrong::Failed(format!("{error}: {:?}", std::error::Error::source(error)));
    let last = looks.last().ok_or_else(failed)?;
    match error {
        Error::NotConsistent { certificate, .. } if **certificate != last.certificate => return Err(failed()),
        Error::NotConsistent { passes, .. } if *passes < PASSES => {
            last.violations().try_for_each(|violation| stands(knowledge, last, violation))?;
        }
        Error::NotConsistent { .. } => {}
        Error::CorruptSource { finding, .. } => {
            let violation = last.violations().find(|violation| **violation == **finding).ok_or_else(failed)?;
            stands(knowledge, last, violation)?;
        }
        _ => return Err(failed()),
    }
    Ok(Ending::Open { violations: last.violations().map(|violation| violation.code.clone()).collect() })
}

/// What no further pass can repair is not a movement: the world shows it at one moment after the last copy.
fn stands(knowledge: &Knowledge<'_>, look: &Look, violation: &Finding) -> Result<(), Wrong> {
    let when = look.again..=look.certified;
    // Right after each move, so that the move itself explains nothing.
    let mut moments = knowledge.objects.moments("", &when).into_iter().map(|moved| moved + Duration::from_nanos(1));
    let stands = moments.any(|now| knowledge.explains(violation, &(now..=now)));
    if stands { Ok(()) } else { Err(unexplained(violation, &when)) }
}

fn unexplained(finding: &Finding, when: &When) -> Wrong {
    let code = &finding.code;
    let start = when.start();
    let end = when.end();
    Wrong::MadeUp(format!("{code}: {finding:#}; nothing like that from {start:?} to {end:?}"))
}
