//! The restore is killed at every single write.

use Generation::{V1, V2, V3};

use super::*;

/// What a server may make of a half-done restore: nothing at all, or what was there before, or what the backup holds.
async fn killed_at_every_write(
    backup: (&Generate, &[Generation]),
    before: Option<(&Generate, &[Generation])>,
    options: fn() -> RestoreOptions,
) {
    let fresh = || async {
        let bed = Bed::new(backup.0, backup.1).await;
        match before {
            Some((cluster, generations)) => bed.holding(cluster, generations).await,
            None => bed,
        }
    };
    let bed = fresh().await;
    let old = bed.verdicts().await;
    bed.store.live();
    bed.restore(&quick(options())).await.expect("an undisturbed restore");
    let writes = bed.store.written();
    let new = bed.verdicts().await;
    let keys = bed.keys().await;
    assert!(new.iter().any(|verdict| verdict.clone().loaded().is_some_and(|loaded| loaded.is_whole())), "{new:?}");
    assert!(writes > 10, "{writes}");

    let mut refused = 0;
    for k in 0..writes {
        let bed = fresh().await;
        bed.store.die_after(k);
        bed.restore(&quick(options())).await.expect_err("killed");
        bed.store.live();
        let now = bed.verdicts().await;
        let untouched = Target::inspect(&bed.target)
            .await
            .expect("inspected")
            .unfinished
            .is_none_or(|unfinished| unfinished.changes == Changes::None && unfinished.phase != Phase::Releasing);
        for ((now, old), new) in now.iter().zip(&old).zip(&new) {
            let stopped = matches!(now, Verdict::WontStart { .. });
            refused += u64::from(stopped);
            assert!(stopped || (untouched && now == old) || now == new, "killed at write {k} of {writes}: {now:?}");
        }
        let begun = Target::inspect(&bed.target).await.expect("inspected").unfinished.is_some();
        let again = if begun { alone(options()).resuming() } else { alone(options()) };
        match bed.restore(&again).await {
            Ok(report) => assert_eq!(report.objects, bed.backup.objects().len() as u64),
            // Killed between the end of the journal and the answer: the restore was done.
            Err(error) => assert!(!begun && k + 1 >= writes, "killed at write {k} of {writes}: {error}"),
        }
        assert_eq!(bed.verdicts().await, new, "killed at write {k} of {writes}, resumed");
        assert_eq!(bed.keys().await, keys, "killed at write {k} of {writes}, resumed");
    }
    assert!(refused > writes, "most of the time, the guard stands: {refused} of {writes}");
}

#[tokio::test(start_paused = true)]
async fn into_an_empty_target() {
    killed_at_every_write((&core(2), &[V3]), None, RestoreOptions::empty).await;
}

#[tokio::test(start_paused = true)]
async fn over_a_newer_state() {
    killed_at_every_write((&core(2), &[V3]), Some((&core(4), &[V3])), RestoreOptions::replace).await;
}

#[tokio::test(start_paused = true)]
async fn back_to_before_an_upgrade() {
    killed_at_every_write((&core(2), &[V2]), Some((&core(4), &[V2, V3])), RestoreOptions::replace).await;
}

#[tokio::test(start_paused = true)]
async fn of_an_upgraded_store_over_an_old_one() {
    killed_at_every_write((&core(3), &[V1, V2, V3]), Some((&core(2), &[V1])), RestoreOptions::replace).await;
}

#[tokio::test(start_paused = true)]
async fn abandoning_brings_the_old_roots_back() {
    let mut abandoned = 0;
    for k in 0..40 {
        let bed = Bed::new(&core(2), &[V3]).await.holding(&core(4), &[V2, V3]).await;
        let old = bed.verdicts().await;
        let keys = bed.keys().await;
        bed.store.die_after(k);
        let _killed = bed.restore(&quick(RestoreOptions::replace())).await;
        bed.store.live();
        match abandon(&bed.target, AbandonOptions::default().with_takeover(Takeover::Immediately)).await {
            Ok(_) => {
                assert_eq!(bed.verdicts().await, old, "killed at write {k}");
                assert_eq!(bed.keys().await, keys, "killed at write {k}");
                abandoned += 1;
            }
            Err(Error::NoRestore { .. }) => assert_eq!(bed.verdicts().await.len(), old.len()),
            Err(error) => assert_eq!(error.code(), "cannot-abandon", "killed at write {k}"),
        }
    }
    assert!(abandoned >= 4, "after the journal and after each guard: {abandoned}");
}

#[tokio::test(start_paused = true)]
async fn abandoning_an_empty_target_empties_it() {
    for k in 8..16 {
        let bed = Bed::new(&core(2), &[V3]).await;
        bed.store.die_after(k);
        bed.restore(&quick(RestoreOptions::empty())).await.expect_err("killed");
        bed.store.live();
        abandon(&bed.target, AbandonOptions::default().with_takeover(Takeover::Immediately)).await.expect("abandoned");
        assert!(bed.keys().await.is_empty(), "killed at write {k}: {:?}", bed.keys().await);
    }
}

