//! Each thing that stops a restore has its error, before anything is overwritten.

use std::io::ErrorKind;

use Generation::V3;
use bytes::Bytes;

use super::*;
use crate::finding::FindingCode;
#[cfg(unix)]
use crate::location::Links;

async fn refused(bed: &Bed, options: RestoreOptions) -> Error {
    let before = bed.target.list("").await.expect("listed");
    let error = bed.restore(&quick(options)).await.expect_err("refused");
    let after = bed.target.list("").await.expect("listed");
    assert!(before.len() == after.len() && before.iter().zip(&after).all(|(a, b)| a.is_same(&b)), "{error}: untouched");
    error
}

#[tokio::test]
async fn a_backup_without_a_manifest_is_no_backup() {
    let repository = Location::in_memory();
    repository.put(&key("n1/node1/wal/00000000001.wal"), Bytes::from_static(b"x")).await.expect("put");
    assert_eq!(Backup::open(&repository, "n1").await.expect_err("none").code(), "backup-not-found");
}

#[tokio::test]
async fn tampered_and_truncated_manifests_are_refused() {
    let bed = Bed::new(&core(1), &[V3]).await;
    let location = bed.backup.location();
    let manifest = key(MANIFEST_KEY);
    let bytes = location.get(&manifest, None).await.expect("read").expect("there");
    location.put(&manifest, bytes.slice(..bytes.len() / 2)).await.expect("truncated");
    let error = Backup::open(bed.backup.repository(), "n1").await.expect_err("truncated");
    assert_eq!(error.code(), "damaged-backup");
    assert_eq!((error.key(), error.location()), (Some(MANIFEST_KEY), Some(&*location.to_string())));
    let more = String::from_utf8_lossy(&bytes).replacen("\"object_count\":", "\"object_count\":1", 1);
    location.put(&manifest, more.into()).await.expect("tampered");
    assert_eq!(Backup::open(bed.backup.repository(), "n1").await.expect_err("tampered").code(), "damaged-backup");
}

#[tokio::test]
async fn missing_and_altered_objects_are_found_before_the_first_write() {
    for (object, bytes) in [
        ("node1/wal/00000000004.wal", None),
        ("node1/wal/00000000004.wal", Some("short")),
        ("node1/catalog/v3/snapshot", None),
    ] {
        let bed = Bed::new(&core(2), &[V3]).await.holding(&core(4), &[V3]).await;
        match bytes {
            None => bed.backup.location().delete(&key(object)).await.expect("deleted"),
            Some(bytes) => {
                bed.backup.location().put(&key(object), bytes.into()).await.expect("altered");
            }
        }
        let error = refused(&bed, RestoreOptions::replace()).await;
        assert!(matches!(&error, Error::DamagedBackup { object: found, .. } if found == object), "{error}");
        assert_eq!((error.key(), error.location()), (Some(object), Some(&*bed.backup.location().to_string())));
    }
}

#[tokio::test]
async fn bytes_altered_under_the_same_length_are_found() {
    let bed = Bed::new(&core(2), &[V3]).await.holding(&core(4), &[V3]).await;
    let flip = |find: &'static str| {
        let bed = &bed;
        async move {
            let record = bed.backup.objects().find(|record| record.key.as_str().contains(find)).expect("one");
            let bytes = bed.backup.read(&record).await.expect("read");
            let mut altered = bytes.to_vec();
            altered[9] ^= 1;
            bed.backup.location().put(&record.key, altered.into()).await.expect("altered");
            (record.key.clone(), bytes)
        }
    };
    let (wal, bytes) = flip("/wal/").await;
    assert_eq!(refused(&bed, RestoreOptions::replace()).await.code(), "damaged-backup");
    bed.backup.location().put(&wal, bytes).await.expect("repaired");
    let (parquet, _) = flip("/dbs/").await;
    let names_it =
        |error: &Error| matches!(error, Error::DamagedBackup { object, .. } if *object == parquet.to_string());
    for options in [RestoreOptions::replace(), RestoreOptions::overlay()] {
        let error = refused(&bed, options).await;
        assert!(names_it(&error), "before data is changed: {error}");
    }
    // Without reading everything first it is found by its copy, and the guard stays.
    let shallow = RestoreOptions::replace().with_check(SourceCheck::Structure);
    let error = bed.restore(&quick(shallow)).await.expect_err("altered");
    assert!(names_it(&error), "{error}");
    assert!(bed.verdicts().await.iter().all(|verdict| matches!(verdict, Verdict::WontStart { .. })));

    let empty = Bed::over(bed.backup);
    let error = empty.restore(&quick(RestoreOptions::replace())).await.expect_err("altered");
    assert!(names_it(&error), "{error}");
    assert!(Target::inspect(&empty.target).await.expect("inspected").unfinished.is_some(), "found by its copy");
}

