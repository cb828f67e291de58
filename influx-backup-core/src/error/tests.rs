//! Every error is reported whole; README, codes and categories agree.

use std::{collections::BTreeSet, fs, io};

use serde_json::{Value, json};

use super::{report::NAMED_IN_MESSAGES, *};
use crate::{
    finding::{Clause, FindingCode},
    location::{Provider, StoreOptions},
    naming::Naming,
};

fn text(text: &str) -> String {
    text.to_owned()
}

fn key() -> Key {
    Key::parse("node1/wal/00000000001.wal").expect("a key")
}

fn cause() -> Source {
    Box::new(io::Error::other("what lies behind it"))
}

fn certificate() -> Box<Certificate> {
    let certificate = json!({
        "clauses": [], "recovery": [], "absent": [], "findings": [], "checked_by": {},
        "catalog_sequence": null, "orphans": 0,
    });
    Box::new(serde_json::from_value(certificate).expect("a certificate"))
}

fn not_consistent(stop_reason: StopReason) -> Error {
    Error::NotConsistent { passes: 3, stop_reason, certificate: certificate() }
}

/// One of each, so that every code is there.
pub(crate) fn samples() -> Vec<Error> {
    let location = || text("s3://bucket/prefix");
    let reason = || text("a reason");
    let name = || text("monday");
    let owner = || text("process 7 on host");
    let silence = Duration::from_secs(42);
    let finding = Finding::new(FindingCode::CorruptWal, "a message");
    let mut samples = vec![
        Error::InvalidLocation { location: location(), reason: reason() },
        Error::UnknownOption { option: text("aws_x"), scope: text("S3"), similar: vec![text("aws_y")] },
        Error::invalid_option("owner", reason()),
        Error::InvalidOption {
            option: text("aws_region"),
            origin: Some(text("the environment variable AWS_REGION")),
            reason: reason(),
        },
        Error::InvalidRequest { option: "name", reason: reason() },
        Error::LocationNotFound { location: location() },
        Error::MemoryLocation,
        Error::InvalidKey { key: text("../x"), reason: "it climbs out" },
        Error::Link { path: text("/data/x"), reason: "is a link to something that does not exist" },
        Error::Link { path: text("/data/node1/wal"), reason: LINKED_DIRECTORY },
        Error::NoCluster { location: location(), looked_for: text("nodes"), found: text("nothing") },
        Error::SeveralClusters { location: location(), clusters: vec![text("a"), text("b")] },
        Error::NodesRequired { location: location(), cluster: text("a"), candidates: vec![text("n1")] },
        Error::UnknownId { kind: "node", id: text("n1"), location: location() },
        Error::UpgradedEngine { location: location(), evidence: text("a file") },
        Error::BackupExists { name: name() },
        Error::BackupInProgress { name: name(), owner: owner(), silence },
        Error::BackupUnfinished { name: name() },
        Error::LeaseLost { lease: LeaseSubject::Backup { name: name() }, owner: owner() },
        Error::LeaseNotRenewed { lease: LeaseSubject::Target { location: location() }, age: silence },
        Error::CommitUnconfirmed { name: name(), reason: "a reason", source: cause() },
        Error::BackupNotFound { name: name(), repository: location(), found: text("nothing") },
        Error::UnsupportedFormat { object: text("manifest.json"), reason: reason() },
        Error::InvalidDocument { document: "plan", reason: reason() },
        Error::DamagedBackup {
            object: text("manifest.json"),
            location: Some("/backups/monday".into()),
            reason: reason(),
        },
        Error::UntrustedBackup {
            backup: name(),
            reason: reason(),
            expected: Some(text("ab")),
            found: Some(text("cd")),
        },
        Error::DamagedMarker { marker: text("/backups/_influx_backup/repository.json"), reason: reason() },
        Error::DamagedJournal { journal: text("/data/_influx_backup/restore.json"), reason: reason() },
        Error::BackupAltered { reason: reason() },
        Error::DegradedBackup { name: name(), violated: vec![Clause::Closure] },
        Error::CorruptSource { key: key(), finding: Box::new(finding) },
        not_consistent(StopReason::LimitReached),
        not_consistent(StopReason::NoProgress),
        Error::TargetNotEmpty { location: location(), found: text("node `n1`") },
        Error::TargetForeign { location: location(), found: text("a"), expected: text("b") },
        Error::ExtraNodes { location: location(), nodes: vec![text("n2")] },
        Error::ServersNotStopped { location: location() },
        Error::ServerRunning { location: location(), key: key() },
        Error::Overlap { inner: text("/a/b"), outer: text("/a") },
        Error::RestoreUnfinished { location: location(), backup: name() },
        Error::RestoreInProgress { location: location(), owner: owner(), silence },
        Error::PlanChanged {
            location: location(),
            changes: vec![PlanChange::new(PlanChangeKind::Delete, 1, vec![key().to_string()])],
        },
        Error::NoRestore { location: location() },
        Error::CannotAbandon { location: location(), backup: name() },
        Error::NoSpace { location: location(), needed: 2, available: 1 },
        Error::Ownership { path: text("/data/x"), source: io::Error::other("what lies behind it") },
        Error::VerifyFailed { key: Some(key()), reason: reason() },
        Error::VerifyFailed { key: None, reason: reason() },
        Error::Orchestrator { node: text("n1"), action: "stopped", source: cause() },
        Error::Cancelled { done: 1, total: 2 },
        Error::Internal { task: "a task", source: cause() },
    ];
    samples.extend(StoreErrorKind::ALL.iter().map(|kind| {
        let location = location();
        let key = key().to_string();
        Error::Store { operation: "get", key, location, kind: *kind, source: cause() }
    }));
    let copies = [
        CopyError::Unsupported,
        CopyError::Refused { copier: "server-side".into() },
        CopyError::Vanished,
        CopyError::Changed,
        CopyError::Unexpected { reason: reason() },
        CopyError::Corrupt { reason: reason() },
        CopyError::stalled(Duration::from_secs(60)),
        CopyError::failed(cause()),
        CopyError::Cancelled,
        CopyError::store(CopySide::Source, "get", StoreErrorKind::Unreachable, cause()),
    ];
    samples.extend(copies.into_iter().map(|error| Error::Copy {
        key: key(),
        location: Some(location().into()),
        error,
    }));
    samples
}

