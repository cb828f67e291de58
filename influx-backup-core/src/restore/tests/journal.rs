//! The journal or the guard is damaged by others.

use Generation::V3;
use bytes::Bytes;

use super::{claims::cancelled, *};
use crate::layout::guard;

const JOURNAL: &str = "_influx_backup/restore.json";

async fn abandoned(bed: &Bed) -> Result<AbandonReport> {
    abandon(&bed.target, AbandonOptions::default().with_takeover(Takeover::Immediately)).await
}

/// What the target holds, the files of this crate apart.
async fn restored(bed: &Bed) -> Vec<String> {
    bed.keys().await.into_iter().filter(|key| !key.starts_with("_influx_backup/")).collect()
}

#[tokio::test(start_paused = true)]
async fn without_its_guard_a_restore_that_copied_is_not_abandoned() {
    let guard = key("node1/catalog/v3/snapshot");
    for writes in 0.. {
        let bed = Bed::new(&core(2), &[V3]).await;
        cancelled(&bed).await;
        bed.target.delete(&guard).await.expect("deleted");
        let before = restored(&bed).await;
        assert_eq!(abandoned(&bed).await.expect_err("copies are left").code(), "cannot-abandon");
        assert_eq!(restored(&bed).await, before);

        bed.store.die_after(writes);
        let resumed = bed.restore(&alone(RestoreOptions::empty()).resuming()).await;
        bed.store.live();
        if resumed.is_ok() {
            assert!(writes > 10, "{writes}");
            assert_eq!(bed.keys().await, bed.backup_keys());
            return;
        }
        let unfinished = bed.inspect().await.unfinished;
        if unfinished.is_some() {
            let error = abandoned(&bed).await.expect_err("copies are left");
            assert_eq!(error.code(), "cannot-abandon", "killed at write {writes}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_restore_whose_list_is_lost_is_resumed_and_not_abandoned() {
    for altered in [None, Some(Bytes::from_static(b"x"))] {
        let bed = Bed::new(&core(2), &[V3]).await;
        cancelled(&bed).await;
        let list = bed.keys().await.into_iter().find(|key| key.contains("/created/")).expect("a list");
        match altered {
            None => bed.target.delete(&key(&list)).await.expect("deleted"),
            Some(bytes) => {
                bed.target.put(&key(&list), bytes).await.expect("altered");
            }
        }
        let before = restored(&bed).await;
        let error = abandoned(&bed).await.expect_err("damaged");
        assert_eq!(error.code(), "damaged-journal", "{error}");
        assert!(error.to_string().contains(&format!("{}/{list}", bed.target)), "{error}");
        assert_eq!(restored(&bed).await, before);

        // Also where the resumed restore finds nothing to overwrite.
        let guards: Vec<_> = guard::root_paths("node1").map(|(_, path)| path).collect();
        for copied in before.iter().filter(|key| !guards.contains(key)) {
            bed.target.delete(&key(copied)).await.expect("deleted");
        }
        let resuming = alone(RestoreOptions::empty()).resuming();
        bed.store.die_after(20);
        bed.restore(&resuming).await.expect_err("killed");
        bed.store.live();
        assert_eq!(bed.inspect().await.unfinished.expect("begun").changes, Changes::Begun);
        assert_eq!(abandoned(&bed).await.expect_err("not any more").code(), "cannot-abandon");
        bed.restore(&resuming).await.expect("resumed");
        assert_eq!(bed.keys().await, bed.backup_keys());
    }
}

#[tokio::test(start_paused = true)]
async fn a_restore_whose_journal_is_damaged_is_begun_anew() {
    let bed = Bed::new(&core(2), &[V3]).await;
    cancelled(&bed).await;
    bed.target.put(&key(JOURNAL), Bytes::from_static(b"{")).await.expect("damaged");
    let error = bed.restore(&quick(RestoreOptions::empty()).resuming()).await.expect_err("damaged");
    assert_eq!(error.code(), "damaged-journal", "{error}");
    assert!(error.to_string().contains(&format!("{}/{JOURNAL}", bed.target)), "{error}");
    assert_eq!(abandoned(&bed).await.expect_err("damaged").code(), "damaged-journal");

    bed.target.delete(&key(JOURNAL)).await.expect("as the error says");
    bed.restore(&quick(RestoreOptions::replace())).await.expect("restored");
    assert_eq!(bed.keys().await, bed.backup_keys());
    assert!(bed.verdicts().await.iter().any(|verdict| !matches!(verdict, Verdict::WontStart { .. })));
}
