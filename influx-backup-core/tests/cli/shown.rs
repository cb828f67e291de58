//! What others named reaches a terminal without what a terminal obeys: control characters, marks of direction, line breaks.

use std::{fs, path::Path};

use serde_json::Value;

use crate::program::{Answer, Scratch, command, run};

/// Sets the title of a terminal, changes its colors by a C1 code, turns the text around, and begins a line of its own.
const EVIL: &str = "x\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}\u{2066}\nforged row";

/// How it is shown.
const ESCAPED: &str = r"x\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}\u{2066}\nforged row";

/// Fails the test where a terminal would obey what it is shown.
#[track_caller]
fn clean(answer: Answer) -> Answer {
    for text in [&answer.stdout, &answer.stderr] {
        let is_obeyed = |c: char| {
            c != '\n'
                && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c))
        };
        assert!(!text.chars().any(is_obeyed), "{text:?}");
        assert!(!text.lines().any(|line| line.starts_with("forged row")), "{text:?}");
    }
    answer
}

fn shown(arguments: &[&str]) -> Answer {
    clean(run(arguments))
}

#[test]
fn a_directory_with_such_a_name_is_foreign_and_keeps_no_other_from_the_list() {
    let scratch = Scratch::backed_up(&["--snapshots", "2"]);
    let repository = scratch.path("repository");
    fs::create_dir(format!("{repository}/{EVIL}")).expect("made");
    let list = shown(&["list", &repository]).expect(0);
    assert!(list.stdout.contains(ESCAPED), "{list:?}");
    let listed = run(&["list", &repository, "--json"]).expect(0).json();
    let state = |name: &str| {
        listed.as_array().expect("a list").iter().find(|backup| backup["name"] == name).expect(name)["state"].clone()
    };
    assert_eq!((state(EVIL), state("monday")), ("foreign".into(), "complete".into()));
    for verb in ["leftovers", "list"] {
        shown(&["-vv", verb, &repository]).expect(0);
    }
}

#[test]
fn names_in_a_source_are_shown_escaped() {
    let scratch = Scratch::backed_up(&["--snapshots", "2"]);
    let (source, repository) = (scratch.path("source"), scratch.path("repository"));
    fs::create_dir(format!("{source}/{EVIL}")).expect("made");
    fs::write(format!("{source}/{EVIL}/file"), "x").expect("written");
    fs::write(format!("{source}/\u{9b}31m\u{202e}beside"), "x").expect("written");
    fs::write(format!("{source}/ingester01/\u{9b}31m\u{202e}unknown"), "x").expect("written");
    for arguments in [
        vec!["discover", &source],
        vec!["plan", &source, &repository],
        vec!["-vv", "backup", &source, &repository, "--name", "tuesday"],
        vec!["certify", &source],
        vec!["verify", &format!("{repository}/tuesday")],
    ] {
        shown(&arguments).expect(0);
    }
    fs::write(format!("{source}/ingester01/{EVIL}"), "x").expect("written");
    assert_ne!(shown(&["-v", "backup", &source, &repository, "--name", "wednesday"]).code, 0);
}

/// Puts the text wherever a manifest has one that is shown.
fn poison(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if ["message", "location", "hint"].contains(&name.as_str()) => {
                        *text = EVIL.to_owned()
                    }
                    Value::Array(texts) if ["evidence", "foreign", "unknown"].contains(&name.as_str()) => {
                        texts.push(EVIL.into());
                    }
                    value => poison(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(poison),
        _ => {}
    }
}

#[test]
fn texts_of_a_manifest_a_lease_and_a_journal_are_shown_escaped() {
    let scratch = Scratch::backed_up(&["--snapshots", "2"]);
    let (source, repository, target) = (scratch.path("source"), scratch.path("repository"), scratch.path("target"));
    let backup = scratch.path("repository/monday");
    let root = scratch.path("repository/monday/_influx_backup/manifest.json");
    let manifest: Value = serde_json::from_slice(&fs::read(&root).expect("read")).expect("JSON");
    let mut poisoned = manifest.clone();
    poison(&mut poisoned);
    assert_ne!(poisoned, manifest);
    let with_id = |id: &str| {
        let text = manifest.to_string().replace("cluster01", id);
        serde_json::from_str::<Value>(&text).expect("JSON")
    };
    let escaped = serde_json::to_string(EVIL).expect("JSON");
    let mut texts = String::new();
    for forged in [poisoned, with_id(escaped.trim_matches('"'))] {
        fs::write(&root, forged.to_string()).expect("written");
        for arguments in [
            vec!["list", &repository],
            vec!["verify", &backup],
            vec!["certify", &backup],
            vec!["restore", &backup, &target, "--dry-run"],
            vec!["-vv", "restore", &backup, &target],
            vec!["leftovers", &repository],
            vec!["backup", &source, &repository, "--name", "monday"],
        ] {
            let Answer { stdout, stderr, .. } = shown(&arguments);
            texts += &(stdout + &stderr);
            // One document, whatever is in it.
            let json = command(&[&arguments[..], &["--json"]].concat()).output().expect("it runs");
            serde_json::from_slice::<Value>(&json.stdout).expect("one document");
        }
        let _ = fs::remove_dir_all(&target);
    }
    assert!(texts.contains(ESCAPED), "nothing of it is shown");
    // Who holds a lease is read from it.
    let lease = scratch.path("repository/begun/_influx_backup");
    fs::create_dir_all(&lease).expect("made");
    for name in ["claim-000001", "claim"] {
        fs::write(Path::new(&lease).join(name), EVIL).expect("written");
        shown(&["list", &repository]).expect(0);
        shown(&["backup", &source, &repository, "--name", "begun"]);
    }
    fs::create_dir_all(scratch.path("other/_influx_backup")).expect("made");
    fs::write(
        scratch.path("other/_influx_backup/restore.json"),
        format!("{{\"backup\": {escaped}, \"restore\": {escaped}}}"),
    )
    .expect("written");
    shown(&["restore", &backup, &scratch.path("other")]);
}

#[test]
fn arguments_are_shown_escaped() {
    for arguments in [vec!["list", EVIL], vec!["verify", EVIL], vec!["backup", EVIL, EVIL, "--name", EVIL], vec![EVIL]]
    {
        assert_ne!(shown(&arguments).code, 0);
    }
}
