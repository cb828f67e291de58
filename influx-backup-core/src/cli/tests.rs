//! The words of the command line are those of the options.

use std::collections::BTreeMap;

use clap::{Arg, Command, CommandFactory};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{Streams, args::Args, run_with};
use crate::{
    BackupOptions, CertifyOptions, DiscoverOptions, RestoreOptions, RestoreRunOptions, VerifyOptions,
    cancellation::Cancellation,
    options::{OnExisting, OnUnfinished, ServersStopped, Takeover},
};

/// Where a flag has another name than its option, and why.
const OTHER_NAMES: [(&str, &str, &str); 4] = [
    ("node_ids", "node-id", "a list: one flag a value"),
    ("excluded_nodes", "exclude-node", "a list: one flag a value"),
    ("on_existing", "resume", "has no value: the other choice is the default"),
    ("on_unfinished", "resume", "has no value: the other choice is the default"),
];

/// Options that have no flag, of which verbs where it is not all, and why.
const WITHOUT_FLAG: [(&str, &[&str], &str); 5] = [
    ("initial_backoff", &[], "how the waits grow; --max-elapsed and --max-outage bound them"),
    ("stop_timeout", &[], "about an orchestrator, which the program does not have"),
    ("max_backoff", &[], "how the waits grow; --max-elapsed and --max-outage bound them"),
    ("durability", &["certify", "verify"], "they write nothing"),
    ("sign_password", &["backup"], "other users see a command line: it is a variable of the environment"),
];

fn has_no_flag(option: &str, verb: &str) -> bool {
    WITHOUT_FLAG.iter().any(|(other, verbs, _)| *other == option && (verbs.is_empty() || verbs.contains(&verb)))
}

/// The fields of an options struct without those that only group others, each with its path.
fn fields(options: &Value) -> BTreeMap<String, Vec<String>> {
    let mut fields = BTreeMap::new();
    for (name, value) in options.as_object().expect("options are an object") {
        if value.is_object() {
            let below = self::fields(value).into_iter();
            fields.extend(below.map(|(field, path)| (field, [vec![name.clone()], path].concat())));
        } else {
            fields.insert(name.clone(), vec![name.clone()]);
        }
    }
    fields
}

fn verb(name: &str) -> Command {
    let mut program = Args::command();
    program.build();
    program.find_subcommand(name).expect("a verb").clone()
}

fn flag<'a>(verb: &'a Command, field: &str) -> Option<&'a Arg> {
    let other = OTHER_NAMES.iter().find(|(option, ..)| *option == field).map(|(_, flag, _)| (*flag).to_owned());
    let name = other.unwrap_or_else(|| field.replace('_', "-"));
    verb.get_arguments().find(|flag| flag.get_long() == Some(&name))
}

/// The options as JSON, with one field set.
fn with(options: &Value, path: &[String], value: &str) -> Value {
    let mut options = options.clone();
    *options.pointer_mut(&format!("/{}", path.join("/"))).expect("a field") = json!(value);
    options
}

/// Every option of these has a flag of its name, and a flag with choices has the choices of its option.
fn assert_same_words<T: Default + Serialize + DeserializeOwned>(verbs: &[&str]) {
    let options = serde_json::to_value(T::default()).expect("options are data");
    for (verb, (field, path)) in
        verbs.iter().flat_map(|name| fields(&options).into_iter().map(|field| (verb(name), field)))
    {
        let what = format!("`{field}` of `{}`", verb.get_name());
        let Some(flag) = flag(&verb, &field) else {
            assert!(has_no_flag(&field, verb.get_name()), "{what} has no flag");
            continue;
        };
        assert!(!has_no_flag(&field, verb.get_name()), "{what} has a flag");
        let has_value = flag.get_action().takes_values();
        let choices: Vec<_> = flag.get_possible_values().iter().map(|choice| choice.get_name().to_owned()).collect();
        if !has_value || choices.is_empty() {
            continue;
        }
        let error = serde_json::from_value::<T>(with(&options, &path, "no-such-choice")).err().expect("refused");
        let error = error.to_string();
        let known: Vec<_> = error.split('`').skip(3).step_by(2).collect();
        assert_eq!(choices, known, "{what}: {error}");
        for choice in &choices {
            let read = serde_json::from_value::<T>(with(&options, &path, choice));
            assert!(read.is_ok(), "{what}: {choice}");
        }
    }
}

