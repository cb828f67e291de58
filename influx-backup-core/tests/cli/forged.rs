//! Backups that somebody with write access to the repository has altered, and everything that would have told.

use std::{
    fs,
    io::{Cursor, Write},
    path::PathBuf,
};

use influx_backup_core::checksum::{Crc64, sha256};
use serde_json::Value;

use crate::program::{Scratch, run};

/// A repository with the backup `monday`, and an attacker who can write there.
pub(crate) struct Forged {
    pub(crate) scratch: Scratch,
    /// What the backup printed.
    pub(crate) digest: String,
}

impl Forged {
    pub(crate) fn new(options: &[&str]) -> Self {
        let scratch = Scratch::with_cluster(&["--snapshots", "2"]);
        let backup = ["backup", &scratch.path("source"), &scratch.path("repository"), "--name", "monday", "--json"];
        let report = run(&[&backup[..], options].concat()).expect(0).json();
        let digest = report["manifest_sha256"].as_str().expect("a digest").to_owned();
        Self { scratch, digest }
    }

    pub(crate) fn backup(&self) -> String {
        self.scratch.path("repository/monday")
    }

    pub(crate) fn file(&self, key: &str) -> PathBuf {
        PathBuf::from(self.backup()).join(key)
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.file("_influx_backup/manifest.json")
    }

    /// The key of a Parquet file of the backup.
    pub(crate) fn victim(&self) -> String {
        let files = self.scratch.files("repository/monday");
        let mut paths = files.iter().map(|(path, _)| path.to_str().expect("UTF-8"));
        paths.rfind(|path| path.ends_with(".parquet")).expect("one").to_owned()
    }

    /// Rewrites the object list, and the manifest so that it fits. Returns the digest that it has now.
    pub(crate) fn rewrite(&self, mut change: impl FnMut(&mut Value)) -> String {
        let mut manifest: Value = serde_json::from_slice(&fs::read(self.root()).expect("read")).expect("JSON");
        for segment in manifest["objects"].as_array_mut().expect("segments") {
            let file = self.file(segment["key"].as_str().expect("a key"));
            let text = zstd::decode_all(Cursor::new(fs::read(&file).expect("read"))).expect("decoded");
            let mut forged = String::new();
            for line in String::from_utf8(text).expect("UTF-8").lines() {
                let mut record = serde_json::from_str(line).expect("a record");
                change(&mut record);
                forged += &format!("{record}\n");
            }
            let forged = zstd::encode_all(Cursor::new(forged), 3).expect("encoded");
            segment["sha256"] = sha256(&forged).into();
            fs::write(file, forged).expect("written");
        }
        let root = serde_json::to_vec(&manifest).expect("JSON");
        fs::write(self.root(), &root).expect("written");
        sha256(&root)
    }

    /// Replaces a Parquet file by one of the same length, and drops its checksums.
    fn replace_without_checksum(&self) -> (String, String) {
        let victim = self.victim();
        let mut bytes = fs::read(self.file(&victim)).expect("read");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(self.file(&victim), bytes).expect("written");
        let digest = self.rewrite(|record| {
            if record["key"] == victim.as_str() {
                record["content"].as_object_mut().expect("content").remove("crc64");
                record["stored"].as_object_mut().expect("stored").remove("checksums");
            }
        });
        (victim, digest)
    }

    /// Each verb that reads the backup refuses it with these options, and writes nothing.
    #[track_caller]
    pub(crate) fn is_refused(&self, options: &[&str]) -> String {
        let backup = self.backup();
        let target = self.scratch.path("nowhere");
        let mut message = String::new();
        for verb in [
            &["verify", &backup, "--level", "bytes"][..],
            &["verify", &backup, "--level", "listing"],
            &["certify", &backup],
            &["restore", &backup, &target],
            &["restore", &backup, &target, "--dry-run"],
        ] {
            let answer = run(&[verb, options, &["--json"]].concat()).expect_error(4, "untrusted-backup");
            message = answer.json()["error"]["message"].as_str().expect("a message").to_owned();
        }
        assert!(!fs::exists(target).expect("looked"), "{message}");
        message
    }

    /// Each verb that reads the backup takes it with these options.
    #[track_caller]
    pub(crate) fn is_taken(&self, options: &[&str]) {
        let backup = self.backup();
        let target = self.scratch.path("taken");
        for verb in [
            &["verify", &backup, "--level", "bytes"][..],
            &["certify", &backup],
            &["restore", &backup, &target, "--dry-run"],
            &["restore", &backup, &target],
        ] {
            run(&[verb, options].concat()).expect(0);
        }
        run(&["certify", &target]).expect(0);
        fs::remove_dir_all(target).expect("removed");
    }
}

#[test]
fn the_digest_that_a_backup_printed_vouches_for_it() {
    let forged = Forged::new(&[]);
    forged.is_taken(&["--expect-sha256", &forged.digest]);
    forged.is_taken(&["--expect-sha256", &forged.digest.to_uppercase()]);
    let other = "00".repeat(32);
    let message = forged.is_refused(&["--expect-sha256", &other]);
    assert!(message.contains(&other) && message.contains(&forged.digest), "{message}");
    for bad in ["", "abc", &other[1..], &format!("{other}00"), &"zz".repeat(32)] {
        run(&["verify", &forged.backup(), "--expect-sha256", bad, "--json"]).expect_error(2, "invalid-request");
    }
}