fn codes() -> BTreeSet<&'static str> {
    Error::CODES.iter().map(|row| row.code).collect()
}

#[test]
fn every_code_is_produced_and_its_report_is_read_back_equal() {
    let samples = samples();
    assert_eq!(samples.iter().map(Error::code).collect::<BTreeSet<_>>(), codes());
    for error in samples {
        let report = error.report();
        let json = report.to_json().expect("serializes");
        assert_eq!(ErrorReport::from_json(&json).expect("an error report"), report);
        assert_eq!((report.code.as_str(), report.category), (error.code(), error.category()));
        assert!(!report.message.contains("what lies behind it"), "{}", report.message);
        // Only of a cancelled copy both say that it was cancelled.
        let repeats = report.causes.iter().any(|cause| report.message.contains(cause.as_str()));
        assert_eq!(repeats, error.code() == "cancelled" && error.key().is_some(), "{report:?}");
    }
}

#[test]
fn a_report_of_something_else_or_of_a_newer_release_is_refused() {
    let json = Error::MemoryLocation.report().to_json().expect("serializes");
    let code = |json: &str| ErrorReport::from_json(json).expect_err(json).code();
    assert_eq!(code("{}"), "invalid-document");
    assert_eq!(code(&json.replace("\"refused\"", "\"brand_new\"")), "unsupported-format");
}

/// The codes as they stand in the source: none is missing in the list.
#[test]
fn every_code_of_the_source_is_listed() {
    assert_eq!(Error::CODES.len(), codes().len(), "each once");
    let mut found = BTreeSet::new();
    let arms = [include_str!("code.rs"), include_str!("copy.rs"), include_str!("store.rs")];
    for source in arms {
        let functions = source.split("const fn code").skip(1);
        for body in functions.map(|rest| rest.split("\n    }\n").next().expect("a body")) {
            let arms = body.split("=> (\"").skip(1).chain(body.split("=> \"").skip(1));
            found.extend(arms.filter_map(|arm| arm.split('"').next()));
        }
    }
    assert_eq!(found, codes());
}