#[test]
fn flags_have_the_names_and_the_choices_of_the_options() {
    assert_same_words::<BackupOptions>(&["backup"]);
    assert_same_words::<RestoreOptions>(&["restore"]);
    assert_same_words::<RestoreRunOptions>(&["restore"]);
    assert_same_words::<VerifyOptions>(&["verify"]);
    assert_same_words::<CertifyOptions>(&["certify"]);
    assert_same_words::<DiscoverOptions>(&["discover", "plan", "backup", "certify"]);
}

/// A flag without a value stands for the one choice that is not the default.
#[test]
fn a_flag_without_a_value_has_one_meaning() {
    for names in [Takeover::NAMES, ServersStopped::NAMES, OnExisting::NAMES, OnUnfinished::NAMES] {
        assert_eq!(names.len(), 2, "{names:?}");
    }
}

#[test]
fn every_exception_is_one() {
    let options = [
        serde_json::to_value(BackupOptions::default()),
        serde_json::to_value(RestoreOptions::default()),
        serde_json::to_value(RestoreRunOptions::default()),
        serde_json::to_value(DiscoverOptions::default()),
    ];
    let known: Vec<String> =
        options.into_iter().flat_map(|options| fields(&options.expect("data")).into_keys()).collect();
    let named = OTHER_NAMES.iter().map(|(option, ..)| *option).chain(WITHOUT_FLAG.iter().map(|(option, ..)| *option));
    for option in named {
        assert!(known.iter().any(|known| known == option), "`{option}` is no option");
    }
}

#[test]
fn who_calls_it_can_cancel_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let arguments = || ["influx-backup".into(), "list".into(), directory.path().as_os_str().to_owned()];
    let streams = || Streams::new(Vec::new(), Vec::new());
    let cancellation = Cancellation::new();
    assert_eq!(run_with(arguments(), streams(), &cancellation), 0);
    cancellation.cancel();
    assert_eq!(run_with(arguments(), streams(), &cancellation), 130);
}

/// Panics at its first byte, and keeps what comes then.
#[derive(Debug, Default, Clone)]
struct Panics {
    written: std::sync::Arc<std::sync::Mutex<Option<Vec<u8>>>>,
}

impl std::io::Write for Panics {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut written = self.written.lock().expect("not poisoned");
        let Some(written) = written.as_mut() else {
            *written = Some(Vec::new());
            drop(written);
            panic!("on purpose");
        };
        written.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_panic_is_one_json_document_and_the_documented_exit_code() {
    let directory = tempfile::tempdir().expect("a directory");
    let answers = Panics::default();
    let path = directory.path().to_str().expect("UTF-8");
    let streams = Streams::new(answers.clone(), std::io::sink());
    let code = super::run(["influx-backup", "list", path, "--json"], streams);
    let written = answers.written.lock().expect("not poisoned").take().expect("written");
    let document: Value = serde_json::from_slice(&written).expect("one document");
    assert_eq!((code, &document["error"]["code"]), (1, &json!("internal")), "{document}");
    assert_eq!(document["error"]["causes"], json!(["it panicked: on purpose"]));
}

/// What is typed with a line break, as `$(cat file)` may, neither breaks a line nor hides what is wrong.
#[test]
fn a_value_that_is_quoted_breaks_no_line() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().to_str().expect("UTF-8");
    let calls: [&[&str]; 8] = [
        &["restore", path, path, "--owner", "15\n00"],
        &["restore", path, path, "--owner", "1500\n"],
        &["restore", path, path, "--owner=\n1500"],
        &["restore", path, path, "--policy", "em\npty"],
        &["restore", path, path, "--modes", "64\n0"],
        &["restore", path, path, "--memory", "6\n4MiB"],
        &["backup", path, path, "--name", "mon\nday"],
        &["discover", path, "--cluster-id", "clus\nter"],
    ];
    for call in calls {
        let messages = Panics { written: std::sync::Arc::new(std::sync::Mutex::new(Some(Vec::new()))) };
        let streams = Streams::new(std::io::sink(), messages.clone());
        let code = super::run([&["influx-backup"], call].concat(), streams);
        let written = messages.written.lock().expect("not poisoned").take().expect("written");
        let said = String::from_utf8(written).expect("text");
        let value = call.iter().find(|argument| argument.contains('\n')).expect("one");
        let value = value.split_once('=').map_or(*value, |(_, value)| value);
        assert_ne!(code, 0, "{call:?}");
        assert!(said.contains(r"\n") && !said.contains(value), "{call:?}: {said}");
    }
}