/// Its own checksums agree: it is what it says. Only what is kept elsewhere tells.
#[test]
fn a_forged_backup_is_named_and_its_digest_refuses_it() {
    let forged = Forged::new(&[]);
    let (victim, digest) = forged.replace_without_checksum();
    let report = run(&["verify", &forged.backup(), "--level", "bytes", "--json"]).expect(0).json();
    assert_eq!(report["not_compared"], 1, "{report:#}");
    let named = report["findings"].as_array().expect("findings").iter().find(|found| found["code"] == "not-compared");
    assert_eq!(named.expect("named")["key"], victim.as_str());
    let shown = run(&["verify", &forged.backup(), "--level", "bytes"]).expect(0).stdout;
    assert!(shown.contains("1 have no checksum in the manifest"), "{shown}");
    forged.is_refused(&["--expect-sha256", &forged.digest]);
    // The digest of a manifest that says nothing of an object does not vouch for it.
    let message = forged.is_refused(&["--expect-sha256", &digest]);
    assert!(message.contains(&victim), "{message}");
}

/// The backup is exchanged between the look at the plan and its run.
#[test]
fn a_plan_keeps_the_digest_that_it_was_made_with() {
    let forged = Forged::new(&[]);
    let target = forged.scratch.path("target");
    let plan = forged.scratch.path("plan.json");
    let dry = ["restore", &forged.backup(), &target, "--dry-run", "--json", "--expect-sha256", &forged.digest];
    fs::write(&plan, run(&dry).expect(0).stdout).expect("written");
    let root = fs::read(forged.root()).expect("read");
    forged.rewrite(|record| record["version"]["modified"] = "2020-01-01T00:00:00Z".into());
    let restore = ["restore", &forged.backup(), &target, "--plan", &plan, "--json"];
    run(&restore).expect_error(4, "untrusted-backup");
    assert!(!fs::exists(&target).expect("looked"));
    // The object list alone is exchanged: the root vouches for it.
    fs::write(forged.root(), root).expect("written");
    run(&[&["verify", &forged.backup(), "--json"][..], &["--expect-sha256", &forged.digest]].concat())
        .expect_error(4, "damaged-backup");
    run(&restore).expect_error(4, "damaged-backup");
}

#[test]
fn only_a_backup_has_a_digest() {
    let forged = Forged::new(&[]);
    let certify = ["certify", &forged.scratch.path("source"), "--expect-sha256", &forged.digest, "--json"];
    run(&certify).expect_error(5, "backup-not-found");
}

/// Other bytes of the same length and the same CRC-64/NVME: a CRC is linear, so that the bits of its polynomial can be
/// turned over anywhere.
fn with_the_same_crc(bytes: &[u8]) -> Vec<u8> {
    const POLYNOMIAL: u64 = 0xad93_d235_94c9_3659;
    let mut forged = bytes.to_vec();
    let start = bytes.len() / 2;
    // The bits as they are taken: of each byte the lowest first, and before them the highest power, x^64.
    let turned = std::iter::once(true).chain((0..64).rev().map(|bit| POLYNOMIAL >> bit & 1 == 1));
    for (at, _) in turned.enumerate().filter(|(_, is_turned)| *is_turned) {
        forged[start + at / 8] ^= 1 << (at % 8);
    }
    assert_eq!((Crc64::of(&forged), forged.len()), (Crc64::of(bytes), bytes.len()));
    assert_ne!(forged, bytes);
    forged
}

#[test]
fn a_forger_who_keeps_the_crc_is_caught_by_the_digest() {
    for digest in ["none", "blake3"] {
        let forged = Forged::new(&["--digest", digest]);
        let victim = forged.victim();
        let bytes = fs::read(forged.file(&victim)).expect("read");
        fs::write(forged.file(&victim), with_the_same_crc(&bytes)).expect("written");
        let verify = ["verify", &forged.backup(), "--level", "bytes", "--json"];
        let target = forged.scratch.path("target");
        let restore = ["restore", &forged.backup(), &target, "--json"];
        if digest == "none" {
            // What a CRC cannot see.
            run(&verify).expect(0);
            run(&restore).expect(0);
            continue;
        }
        let report = run(&verify).expect(4).json();
        let problem = &report["problems"][0];
        assert_eq!((&problem["code"], &problem["key"]), (&"wrong-bytes".into(), &victim.as_str().into()), "{report:#}");
        let error = run(&restore).expect_error(4, "damaged-backup").json();
        assert_eq!(error["error"]["key"], victim.as_str(), "{error:#}");
        assert!(
            !fs::exists(format!("{target}/{victim}")).expect("looked"),
            "a copy gets its name when it was compared"
        );
        // The digest is dropped as well: the root tells.
        forged.rewrite(|record| drop(record["content"].as_object_mut().expect("content").remove("blake3")));
        run(&verify).expect(0);
        forged.is_refused(&["--expect-sha256", &forged.digest]);
    }
}

