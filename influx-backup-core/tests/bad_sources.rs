//! Sources that turn bad while they are copied: what is wrong is named with its clause, or the backup is whole. Never a
//! panic, never a silent pass.
#![cfg(feature = "testing")]

mod meddling;

use std::{
    fs::FileTimes,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use influx_backup_core::{
    Clause, DiscoverOptions, Error, EventKind, FindingCode, Key, Location, Passes, Repository, StoreOptions, certify,
    discover,
    location::Identity,
    location::interop::object_store::{memory::InMemory, path::Path},
    options::{AbsenceTolerance, OnCorrupt, OnViolation},
    record::BackupStatus,
    testing::write::{self, ManifestSpec},
};

use meddling::{
    Deed, FIRST, ROOT, Source, back_up, back_up_only, core, deed, enterprise, holds, meddler, next_manifest,
    one_more_pass, options, refused, violated, violations, wal_key,
};

#[tokio::test]
async fn a_clock_that_runs_backwards_changes_nothing() {
    let data = tempfile::tempdir().expect("a directory");
    let generated = core().generate_into(data.path()).expect("written");
    let backwards = |key: &str, seconds: u64| {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(3600) - Duration::from_secs(seconds * 60);
        let file = std::fs::File::options().write(true).open(data.path().join(key)).expect("opened");
        file.set_times(FileTimes::new().set_modified(time)).expect("set");
    };
    // The later an object sorts, the earlier its time; the last ones are from before 1970.
    for (key, seconds) in generated.objects.keys().zip(1..) {
        backwards(key, seconds);
    }
    let last = generated.nodes["node1"].wal.expect("a tail").1;
    let directory = data.path().to_owned();
    let meanwhile = deed(FIRST, async move {
        for number in [last + 1, last + 2] {
            let path = directory.join(wal_key(number));
            std::fs::write(&path, write::wal(b"[]")).expect("written");
            let time = SystemTime::UNIX_EPOCH - Duration::from_secs(number * 86_400);
            let file = std::fs::File::options().write(true).open(path).expect("opened");
            file.set_times(FileTimes::new().set_modified(time)).expect("set");
        }
        let dbs = walk(&directory.join("node1/dbs"));
        std::fs::remove_file(&dbs[0]).expect("removed");
    });
    let source = Location::parse(data.path().to_str().expect("UTF-8"), &StoreOptions::default()).expect("a location");
    let vault = tempfile::tempdir().expect("a directory");
    let place = Location::parse(vault.path().to_str().expect("UTF-8"), &StoreOptions::default()).expect("a location");
    let repository = Repository::open(place).await.expect("a repository");
    let cluster = discover(&source, &DiscoverOptions::default()).await.expect("a cluster");
    let report =
        repository.backup(&cluster, options()).with_copier(meddler([meanwhile])).start().await.expect("a backup");
    assert_eq!((report.status, report.passes.len()), (BackupStatus::Complete, 2), "{report}");
    let point = &report.certificate.recovery[0];
    let reached = point.reached.as_ref().expect("a tail");
    assert_eq!(reached.wal, last + 2);
    assert!(reached.time < point.guaranteed.as_ref().expect("a snapshot").time, "{report}");
    assert!(report.committed >= report.began);
    let again = certify(repository.get("n1").await.expect("committed").location()).await;
    assert!(again.expect("certified").holds());
}

fn walk(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).expect("read").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// A WAL file of a server that died while it wrote, and rows after it.
fn torn_wal() -> [Bytes; 2] {
    let mut torn = write::wal(b"[1]").to_vec();
    *torn.last_mut().expect("a byte") ^= 1;
    [Bytes::new(), torn.into()]
}

#[tokio::test]
async fn a_torn_wal_file_that_appears_ends_what_one_pass_takes() {
    for torn in torn_wal() {
        let (source, generated) = Source::of(&core()).await;
        let last = generated.nodes["node1"].wal.expect("a tail").1;
        let meanwhile = torn_and_more(&source, last, torn);
        let (report, repository) = back_up(&source.location(), [meanwhile], options()).await;
        let report = report.expect("a backup");
        assert_eq!(report.certificate.recovery[0].reached.as_ref().expect("a tail").wal, last);
        let backup = repository.get("n1").await.expect("committed");
        assert!(!holds(&backup, &wal_key(last + 1)) && !holds(&backup, &wal_key(last + 2)));
    }
}

#[tokio::test]
async fn a_torn_wal_file_that_a_later_pass_lists_is_named() {
    for torn in torn_wal() {
        let (source, generated) = Source::of(&core()).await;
        let last = generated.nodes["node1"].wal.expect("a tail").1;
        let deeds = [one_more_pass(&source), torn_and_more(&source, last, torn.clone())];
        let (report, _) = back_up(&source.location(), deeds, options()).await;
        let Err(Error::CorruptSource { key, .. }) = report else { panic!("{report:?}") };
        assert_eq!(key.as_str(), wal_key(last + 1));

        let (source, _) = Source::of(&core()).await;
        let deeds = [one_more_pass(&source), torn_and_more(&source, last, torn)];
        let (report, repository) =
            back_up(&source.location(), deeds, options().with_on_corrupt(OnCorrupt::Record)).await;
        let report = report.expect("recorded");
        assert_eq!(report.status, BackupStatus::Degraded);
        let corrupt = violated(&report.certificate, Clause::Wal, FindingCode::CorruptWal);
        assert_eq!(corrupt.key.as_ref().map(Key::as_str), Some(&*wal_key(last + 1)));
        let backup = repository.get("n1").await.expect("committed");
        assert!(holds(&backup, &wal_key(last + 2)), "the rows after it are kept");
    }
}

fn torn_and_more(source: &Source, last: u64, torn: Bytes) -> (&'static str, Deed) {
    let source = source.clone();
    deed(FIRST, async move {
        source.put(&wal_key(last + 1), torn).await;
        source.put(&wal_key(last + 2), write::wal(b"[2]")).await;
    })
}

#[tokio::test]
async fn a_manifest_that_lies_and_appears_while_a_backup_runs_is_named() {
    type Lie = fn(&mut ManifestSpec);
    let lies: [(&str, Lie); 4] = [
        ("truth", |_| {}),
        ("size", |manifest| manifest.added[0].size_bytes += 1),
        ("node id", |manifest| manifest.node_id = "node2".to_owned()),
        ("sequence", |manifest| manifest.sequence += 7),
    ];
    for (what, lie) in lies {
        let (source, generated) = Source::of(&core()).await;
        let mut manifest = next_manifest(&source, &generated, "node1").await;
        let key = format!("node1/snapshots/{}", write::manifest_name(manifest.sequence));
        let named = if what == "size" { manifest.added[0].path.clone() } else { key.clone() };
        lie(&mut manifest);
        let stored = deed(FIRST, {
            let source = source.clone();
            let key = key.clone();
            async move { source.put(&key, write::manifest(&manifest)).await }
        });
        let (report, _) = back_up(&source.location(), [one_more_pass(&source), stored], options()).await;
        match report {
            Ok(report) => {
                let newest = generated.nodes["node1"].last_snapshot.map(|sequence| sequence + 1);
                let guaranteed = report.certificate.recovery[0].guaranteed.as_ref();
                assert_eq!((what, guaranteed.map(|guaranteed| guaranteed.snapshot)), ("truth", newest));
            }
            Err(Error::CorruptSource { key, .. }) => assert_eq!(key.as_str(), named, "{what}"),
            Err(error) => panic!("{what}: {error}"),
        }
    }
}

#[tokio::test]
async fn a_catalog_that_goes_back_between_passes_is_found() {
    let (source, generated) = Source::of(&core()).await;
    let newest = format!("node1/catalog/v3/logs/{}", write::catalog_log_name(generated.catalog_sequence));
    let back = deed(ROOT, {
        let source = source.clone();
        async move { source.delete(&newest).await }
    });
    let (report, _) = back_up(&source.location(), [one_more_pass(&source), back], options()).await;
    let certificate = refused(report);
    let found = violated(&certificate, Clause::Catalog, FindingCode::CatalogWentBack);
    assert_eq!(found.key.as_ref().map(Key::as_str), Some("node1/catalog/v3/snapshot"));
    assert_eq!(certificate.violated_clauses(), [Clause::Catalog], "{certificate}");
}

#[tokio::test]
async fn another_timeline_stays_found_in_every_later_pass() {
    let (source, generated) = Source::of(&core()).await;
    let last = generated.nodes["node1"].wal.expect("a tail").1;
    let other = deed(ROOT, {
        let source = source.clone();
        async move { source.put(&wal_key(last), write::wal(b"[77]")).await }
    });
    let (report, _) = back_up(&source.location(), [other], options()).await;
    let certificate = refused(report);
    let found = violated(&certificate, Clause::Stability, FindingCode::CreateOnlyRewritten);
    assert_eq!(found.key.as_ref().map(Key::as_str), Some(&*wal_key(last)));
}

#[tokio::test]
async fn manifests_or_wal_that_go_before_their_copy_are_missed_for_good() {
    for (directory, code) in [("snapshots", FindingCode::ManifestsWentBack), ("wal", FindingCode::WalWentBack)] {
        let (source, _) = Source::of(&core()).await;
        let unmounted = deed(FIRST, {
            let source = source.clone();
            async move { drop(source.unmount(&format!("node1/{directory}")).await) }
        });
        let (report, _) = back_up(&source.location(), [unmounted], options()).await;
        let certificate = refused(report);
        let found = violated(&certificate, Clause::Stability, code);
        assert_eq!(found.node.as_deref(), Some("node1"), "{directory}");
    }
}

#[tokio::test]
async fn two_compactors_are_both_named() {
    let (source, _) = Source::of(&enterprise()).await;
    let second = deed(FIRST, {
        let source = source.clone();
        async move {
            for key in source.keys("compact1").await {
                let copy = key.replacen("compact1", "ingest2", 1);
                source.put(&copy, source.get(&key).await).await;
            }
        }
    });
    let (report, repository) = back_up(&source.location(), [second], options()).await;
    let report = report.expect("a backup");
    assert!(report.passes[0].failed_clauses.contains(&Clause::Stability), "{report}");
    let finding = report.certificate.findings.iter().find(|finding| finding.code == FindingCode::SeveralCompactors);
    let message = &finding.expect("a finding").message;
    assert!(message.contains("`compact1`") && message.contains("`ingest2`"), "{message}");
    assert!(holds(&repository.get("n1").await.expect("committed"), "ingest2/cs/"));
}

#[tokio::test]
async fn a_node_that_disappears_is_never_dropped_in_silence() {
    for when in [FIRST, ROOT] {
        let (source, _) = Source::of(&enterprise()).await;
        let gone = |source: &Source| {
            let source = source.clone();
            deed(when, async move { drop(source.unmount("ingest2").await) })
        };
        let (report, _) = back_up(&source.location(), [gone(&source)], options()).await;
        let certificate = refused(report);
        assert_eq!(
            violated(&certificate, Clause::Stability, FindingCode::NodeDisappeared).node.as_deref(),
            Some("ingest2")
        );

        // With consent: degraded, and what was copied of it is kept.
        let (source, _) = Source::of(&enterprise()).await;
        let consent = options().with_on_violation(OnViolation::Degrade);
        let (report, repository) = back_up(&source.location(), [gone(&source)], consent).await;
        let report = report.expect("with consent");
        assert_eq!(report.status, BackupStatus::Degraded);
        violated(&report.certificate, Clause::Stability, FindingCode::NodeDisappeared);
        let backup = repository.get("n1").await.expect("committed");
        assert_eq!(holds(&backup, "ingest2/snapshots/"), when == ROOT);
        let again = certify(backup.location()).await.expect("certified");
        violated(&again, Clause::Stability, FindingCode::NodeDisappeared);

        // Excluded by name.
        let what = DiscoverOptions::default().with_excluded_node("ingest2");
        let (report, _) = back_up_only(&source.location(), &what, [], options()).await;
        let report = report.expect("without it");
        assert!(
            report.certificate.findings.iter().any(|finding| finding.code == FindingCode::NodeExcluded),
            "{report}"
        );
    }
}

#[tokio::test]
async fn a_node_that_comes_back_is_backed_up() {
    let (source, _) = Source::of(&enterprise()).await;
    let kept = Arc::new(Mutex::new(Vec::new()));
    let gone = deed(FIRST, {
        let source = source.clone();
        let kept = Arc::clone(&kept);
        async move {
            let objects = source.unmount("ingest2").await;
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = objects;
            // Something for the second pass to copy.
            source.put("ingest1/new", Bytes::from_static(b"new")).await;
        }
    });
    let back = deed("ingest1/new", {
        let source = source.clone();
        async move {
            let objects = std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner));
            for (key, bytes) in objects {
                source.put(&key, bytes).await;
            }
        }
    });
    let (report, repository) = back_up(&source.location(), [gone, back], options()).await;
    let report = report.expect("a backup");
    assert!(report.passes.len() > 2, "{report}");
    let backup = repository.get("n1").await.expect("committed");
    let held = backup.objects().filter(|record| record.key.as_str().starts_with("ingest2/")).count();
    assert_eq!(held, source.keys("ingest2").await.len());
}