#[test]
fn the_readme_has_the_table_of_codes() {
    let readme = include_str!("../../../README.md");
    let table = readme.split("\n## Error codes").nth(1).expect("a section").split("\n## ").next().expect("a section");
    let documented: BTreeSet<_> = table.lines().filter(|line| line.starts_with("| `")).collect();
    let row = |code: &str, meaning: &str, exit: u8| format!("| `{code}` | {meaning} | {exit} |");
    let known: Vec<_> = Error::CODES.iter().map(|of| row(of.code, of.meaning, of.category.exit_code())).collect();
    let of_the_program = [
        row("usage", "the command line cannot be understood (program only)", 2),
        row("io", "the program could not print or read a local file (program only)", 1),
    ];
    assert_eq!(documented, known.iter().chain(&of_the_program).map(String::as_str).collect());
}

#[test]
fn a_report_has_what_the_error_is_about() {
    let samples = samples();
    let of = |code: &str| samples.iter().find(|error| error.code() == code).expect(code).report();

    let report = of("access-denied");
    assert_eq!(report.key.as_deref(), Some("node1/wal/00000000001.wal"));
    assert_eq!(report.location.as_deref(), Some("s3://bucket/prefix"));
    assert_eq!((report.causes, report.retryable), (vec![text("what lies behind it")], false));
    assert_eq!(report.context, [(text("operation"), json!("get"))].into());

    let report = of("backup-in-progress");
    assert_eq!((report.category, report.retryable), (Category::Refused, true));
    let context = json!({ "name": "monday", "owner": "process 7 on host", "silence_ms": 42_000 });
    assert_eq!(json!(report.context), context);
    assert_eq!(
        report.message,
        "backup `monday` is being written by process 7 on host, last heartbeat 42 s ago: wait, or take over if that \
         process is no longer running"
    );

    let report = of("not-consistent");
    assert_eq!(report.certificate, Some(certificate()));
    assert_eq!(json!(report.context), json!({ "passes": 3, "stop_reason": "limit_reached" }));
}

#[test]
fn a_failed_request_names_its_object_where_it_has_one() {
    let failed =
        |key: &str| Error::io("list", key, "/data", io::Error::from(io::ErrorKind::PermissionDenied)).to_string();
    let advice = StoreErrorKind::Denied.advice();
    assert_eq!(failed("node1"), format!("list `node1` in `/data` failed: {advice}"));
    assert_eq!(failed(""), format!("list in `/data` failed: {advice}"));
}

#[test]
fn another_pass_is_offered_only_where_it_may_help() {
    assert!(not_consistent(StopReason::LimitReached).is_retryable());
    let standstill = not_consistent(StopReason::NoProgress);
    assert!(!standstill.is_retryable());
    let hints: Vec<_> = standstill.hints().iter().map(Hint::to_string).collect();
    assert_eq!(hints, ["set `on_violation` to `degrade`: commits the backup as it is, marked degraded"]);
}

#[test]
fn work_that_lost_its_lease_is_resumed() {
    let backup = || LeaseSubject::Backup { name: text("monday") };
    let target = || LeaseSubject::Target { location: text("s3://bucket/prefix") };
    let age = Duration::from_secs(400);
    for (lease, option, location) in
        [(backup(), "on_existing", None), (target(), "on_unfinished", Some("s3://bucket/prefix"))]
    {
        let lost = Error::LeaseLost { lease: lease.clone(), owner: text("process 7 on host") }.report();
        assert_eq!((lost.category, lost.retryable, lost.location.as_deref()), (Category::Refused, false, location));
        let not_renewed = Error::LeaseNotRenewed { lease, age }.report();
        assert_eq!((not_renewed.category, not_renewed.retryable), (Category::Store, true));
        assert_eq!(not_renewed.context["age_ms"], json!(400_000));
        for report in [lost, not_renewed] {
            let hints: Vec<_> = report.hints.iter().map(|hint| (hint.option.as_str(), hint.value.as_deref())).collect();
            assert_eq!(hints, [(option, Some("resume"))], "{}", report.code);
        }
    }
}

#[test]
fn hints_are_no_command_lines() {
    for hint in samples().iter().flat_map(Error::hints) {
        assert!(!hint.to_string().contains("--"), "{hint}");
    }
}

#[test]
fn a_copy_error_is_made_from_its_code() {
    for error in samples() {
        if let Error::Copy { error, .. } = error {
            assert_eq!(CopyError::new(error.code(), "a message").code(), error.code());
        }
    }
    for kind in StoreErrorKind::ALL {
        let error = CopyError::new(kind.code(), "a message");
        assert!(matches!(&error, CopyError::Store { kind: made, .. } if made == kind), "{error:?}");
    }
    let error = CopyError::new("no-such-code", "why it failed");
    assert_eq!(error.code(), StoreErrorKind::Unknown.code());
    assert_eq!(std::error::Error::source(&error).expect("a cause").to_string(), "why it failed");
}