#[tokio::test]
async fn degraded_backups_need_consent() {
    let degrade = |manifest: &mut Manifest, _: &mut Vec<ObjectRecord>| manifest.status = BackupStatus::Degraded;
    let backup = write_backup(&Location::in_memory(), &core(1), &[V3], degrade).await.expect("a backup");
    let bed = Bed::over(backup);
    assert_eq!(refused(&bed, RestoreOptions::empty()).await.code(), "degraded-backup");
    bed.restore(&quick(RestoreOptions::empty().with_on_degraded(OnDegraded::Accept))).await.expect("with consent");
}

#[tokio::test]
async fn names_that_climb_out_are_refused() {
    for name in ["../node1/wal/00000000001.wal", "/etc/passwd", "node1/../../x"] {
        let repository = Location::in_memory();
        write_backup(&repository, &core(1), &[V3], |_, _| {}).await.expect("a backup");
        let location = repository.child("n1").expect("a name");
        let line = format!(
            "{{\"key\":\"{name}\",\"content\":{{\"size\":1}},\"version\":{{\"modified\":\"2026-11-01T00:00:00Z\"}},\"checked_by\":\"size\",\
             \"stored\":{{\"size\":1}}}}\n"
        );
        let bytes = zstd::encode_all(line.as_bytes(), 1).expect("compressed");
        let list = key("_influx_backup/objects/000000.jsonl.zst");
        let manifest = location.get(&key(MANIFEST_KEY), None).await.expect("read").expect("there");
        let mut manifest: Manifest = serde_json::from_slice(&manifest).expect("parses");
        manifest.objects[0].sha256 = crate::checksum::sha256(&bytes);
        (manifest.objects[0].records, manifest.object_count) = (1, 1);
        location.put(&list, bytes.into()).await.expect("put");
        let json = serde_json::to_vec(&manifest).expect("serializes");
        location.put(&key(MANIFEST_KEY), json.into()).await.expect("put");
        let error = Backup::open(&repository, "n1").await.expect_err(name);
        assert_eq!(error.code(), "damaged-backup", "{name}: {error}");
    }
}

#[tokio::test]
async fn objects_outside_the_cluster_are_refused() {
    let stray = |_: &mut Manifest, records: &mut Vec<ObjectRecord>| {
        records[0].key = key("elsewhere/x");
        records.sort_by(|a, b| a.key.cmp(&b.key));
    };
    let opened = write_backup(&Location::in_memory(), &core(1), &[V3], stray).await;
    assert_eq!(opened.expect_err("no run writes that").code(), "damaged-backup");
}

#[tokio::test]
async fn other_clusters_and_nodes_are_refused() {
    let other = Generate::core("node2").snapshots(1);
    let bed = Bed::new(&core(1), &[V3]).await.holding(&other, &[V3]).await;
    assert_eq!(refused(&bed, RestoreOptions::replace()).await.code(), "target-foreign");

    let bed = Bed::new(&core(1), &[V3]).await.holding(&core(1).seed(7), &[V3]).await;
    assert_eq!(refused(&bed, RestoreOptions::replace()).await.code(), "target-foreign", "another catalog uuid");
    let anew = RestoreOptions::replace().with_on_catalog_mismatch(OnCatalogMismatch::Replace);
    bed.restore(&quick(anew)).await.expect("said explicitly");

    let bed = Bed::new(&core(1), &[V3]).await.holding(&core(2), &[V3]).await;
    assert_eq!(refused(&bed, RestoreOptions::empty()).await.code(), "target-not-empty");
    let resuming = quick(RestoreOptions::empty()).resuming();
    assert_eq!(bed.restore(&resuming).await.expect_err("nothing to resume").code(), "no-restore");
}