/// A key pair of minisign without a password: the file of the secret key, and the public key as text.
fn key_pair(scratch: &Scratch, name: &str) -> (String, String) {
    let pair = minisign::KeyPair::generate_unencrypted_keypair().expect("a key pair");
    let file = scratch.path(name);
    fs::write(&file, pair.sk.to_box(None).expect("a key").into_string()).expect("written");
    (file, pair.pk.to_base64())
}

#[test]
fn only_the_trusted_key_vouches_for_a_backup() {
    let keys = Scratch::empty();
    let (secret, public) = key_pair(&keys, "mine.key");
    let (other_secret, other) = key_pair(&keys, "other.key");
    let forged = Forged::new(&["--sign", &secret]);
    let file = keys.path("mine.pub");
    fs::write(&file, format!("untrusted comment: mine\n{public}\n")).expect("written");
    forged.is_taken(&["--trust", &public]);
    forged.is_taken(&["--trust", &file, "--expect-sha256", &forged.digest]);
    assert!(forged.is_refused(&["--trust", &other]).contains("another key"));
    run(&["verify", &forged.backup(), "--trust", "RWQ", "--json"]).expect_error(2, "invalid-request");

    let signature = forged.file("_influx_backup/manifest.json.minisig");
    let state = |trust: &str| {
        let list = run(&["list", &forged.scratch.path("repository"), "--trust", trust, "--json"]).expect(0).json();
        (list[0]["state"].clone(), list[0]["reason"]["code"].clone())
    };
    assert_eq!(state(&public).0, "complete");
    assert_eq!(state(&other), ("untrusted".into(), "untrusted-backup".into()));
    // The real program reads it, and signs with keys of its own, which have no password and no checksum.
    let (own_public, own_secret) = (keys.path("own.pub"), keys.path("own.key"));
    let made = std::process::Command::new("minisign").args(["-G", "-W", "-p", &own_public, "-s", &own_secret]).output();
    if made.is_ok_and(|made| made.status.success()) {
        Forged::new(&["--sign", &own_secret]).is_taken(&["--trust", &own_public]);
    }
    let real = std::process::Command::new("minisign").arg("-V").args(["-P", &public, "-m"]).arg(forged.root()).output();
    match real {
        Ok(real) => assert!(real.status.success(), "{real:?}"),
        Err(_) => {
            // To the stream itself: the harness hides the output of a test that passes.
            let missing = "not run: minisign (tests/cli/forged.rs): minisign is missing, get it with .ci/file-systems";
            writeln!(std::io::stderr(), "{missing}").expect("written");
        }
    }

    let text = fs::read_to_string(&signature).expect("read");
    // Altered, with the signature that it had; signed again with the attacker's key; not signed at all.
    forged.rewrite(|record| record["version"]["modified"] = "2020-01-01T00:00:00Z".into());
    forged.is_refused(&["--trust", &public]);
    let bytes = fs::read(&other_secret).expect("read");
    let theirs = minisign::SecretKeyBox::from(String::from_utf8(bytes).expect("UTF-8"));
    let theirs = theirs.into_unencrypted_secret_key().expect("a key");
    let root = fs::read(forged.root()).expect("read");
    let again = minisign::sign(None, &theirs, &root[..], None, None).expect("signed").into_string();
    fs::write(&signature, again).expect("written");
    assert!(forged.is_refused(&["--trust", &public]).contains("another key"));
    for nonsense in [String::new(), "x".repeat(100_000), text.lines().take(3).collect()] {
        fs::write(&signature, nonsense).expect("written");
        forged.is_refused(&["--trust", &public]);
    }
    fs::remove_file(&signature).expect("removed");
    assert!(forged.is_refused(&["--trust", &public]).contains("not signed"));
    assert_eq!(state(&public).0, "untrusted");
}

#[test]
fn a_secret_key_shows_nowhere() {
    let keys = Scratch::empty();
    let (secret, _) = key_pair(&keys, "mine.key");
    let text = fs::read_to_string(&secret).expect("read");
    let line = text.lines().nth(1).expect("a key").to_owned();
    let forged = Forged::new(&["--sign", &secret]);
    for (path, bytes) in forged.scratch.files("repository") {
        assert!(!String::from_utf8_lossy(&bytes).contains(&line), "{}", path.display());
    }
    let broken = keys.path("broken.key");
    fs::write(&broken, text.replace(&line, &line[..40])).expect("written");
    let backup = ["backup", &forged.scratch.path("source"), &forged.scratch.path("repository"), "-vv", "--json"];
    let answer = run(&[&backup[..], &["--name", "b", "--sign", &broken]].concat()).expect_error(2, "invalid-request");
    assert!(!answer.stderr.contains(&line[..40]) && !answer.stdout.contains(&line[..40]), "{answer:?}");
    assert!(!fs::exists(forged.scratch.path("repository/b")).expect("looked"), "nothing was begun");
    let answer = run(&[&backup[..], &["--name", "c", "--sign", &secret]].concat()).expect(0);
    assert!(!answer.stderr.contains(&line) && !answer.stdout.contains(&line), "{answer:?}");
}