#[test]
fn a_copy_error_says_on_which_side_it_is() {
    for (side, text) in [
        (Some(CopySide::Source), "read failed at the source"),
        (Some(CopySide::Target), "read failed at the target"),
        (None, "read failed"),
    ] {
        let error = CopyError::store(side, "read", StoreErrorKind::Denied, "why");
        assert_eq!((error.side(), error.to_string().as_str()), (side, text));
    }
    let named = CopyError::store(None, "get source", StoreErrorKind::Denied, "why");
    assert_eq!(named.side(), None, "a word of the operation is none");
}

#[test]
fn errors_are_small() {
    assert!(size_of::<Error>() <= 128, "{}", size_of::<Error>());
}

#[test]
fn a_report_names_options_as_a_language_does() {
    let camel_case = |error: Error| error.report().with_naming(Naming::CamelCase);

    let reason = "only a backup that is resumed can be taken over: set `on_existing` to `resume`";
    let report = camel_case(Error::invalid_request("limits.stall_timeout", reason));
    let renamed = "only a backup that is resumed can be taken over: set `onExisting` to `resume`";
    assert_eq!(report.message, format!("`limits.stallTimeout` cannot be used here: {renamed}"));
    assert_eq!(json!(report.context), json!({ "option": "limits.stallTimeout", "reason": renamed }));
    assert_eq!(report.clone().with_naming(Naming::CamelCase), report);

    let report = camel_case(Error::invalid_option("aws_endpoint", "set `aws_allow_http` to `true`"));
    assert_eq!(report.message, "the value of option `awsEndpoint` cannot be used: set `awsAllowHttp` to `true`");

    let report = camel_case(not_consistent(StopReason::LimitReached));
    assert_eq!(json!(report.context), json!({ "passes": 3, "stopReason": "limit_reached" }));
    let hints: Vec<_> = report.hints.iter().map(Hint::to_string).collect();
    let expected = [
        "set `passes.maxPasses`: allows more passes",
        "set `passes.timeLimit`: allows more time",
        "set `onViolation` to `degrade`: commits the backup as it is, marked degraded",
    ];
    assert_eq!(hints, expected);
    let confirmed = camel_case(Error::ServersNotStopped { location: text("/data") });
    assert_eq!(confirmed.hints[0].option, "serversStopped");
    assert_eq!(confirmed.hints[0].value.as_deref(), Some("confirmed_by_caller"), "names of choices stay");

    let unknown = Error::UnknownOption { option: text("on_existing"), scope: text("this call"), similar: Vec::new() };
    let report = unknown.report();
    assert_eq!(camel_case(unknown), report, "it is named as it was given");
    for error in samples() {
        assert_eq!(error.report().with_naming(Naming::SnakeCase), error.report());
    }
}

/// What a message names otherwise would stay in snake_case in other languages.
#[test]
fn messages_name_no_other_options() {
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let options: Value = serde_json::from_str(include_str!("../../options.json")).expect("JSON");
    let options = options.as_object().expect("an object").values();
    let mut options: BTreeSet<_> = options.flat_map(|of| of.as_object().expect("an object").keys().cloned()).collect();
    options.extend(Provider::ALL.iter().flat_map(|provider| StoreOptions::known(*provider)));
    let mut named = BTreeSet::new();
    for file in walkdir::WalkDir::new(sources) {
        let path = file.expect("readable").into_path();
        let shown = path.display().to_string();
        if !shown.ends_with(".rs") || shown.contains("tests") || shown.contains("/cli") {
            continue;
        }
        let source = fs::read_to_string(&path).expect("readable");
        let code = source.split("#[cfg(test)]\nmod tests {").next().expect("some");
        let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        let words = code.flat_map(|line| line.split('`').skip(1).step_by(2));
        named.extend(words.filter(|word| word.contains('_') && options.contains(*word)).map(str::to_owned));
    }
    named.extend(["aws", "azure", "google"].map(|provider| format!("{provider}_allow_http")));
    // What lacks another option that it needs.
    let lacking = ["aws_access_key_id", "aws_secret_access_key", "aws_server_side_encryption", "azure_credential_type"];
    named.extend(lacking.map(str::to_owned));
    assert_eq!(named, NAMED_IN_MESSAGES.map(str::to_owned).into());
}