#[tokio::test]
async fn the_plan_of_a_dry_run_refuses_what_the_run_refuses() {
    let planned = |bed: &Bed, options: RestoreOptions| {
        let place = bed.target.clone();
        let repository = bed.backup.repository().clone();
        async move { plan_restore(&repository, "n1", &place, &options).await }
    };
    let bed = Bed::new(&core(1), &[V3]).await.holding(&core(1).seed(7), &[V3]).await;
    let error = planned(&bed, RestoreOptions::replace()).await.expect_err("another catalog uuid");
    assert_eq!(error.code(), "target-foreign");
    let anew = RestoreOptions::replace().with_on_catalog_mismatch(OnCatalogMismatch::Replace);
    assert!(planned(&bed, anew).await.is_ok());

    let bed = Bed::new(&core(2), &[V3]).await;
    let record = bed.backup.objects().last().expect("an object");
    bed.backup.location().put(&record.key, Bytes::from_static(b"shorter")).await.expect("altered");
    let error = planned(&bed, RestoreOptions::empty()).await.expect_err("another length");
    assert_eq!(error.code(), "damaged-backup");
    assert!(bed.keys().await.is_empty());
}

#[tokio::test]
async fn the_plan_of_a_dry_run_tells_of_an_unfinished_restore() {
    let bed = Bed::new(&core(2), &[V3]).await;
    let options = quick(RestoreOptions::empty());
    let running = bed.request(&options).with_copier(Arc::new(Server("node1/other")));
    running.start().await.expect_err("a server is running");
    let plan = plan_restore(bed.backup.repository(), "n1", &bed.target, &options.options);
    let plan = plan.await.expect("planned");
    assert!(plan.resumes.is_some());
    assert_eq!(plan.todos[0].code, FindingCode::RestoreUnfinished);
    let report = bed.restore(&options.resuming()).await.expect("resumed");
    assert!(report.todos.iter().all(|todo| todo.code != FindingCode::RestoreUnfinished));
}

#[tokio::test]
async fn somebody_has_to_say_that_the_servers_are_stopped() {
    let bed = Bed::new(&core(1), &[V3]).await.holding(&core(2), &[V3]).await;
    let options = quick(RestoreOptions::replace()).unconfirmed();
    assert_eq!(bed.restore(&options).await.expect_err("not confirmed").code(), "servers-not-stopped");
}

