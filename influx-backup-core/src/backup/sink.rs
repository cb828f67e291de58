//! [`PassSink`]: writes down what a pass has finished.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{
    index::Index,
    journal::{Journal, JournalLine},
    run::RunState,
    seen::Seen,
};
use crate::{
    copier::Copied,
    error::Result,
    execute::{CopyOutcome, CopySink},
    format::parquet,
    judge::fact::{Fact, Facts},
    key::Key,
    layout::Component,
    location::{Location, StoreChecksums},
    plan::CopyTask,
    record::{ContentRecord, ObjectRecord, PassReport, UnreadableRecord},
};

/// Writes down what a pass has finished, and counts it.
#[derive(Debug)]
pub(super) struct PassSink<'a> {
    to: &'a Location,
    index: &'a mut Index,
    journal: &'a mut Journal,
    facts: &'a mut Facts,
    seen: &'a Seen,
    unreadable: &'a mut BTreeMap<Key, UnreadableRecord>,
    report: PassReport,
    changed: bool,
}

impl<'a> PassSink<'a> {
    pub(super) fn new(to: &'a Location, state: &'a mut RunState) -> Self {
        let RunState { index, journal, facts, seen, unreadable } = state;
        Self { to, index, journal, facts, seen, unreadable, report: PassReport::default(), changed: false }
    }

    pub(super) const fn index(&mut self) -> &mut Index {
        self.index
    }

    /// What was copied.
    pub(super) fn into_report(self) -> PassReport {
        self.report
    }

    /// Whether an object changed while it was copied, since this was forgotten.
    pub(super) const fn saw_change(&self) -> bool {
        self.changed
    }

    pub(super) const fn forget_changes(&mut self) {
        self.changed = false;
    }

    async fn copied(&mut self, task: &CopyTask, copied: Copied, seen: Option<Fact>) -> Result<()> {
        self.report.copied += 1;
        self.report.bytes += copied.content.size;
        *self.report.copiers.entry(copied.copier.to_string()).or_default() += 1;
        if let Some(refused) = &copied.refused_by {
            *self.report.refused.entry(refused.to_string()).or_default() += 1;
        }
        if let (Component::Parquet, Some(ends)) = (task.component, copied.content.ends) {
            let framed = parquet::check(&ends.head, &ends.tail, copied.content.size);
            self.facts.record_parquet(&task.to, &task.from.version, framed);
        }
        if let Some(fact) = seen {
            self.facts.insert(task.to.clone(), task.from.version.clone(), fact);
        }
        let record = record(task, copied);
        self.index.insert(record.clone());
        self.journal.add(JournalLine::Copied(Box::new(record))).await
    }

    /// An object that could not be copied is not in the backup: an attempt whose answer was lost may have left it there.
    async fn drop_object(&mut self, key: &Key) -> Result<()> {
        self.to.delete_version_or_current(key, None).await?;
        if !self.index.has(key) {
            return Ok(());
        }
        self.index.remove(key.clone());
        self.journal.add(JournalLine::Deleted(key.clone())).await
    }
}

#[async_trait]
impl CopySink for PassSink<'_> {
    async fn on_finished(&mut self, task: &CopyTask, outcome: CopyOutcome) -> Result<()> {
        let before = self.unreadable.remove(&task.to);
        let seen = self.seen.take(&task.to);
        match outcome {
            CopyOutcome::Copied(copied) => self.copied(task, *copied, seen).await,
            CopyOutcome::Vanished => {
                self.report.vanished += 1;
                self.drop_object(&task.to).await
            }
            CopyOutcome::Changed => {
                self.report.changed += 1;
                self.changed = true;
                self.drop_object(&task.to).await
            }
            CopyOutcome::Unreadable { code, reason } => {
                let record = UnreadableRecord { key: task.to.clone(), size: task.source().size, code, reason };
                // Reasons say how long it took: one of the same kind is no news that another pass could come of.
                let record = before.filter(|before| before.code == record.code).unwrap_or(record);
                self.unreadable.insert(task.to.clone(), record);
                self.drop_object(&task.to).await
            }
        }
    }
}

fn record(task: &CopyTask, copied: Copied) -> ObjectRecord {
    let content = ContentRecord::new(copied.content.size, copied.content.crc64).with_blake3(copied.content.blake3);
    let mut record = ObjectRecord::new(task.to.clone(), task.from.version.clone(), content, copied.checked_by);
    record.attributes = copied.attributes;
    record.stored.size = copied.stored.size;
    record.stored.version = copied.stored.version;
    // A plain object's CRC-64/NVME is written once, with its content.
    let checksums = copied.stored.checksums;
    let crc64 = checksums.crc64.filter(|crc64| copied.content.crc64 != Some(*crc64));
    record.stored.checksums = StoreChecksums { crc64, ..checksums };
    record
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;
    use crate::{
        checksum::Crc64,
        location::{ObjectMeta, Version},
        plan::PlaceRole,
    };

    #[test]
    fn what_a_store_knows_is_written_down_once() {
        let version = Version { e_tag: None, id: None, modified: Utc::now() };
        let source = ObjectMeta { key: Key::parse("n/wal/1.wal").expect("a key"), size: 9, version };
        let task = CopyTask::new(PlaceRole::Source, source, Component::Wal);
        let kept = |crc64, checksums| {
            let mut copied = Copied::unverified(9, "test");
            copied.content.crc64 = crc64;
            copied.stored.checksums = checksums;
            record(&task, copied).stored.checksums
        };
        let crc64 = Some(Crc64::of(b"123456789"));
        let both = StoreChecksums { crc64, md5: Some("JfnnlDI7RTiF9RgfG2JNCw==".to_owned()), ..Default::default() };
        assert_eq!(kept(crc64, both.clone()), StoreChecksums { crc64: None, ..both.clone() });
        assert_eq!(kept(None, both.clone()), both, "the store made the copy itself");
        assert_eq!(kept(crc64, StoreChecksums::default()), StoreChecksums::default());
    }
}
