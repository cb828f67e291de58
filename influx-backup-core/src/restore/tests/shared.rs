//! Objects whose bytes lie elsewhere in the repository are copied like all others.

use std::sync::atomic::{AtomicU64, Ordering};

use Generation::V3;

use super::*;
use crate::record::ObjectRecord;

/// A backup whose bulk lies in the repository, shared with an earlier backup.
async fn sharing() -> Backup {
    let repository = Location::in_memory();
    let cluster = core(3).upgraded([V3]);
    let share = |_: &mut Manifest, records: &mut Vec<ObjectRecord>| {
        for record in records.iter_mut().filter(|record| !record.key.as_str().contains("/catalog/")) {
            record.stored.at = Some(key(&format!("_shared/n0/{}", record.key)));
        }
    };
    let backup = write_backup(&repository, &cluster, &[V3], share).await.expect("a backup");
    for record in backup.objects() {
        if let Some(at) = &record.stored.at {
            let bytes = backup.location().get(&record.key, None).await.expect("read").expect("there");
            repository.put(at, bytes).await.expect("shared");
            backup.location().delete(&record.key).await.expect("moved");
        }
    }
    backup
}

fn shared(backup: &Backup) -> u64 {
    backup.objects().filter(|record| record.stored.at.is_some()).count() as u64
}

/// Copies as [`Plain`] does, counts what it takes from shared places, and fails after a number of those.
#[derive(Debug)]
struct Counting {
    shared: AtomicU64,
    fails_after: u64,
}

#[async_trait]
impl Copier for Counting {
    async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
        if request.source.key.as_str().starts_with("_shared/") {
            if self.shared.load(Ordering::Relaxed) == self.fails_after {
                return Err(CopyError::Cancelled);
            }
            self.shared.fetch_add(1, Ordering::Relaxed);
        }
        Plain.copy(request, context).await
    }
}

#[tokio::test(start_paused = true)]
async fn shared_objects_go_through_copier_and_journal() {
    let bed = Bed::over(sharing().await);
    assert!(shared(&bed.backup) > 8);
    let options = alone(RestoreOptions::empty());
    let failing = Arc::new(Counting { shared: AtomicU64::new(0), fails_after: 5 });
    bed.request(&options).with_copier(failing).await.expect_err("in the middle");
    let copying = Arc::new(Counting { shared: AtomicU64::new(0), fails_after: u64::MAX });
    let again = bed.request(&options.resuming()).with_copier(Arc::clone(&copying) as _);
    let report = again.await.expect("resumed");
    assert_eq!(copying.shared.load(Ordering::Relaxed), shared(&bed.backup) - 5, "five were in the journal");
    assert!(report.resumed >= 5, "{}", report.resumed);
    assert_eq!(bed.keys().await, bed.backup_keys());
    for record in bed.backup.objects() {
        let restored = bed.target.get(&record.key, None).await.expect("read").expect("there");
        assert_eq!(restored, bed.backup.read(&record).await.expect("read"), "{}", record.key);
    }
}

#[tokio::test(start_paused = true)]
async fn missing_and_altered_shared_objects_are_found() {
    for altered in [None, Some("short")] {
        let bed = Bed::over(sharing().await);
        let record = bed.backup.objects().find(|record| record.stored.at.is_some()).expect("one").clone();
        let at = record.stored.at.expect("shared");
        match altered {
            None => bed.backup.repository().delete(&at).await.expect("deleted"),
            Some(bytes) => {
                bed.backup.repository().put(&at, bytes.into()).await.expect("altered");
            }
        }
        let error = bed.restore(&quick(RestoreOptions::empty())).await.expect_err("damaged");
        assert!(matches!(&error, Error::DamagedBackup { object, .. } if *object == record.key.to_string()), "{error}");
        assert!(bed.keys().await.is_empty(), "found before the first write");
    }
}