#[cfg(unix)]
#[tokio::test]
async fn overlapping_places_are_refused() {
    let root = tempfile::tempdir().expect("a directory");
    let at = |tail: &str| {
        Location::parse(&root.path().join(tail).display().to_string(), &crate::StoreOptions::default())
            .expect("a place")
    };
    let backup = write_backup(&at("repo"), &core(1), &[V3], |_, _| {}).await.expect("a backup");
    std::os::unix::fs::symlink(root.path().join("repo"), root.path().join("alias")).expect("linked");
    for target in ["repo", "repo/n1", "repo/n1/node1", "", "alias/x"] {
        let restore = Restore::new(backup.clone(), at(target), RestoreOptions::replace());
        let error = restore.start().await.expect_err(target);
        assert_eq!(error.code(), "overlap", "{target}: {error}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn links_in_backup_and_target_are_refused() {
    let root = tempfile::tempdir().expect("a directory");
    let at = |tail: &str| {
        Location::parse(&root.path().join(tail).display().to_string(), &crate::StoreOptions::default())
            .expect("a place")
    };
    let backup = write_backup(&at("repo"), &core(1), &[V3], |_, _| {}).await.expect("a backup");
    std::fs::create_dir_all(root.path().join("target")).expect("made");
    std::os::unix::fs::symlink("/etc", root.path().join("target/node1")).expect("linked");
    for policy in [RestoreOptions::empty(), RestoreOptions::replace(), RestoreOptions::overlay()] {
        let restore = Restore::new(backup.clone(), at("target"), policy);
        assert_eq!(restore.start().await.expect_err("a link").code(), "link");
    }
    // No node of the target as it is, and not to be walked through.
    assert!(Target::inspect(&at("target")).await.expect("inspected").is_empty());

    let wal = root.path().join("repo/n1/node1/wal/00000000003.wal");
    std::fs::rename(&wal, root.path().join("moved")).expect("moved");
    std::os::unix::fs::symlink(root.path().join("moved"), &wal).expect("linked");
    let restore = Restore::new(backup.clone(), at("clean"), RestoreOptions::empty());
    assert_eq!(restore.start().await.expect_err("a link").code(), "link");
    assert!(backup.location().with_links(Links::Anywhere).list("").await.is_ok(), "only the link is wrong");
}

#[tokio::test]
async fn full_and_read_only_targets_say_so() {
    for (kind, code) in [
        (ErrorKind::StorageFull, "no-space"),
        (ErrorKind::ReadOnlyFilesystem, "read-only"),
        (ErrorKind::PermissionDenied, "access-denied"),
    ] {
        let bed = Bed::new(&core(1), &[V3]).await.holding(&core(2), &[V3]).await;
        bed.store.fail_after(0, kind);
        let error = bed.restore(&quick(RestoreOptions::replace())).await.expect_err(code);
        assert_eq!(error.code(), code, "{error}");
        bed.store.live();
        assert!(Target::inspect(&bed.target).await.expect("inspected").unfinished.is_none(), "nothing was begun");

        bed.store.fail_after(12, kind);
        let error = bed.restore(&quick(RestoreOptions::replace())).await.expect_err(code);
        assert_eq!(error.code(), code, "in the middle: {error}");
        bed.store.live();
        assert!(bed.verdicts().await.iter().all(|verdict| matches!(verdict, Verdict::WontStart { .. })));
    }
}

/// Writes what a server would, in the middle of the copies.
#[derive(Debug)]
struct Server(&'static str);

#[async_trait]
impl Copier for Server {
    async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
        request.to.put(&key(self.0), Bytes::from_static(b"written by a server")).await.expect("written");
        Plain.copy(request, context).await
    }
}

#[tokio::test]
async fn a_server_found_writing_keeps_the_guard() {
    for written in ["node1/wal/00000000099.wal", "node1/catalog/v3/snapshot", "node1/other"] {
        let bed = Bed::new(&core(1), &[V3]).await.holding(&core(2), &[V3]).await;
        let options = quick(RestoreOptions::replace());
        let running = bed.request(&options).with_copier(Arc::new(Server(written)));
        let error = running.start().await.expect_err("a server is running");
        assert!(matches!(&error, Error::ServerRunning { key, .. } if key.as_str() == written), "{error}");
        assert!(bed.plan(&options).await.expect("planned").resumes.is_some(), "what is left of it");
        assert_eq!(bed.restore(&options).await.expect_err("unfinished").code(), "restore-unfinished");
        let report = bed.restore(&options.resuming()).await.expect("resumed, with the server stopped");
        assert_eq!(report.objects, bed.backup.objects().len() as u64);
        assert!(bed.verdicts().await.iter().any(|verdict| matches!(verdict, Verdict::Loaded(_))));
    }
}

#[tokio::test]
async fn options_that_contradict_each_other_are_refused_by_plan_and_restore() {
    let bed = Bed::new(&core(2), &[V3]).await.holding(&core(4), &[V3]).await;
    let options = quick(RestoreOptions::overlay().with_extra_nodes(ExtraNodes::Delete));
    let before = bed.keys().await;
    for error in [bed.plan(&options).await.expect_err("refused"), bed.restore(&options).await.expect_err("refused")] {
        assert!(matches!(error, Error::InvalidRequest { option: "extra_nodes", .. }), "{error}");
    }
    let mut nothing_moves = quick(RestoreOptions::replace());
    nothing_moves.run.limits = Limits::default().with_bandwidth(crate::ByteSize(0));
    let error = bed.restore(&nothing_moves).await.expect_err("refused");
    assert!(matches!(error, Error::InvalidRequest { option: "limits.bandwidth", .. }), "{error}");
    assert_eq!(bed.keys().await, before);
}

#[tokio::test]
async fn only_its_own_restore_is_resumed() {
    let bed = Bed::new(&core(2), &[V3]).await;
    bed.store.die_after(12);
    bed.restore(&quick(RestoreOptions::empty())).await.expect_err("killed");
    bed.store.live();
    let other = write_backup(&Location::in_memory(), &core(3), &[V3], |_, _| {}).await.expect("another backup");
    let mut target = bed.inspect().await;
    // The process that was killed is not running any more.
    assert!(target.holder.take().is_some());
    let options = RestoreOptions::empty();
    let error = RestorePlan::new(&other.contents(), &target, &options).expect_err("another");
    assert_eq!(error.code(), "restore-unfinished", "the same name, another manifest");
    assert!(RestorePlan::new(&bed.backup.contents(), &target, &options).is_ok());
}

/// Copies as [`Plain`] does, while a server writes an object.
#[derive(Debug)]
struct BesideAServer {
    target: Location,
    writes: Key,
}

#[async_trait]
impl Copier for BesideAServer {
    async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
        self.target.put(&self.writes, Bytes::from_static(b"acknowledged")).await.expect("put");
        Plain.copy(request, context).await
    }
}

#[tokio::test]
async fn what_a_server_writes_is_not_deleted_and_names_the_server() {
    let bed = Bed::new(&core(2), &[V3]).await.holding(&core(4), &[V3]).await;
    let how = quick(RestoreOptions::replace());
    let plan = bed.plan(&how).await.expect("planned");
    let writes = plan.deletions().next().expect("a deletion").clone();
    let server = BesideAServer { target: bed.target.clone(), writes: writes.clone() };
    let job = bed.request(&how).with_copier(Arc::new(server)).start();
    let handle = job.handle();
    let error = job.await.expect_err("a server runs");
    assert!(matches!(&error, Error::ServerRunning { key, .. } if *key == writes), "{error}");
    assert_eq!(handle.progress().deleted, plan.deletions().len() as u64 - 1, "it was not deleted");
    assert_eq!(bed.target.get(&writes, None).await.expect("read").expect("there"), "acknowledged");
}

#[tokio::test]
async fn cancelling_stops_and_keeps_the_guard() {
    let bed = Bed::new(&core(2), &[V3]).await;
    let job = bed.request(&quick(RestoreOptions::empty())).start();
    job.handle().cancel();
    assert_eq!(job.await.expect_err("cancelled").code(), "cancelled");
}

/// A store that copies by itself says nothing of the bytes, and has others.
#[derive(Debug)]
struct Unseen;

#[async_trait]
impl Copier for Unseen {
    async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
        let copied = Plain.copy(request, context).await?;
        if request.target.as_str().contains("/dbs/") {
            let mut bytes = request.to.get(&request.target, None).await.expect("read").expect("there").to_vec();
            bytes[9] ^= 1;
            request.to.put(&request.target, bytes.into()).await.expect("altered");
        }
        Ok(Copied::unverified(copied.content.size, "unseen"))
    }
}

#[tokio::test]
async fn what_no_copier_has_compared_is_read_at_the_target_where_a_digest_is_expected() {
    let bed = Bed::new(&core(1), &[V3]).await;
    let how = quick(RestoreOptions::empty().with_expect_sha256(bed.backup.sha256()));
    let error = bed.request(&how).with_copier(Arc::new(Unseen)).start().await.expect_err("altered");
    assert_eq!(error.code(), "damaged-backup", "{error}");
    assert!(error.key().is_some_and(|key| key.contains("/dbs/")), "{error}");
    let bed = Bed::new(&core(1), &[V3]).await;
    bed.restore(&quick(RestoreOptions::empty().with_expect_sha256(bed.backup.sha256()))).await.expect("restored");
    let error = bed.plan(&quick(RestoreOptions::empty().with_expect_sha256("ab"))).await.map(drop);
    assert_eq!(error.expect_err("no digest").code(), "invalid-request");
    let other = quick(RestoreOptions::empty().with_expect_sha256("00".repeat(32)));
    let bed = Bed::new(&core(1), &[V3]).await;
    assert_eq!(refused(&bed, other.options).await.code(), "untrusted-backup");
}