#[tokio::test]
async fn the_only_node_and_one_that_was_given_by_name_are_named_too() {
    let named = DiscoverOptions::default().with_cluster_id("cluster1").with_node("ingest1").with_node("ingest2");
    let named = named.with_node("compact1");
    for (cluster, what, node) in [(core(), DiscoverOptions::default(), "node1"), (enterprise(), named, "ingest2")] {
        let (source, _) = Source::of(&cluster).await;
        let gone = deed(ROOT, {
            let source = source.clone();
            async move { drop(source.unmount(node).await) }
        });
        let (report, repository) = back_up_only(&source.location(), &what, [gone], options()).await;
        let certificate = refused(report);
        let went = violations(&certificate, Clause::Stability)
            .iter()
            .filter(|violation| violation.code == FindingCode::NodeDisappeared);
        assert!(went.clone().count() > 0 && went.clone().all(|violation| violation.node.as_deref() == Some(node)));
        repository.get("n1").await.expect_err("nothing was committed");
    }
}

#[tokio::test]
async fn a_node_that_appears_is_in_the_backup() {
    let (source, _) = Source::of(&enterprise()).await;
    let late = source.unmount("ingest2").await;
    let count = late.len();
    let appears = deed(FIRST, {
        let source = source.clone();
        async move {
            for (key, bytes) in late {
                source.put(&key, bytes).await;
            }
        }
    });
    let (report, repository) = back_up(&source.location(), [appears], options()).await;
    let report = report.expect("a backup");
    assert!(report.passes[0].failed_clauses.contains(&Clause::Nodes), "{report}");
    let backup = repository.get("n1").await.expect("committed");
    let held = backup.objects().filter(|record| record.key.as_str().starts_with("ingest2/")).count();
    assert_eq!(held, count);
    assert!(report.certificate.recovery.iter().any(|point| point.node == "ingest2" && point.reached.is_some()));
}