#[tokio::test(start_paused = true)]
async fn abandoning_may_itself_be_killed() {
    let mut killed = 0;
    for k in 0.. {
        let bed = Bed::new(&core(2), &[V3]).await;
        bed.store.die_after(14);
        bed.restore(&quick(RestoreOptions::empty())).await.expect_err("killed");
        bed.store.die_after(k);
        let abandoned = abandon(&bed.target, AbandonOptions::default().with_takeover(Takeover::Immediately)).await;
        bed.store.live();
        for verdict in bed.verdicts().await {
            assert!(matches!(verdict, Verdict::WontStart { .. } | Verdict::Empty), "killed at write {k}: {verdict:?}");
        }
        if abandoned.is_ok() {
            break;
        }
        killed += 1;
        abandon(&bed.target, AbandonOptions::default().with_takeover(Takeover::Immediately))
            .await
            .expect("abandoned at last");
        assert!(bed.keys().await.is_empty(), "killed at write {k}: {:?}", bed.keys().await);
    }
    assert!(killed > 5, "{killed}");
}

/// A restore that dies between its journal and its guard: the servers may be started again, and what they write is theirs.
#[tokio::test(start_paused = true)]
async fn abandoning_returns_to_what_servers_wrote_before_the_guard_stood() {
    let lacking = |bed: &Bed| {
        let wal = bed.backup_keys().into_iter().find(|key| key.contains("/wal/")).expect("a WAL file");
        key(&wal)
    };
    let mut abandoned = 0;
    for writes in 0.. {
        let bed = Bed::new(&core(2), &[V3]).await.holding(&core(3), &[V3]).await;
        let lacking = lacking(&bed);
        bed.target.delete(&lacking).await.expect("deleted");
        die_before_the_guard(&bed).await;

        let root = key("node1/catalog/v3/snapshot");
        let newer = bed.target.get(&root, None).await.expect("asked").expect("a root");
        bed.target.put(&root, [newer.as_ref(), b"\n"].concat().into()).await.expect("a newer root");
        bed.target.put(&lacking, "written by a server".into()).await.expect("a WAL file");
        let before = contents(&bed).await;

        bed.store.die_after(writes);
        let resumed = bed.restore(&alone(RestoreOptions::replace()).resuming()).await;
        bed.store.live();
        if resumed.is_ok() {
            break;
        }
        let unfinished = bed.inspect().await.unfinished.expect("begun");
        if unfinished.changes == Changes::None && unfinished.phase != Phase::Releasing {
            abandon(&bed.target, AbandonOptions::default().with_takeover(Takeover::Immediately))
                .await
                .expect("abandoned");
            assert_eq!(contents(&bed).await, before, "killed at write {writes}");
            abandoned += 1;
        }
    }
    assert!(abandoned > 5, "killed before and after the guard stood: {abandoned}");
}

/// The same on an empty target: a restore without a guard says nothing about whether servers run.
#[tokio::test(start_paused = true)]
async fn resuming_without_a_guard_asks_for_stopped_servers() {
    let bed = Bed::new(&core(2), &[V3]).await;
    die_before_the_guard(&bed).await;
    let bed = bed.holding(&core(3), &[V3]).await;
    let resuming = alone(RestoreOptions::empty()).resuming();
    let error = bed.restore(&resuming.clone().unconfirmed()).await.expect_err("servers may run");
    assert_eq!(error.code(), "servers-not-stopped", "{error}");
}

/// Kills a restore when its journal stands and its guard does not.
async fn die_before_the_guard(bed: &Bed) {
    for writes in 0.. {
        bed.store.die_after(writes);
        bed.restore(&alone(RestoreOptions::replace())).await.expect_err("killed");
        bed.store.live();
        let target = bed.inspect().await;
        assert_eq!(target.guards().count(), 0, "killed at write {writes}");
        if target.unfinished.is_some() {
            return;
        }
    }
}

/// What a target holds, the files of this crate apart.
async fn contents(bed: &Bed) -> std::collections::BTreeMap<String, bytes::Bytes> {
    let mut contents = std::collections::BTreeMap::new();
    for object in bed.target.list("").await.expect("listed").iter() {
        if !object.key.as_str().starts_with("_influx_backup/") {
            let bytes = bed.target.get(&object.key, None).await.expect("asked").expect("listed before");
            contents.insert(object.key.to_string(), bytes);
        }
    }
    contents
}

/// Copies, and afterwards replaces the first WAL file by bytes of the same length.
#[derive(Debug)]
struct Alters;

#[async_trait]
impl Copier for Alters {
    async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
        if request.target.as_str().contains("/dbs/") {
            for object in request.to.list("node1/wal").await.expect("listed").iter().take(1) {
                let other = vec![0; usize::try_from(object.size).expect("small")];
                request.to.put(&object.key, other.into()).await.expect("altered");
            }
        }
        Plain.copy(request, context).await
    }
}

/// What was changed after it was restored is found before the guard is released, and copied again by the next run.
#[tokio::test(start_paused = true)]
async fn what_is_changed_after_its_copy_is_not_released() {
    let bed = Bed::new(&core(2), &[V3]).await;
    let altered = bed.request(&quick(RestoreOptions::empty())).with_copier(Arc::new(Alters)).await;
    let error = altered.expect_err("altered");
    assert_eq!(error.code(), "verify-failed", "{error}");
    assert!(bed.inspect().await.guards().count() > 0, "the guard stands");

    bed.restore(&alone(RestoreOptions::empty()).resuming()).await.expect("resumed");
    for record in bed.backup.objects() {
        let restored = bed.target.get(&record.key, None).await.expect("asked").expect("restored");
        assert_eq!(Some(Crc64::of(&restored)), record.content.crc64, "{}", record.key);
    }
}
