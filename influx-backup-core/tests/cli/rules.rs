//! What a manifest may say: whatever breaks a rule is refused by all who open the backup, before anything is written.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{forged::Forged, program::run};

/// Changes the root of the backup.
fn change_root(forged: &Forged, change: impl FnOnce(&mut Value)) {
    let mut manifest: Value = serde_json::from_slice(&fs::read(forged.root()).expect("read")).expect("JSON");
    change(&mut manifest);
    fs::write(forged.root(), manifest.to_string()).expect("written");
}

/// All who open the backup refuse it alike, and the restore writes nothing.
fn is_refused(forged: &Forged, what: &str) {
    let backup = forged.backup();
    let target = forged.scratch.path("target");
    for arguments in [
        &["verify", &backup][..],
        &["verify", &backup, "--level", "listing"],
        &["verify", &backup, "--level", "bytes"],
        &["certify", &backup],
        &["restore", &backup, &target],
        &["restore", &backup, &target, "--dry-run"],
    ] {
        let answer = run(&[arguments, &["--json"]].concat());
        assert!(answer.code == 4 && answer.json()["error"]["code"] == "damaged-backup", "{what}: {answer:?}");
    }
    assert!(!Path::new(&target).exists(), "{what}");
}

fn state(forged: &Forged) -> Value {
    let list = run(&["list", &forged.scratch.path("repository"), "--json"]).expect(0).json();
    list[0]["state"].clone()
}

/// A change of the records, after which they are in their order again.
type Change = fn(&mut Value);

#[test]
fn objects_that_no_backup_has_are_refused() {
    let changes: [(&str, Change); 9] = [
        ("outside every prefix", |record| record["key"] = "zzz/wal/00000000001.wal".into()),
        ("among the files of the tool", |record| record["key"] = "zzz/_influx_backup/x".into()),
        ("another length", |record| record["stored"]["size"] = 1.into()),
        ("more bytes than there are numbers", |record| {
            (record["content"]["size"], record["stored"]["size"]) = (u64::MAX.into(), u64::MAX.into());
        }),
        ("the marker", |record| record["stored"]["at"] = "_influx_backup/repository.json".into()),
        ("a manifest", |record| record["stored"]["at"] = "monday/_influx_backup/manifest.json".into()),
        ("another object", |record| record["stored"]["at"] = "monday/cluster01/enterprise".into()),
        ("beside the backups", |record| record["stored"]["at"] = "passwords".into()),
        ("a hidden directory", |record| {
            record["stored"]["at"] = format!(".ssh/{}", record["key"].as_str().expect("a key")).into();
        }),
    ];
    for (what, change) in changes {
        let forged = Forged::new(&[]);
        let files = forged.scratch.files("repository/monday");
        let last = files.iter().filter_map(|(path, _)| path.to_str()).filter(|path| !path.starts_with('_')).max();
        forged.rewrite(|record| {
            if record["key"].as_str() == last {
                change(record);
            }
        });
        is_refused(&forged, what);
    }
}

#[test]
fn roots_that_no_run_writes_are_refused_and_listed_as_damaged() {
    let forged = Forged::new(&[]);
    let whole = fs::read(forged.root()).expect("read");
    let long = "x".repeat(5_000);
    let long = long.as_str();
    for id in ["", "..", ".", "a/../b", "/etc", "a/", "a//b", "a\u{1b}]0;b", "a\u{9b}b", "_influx_backup", long] {
        for of in ["/cluster/cluster_id", "/cluster/nodes/0/id"] {
            fs::write(forged.root(), &whole).expect("written");
            change_root(&forged, |manifest| *manifest.pointer_mut(of).expect("there") = id.into());
            is_refused(&forged, &format!("{of} {id:?}"));
            assert_eq!(state(&forged), "damaged", "{of} {id:?}");
        }
    }
    let changes: [(&str, Change); 8] = [
        ("a node twice", |manifest| {
            let node = manifest["cluster"]["nodes"][0].clone();
            manifest["cluster"]["nodes"].as_array_mut().expect("nodes").push(node);
        }),
        ("neither node nor cluster", |manifest| {
            (manifest["cluster"]["nodes"], manifest["cluster"]["cluster_id"]) = (json!([]), Value::Null);
        }),
        ("a segment twice", |manifest| {
            let segment = manifest["objects"][0].clone();
            manifest["objects"].as_array_mut().expect("segments").push(segment);
        }),
        ("a segment elsewhere", |manifest| manifest["objects"][0]["key"] = "cluster01/enterprise".into()),
        ("no record", |manifest| manifest["objects"][0]["records"] = 0.into()),
        ("more records than one has", |manifest| manifest["objects"][0]["records"] = 10_001.into()),
        ("more objects", |manifest| manifest["object_count"] = u64::MAX.into()),
        ("no segment", |manifest| manifest["objects"] = json!([])),
    ];
    for (what, change) in changes {
        fs::write(forged.root(), &whole).expect("written");
        change_root(&forged, change);
        is_refused(&forged, what);
        assert_eq!(state(&forged), "damaged", "{what}");
    }
    fs::write(forged.root(), &whole).expect("written");
    change_root(&forged, |manifest| manifest["byte_count"] = u64::MAX.into());
    is_refused(&forged, "other bytes");
    // A cluster is described as it was found first: the roots that the backup holds tell which catalog is live.
    let described: [Change; 2] = [
        |manifest| manifest["cluster"]["catalogs"] = json!([]),
        |manifest| manifest["cluster"]["catalogs"][0]["generation"] = "v1".into(),
    ];
    for change in described {
        fs::write(forged.root(), &whole).expect("written");
        change_root(&forged, change);
        run(&["verify", &forged.backup()]).expect(0);
        run(&["restore", &forged.backup(), &forged.scratch.path("target"), "--dry-run"]).expect(0);
    }
    fs::write(forged.root(), &whole).expect("written");
    run(&["verify", &forged.backup(), "--level", "bytes"]).expect(0);
}