#[tokio::test]
async fn dbs_that_are_unmounted_are_not_taken_for_absent() {
    for (cluster, node, clause) in [(core(), "node1", Clause::Closure), (enterprise(), "ingest1", Clause::Stability)] {
        let (source, _) = Source::of(&cluster).await;
        let unmounted = |source: &Source| {
            let source = source.clone();
            deed(FIRST, async move { drop(source.unmount(&format!("{node}/dbs")).await) })
        };
        let (report, _) = back_up(&source.location(), [unmounted(&source)], options()).await;
        let certificate = refused(report);
        assert_eq!(violated(&certificate, clause, FindingCode::MostParquetMissing).node.as_deref(), Some(node));

        let (source, _) = Source::of(&cluster).await;
        let accept = options().with_absence_tolerance(AbsenceTolerance::Lenient);
        let (report, _) = back_up(&source.location(), [unmounted(&source)], accept).await;
        let report = report.expect("the caller knows");
        assert!(report.certificate.absent_files() > 0 && report.to_string().contains("absent files: "), "{report}");
    }
}

/// The one clause that a pass leaves open when a file went before its copy, and the file.
async fn open_after_one_pass() -> (Source, String, (&'static str, Deed)) {
    let (source, _) = Source::of(&core()).await;
    let file = source.keys("node1/dbs").await.swap_remove(0);
    let gone = one_more_pass(&source);
    (source, file, gone)
}

#[tokio::test]
async fn at_a_limit_of_passes_or_time_the_violated_clause_and_its_object_are_named() {
    let hour = Duration::from_secs(3600);
    for passes in [Passes::until_closed(1, hour), Passes::until_closed(9, Duration::ZERO)] {
        let (source, file, gone) = open_after_one_pass().await;
        let (report, _) = back_up(&source.location(), [gone], options().with_passes(passes.clone())).await;
        let certificate = refused(report);
        let missing = violated(&certificate, Clause::Closure, FindingCode::MissingParquet);
        assert_eq!(
            (missing.key.as_ref().map(Key::as_str), certificate.violated_clauses()),
            (Some(&*file), vec![Clause::Closure])
        );

        let (source, file, gone) = open_after_one_pass().await;
        let consent = options().with_passes(passes).with_on_violation(OnViolation::Degrade);
        let (report, repository) = back_up(&source.location(), [gone], consent).await;
        let report = report.expect("with consent");
        assert_eq!((report.status, report.passes.len()), (BackupStatus::Degraded, 1));
        assert_eq!(report.passes[0].failed_clauses, [Clause::Closure]);
        violated(&report.certificate, Clause::Closure, FindingCode::MissingParquet);
        let backup = repository.get("n1").await.expect("committed");
        let kept = violated(&backup.manifest().certificate, Clause::Closure, FindingCode::MissingParquet);
        assert_eq!(kept.key.as_ref().map(Key::as_str), Some(&*file));
    }
    let (source, _, gone) = open_after_one_pass().await;
    let (report, _) = back_up(&source.location(), [gone], options().with_passes(Passes::until_closed(2, hour))).await;
    assert_eq!(report.expect("closed").passes.len(), 2);
}

#[tokio::test]
async fn events_report_and_manifest_tell_the_same_recovery_point_and_passes() {
    let (source, generated) = Source::of(&core()).await;
    let vault = Location::with_store(Arc::new(InMemory::new()), Path::from("vault"), Identity::Test);
    let repository = Repository::open(vault).await.expect("a repository");
    let cluster = discover(&source.location(), &DiscoverOptions::default()).await.expect("a cluster");
    let job = repository.backup(&cluster, options()).with_copier(meddler([one_more_pass(&source)])).start();
    let mut told = Vec::new();
    let mut passes = Vec::new();
    let mut events = job.events();
    while let Some(event) = events.next().await {
        match event.kind {
            EventKind::Recovery { points, .. } => told.push(points),
            EventKind::PassFinished { report, .. } => passes.push(report),
            _ => {}
        }
    }
    let report = job.await.expect("a backup");
    let manifest = repository.get("n1").await.expect("committed").manifest().clone();
    let recovery = &report.certificate.recovery;
    assert_eq!((told.len(), told.last(), &manifest.certificate.recovery), (2, Some(recovery), recovery));
    assert_eq!((&passes, &passes), (&report.passes, &manifest.passes));
    assert!(passes[1].copied < passes[0].copied, "only what changed: {passes:?}");
    let node = &generated.nodes["node1"];
    let point = &recovery[0];
    assert_eq!(point.guaranteed.as_ref().map(|guaranteed| guaranteed.snapshot), node.last_snapshot);
    assert_eq!(point.reached.as_ref().map(|reached| reached.wal), node.wal.map(|(_, last)| last));
    assert_eq!(point.time(), point.reached.as_ref().map(|reached| reached.time));
}
