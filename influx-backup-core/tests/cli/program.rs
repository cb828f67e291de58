//! Runs the program as a shell would.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;

/// What one call came to.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Answer {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().expect("the program was killed by a signal"),
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        }
    }

    /// The one JSON document on stdout.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("not one JSON document: {error}\n{self:?}"))
    }

    /// Fails the test unless the program ended with this code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Fails the test unless this is the error document of this failure.
    #[track_caller]
    pub(crate) fn expect_error(self, exit: i32, code: &str) -> Self {
        let answer = self.expect(exit);
        let document = answer.json();
        let error = &document["error"];
        assert_eq!(error["code"], code, "{document:#}");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{document:#}");
        assert!(error["causes"].is_array(), "{document:#}");
        assert!(answer.stderr.contains(code), "{answer:?}");
        answer
    }
}

/// A call of the program, not started yet. No store's options leak in from the environment.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_influx-backup"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str]) -> Answer {
    Answer::of(command(arguments).output().expect("the program starts"))
}

/// Starts the program.
pub(crate) fn start(arguments: &[&str]) -> Child {
    command(arguments).spawn().expect("the program starts")
}

/// A scratch directory with a generated cluster in `source`.
#[derive(Debug)]
pub(crate) struct Scratch {
    directory: tempfile::TempDir,
}

impl Scratch {
    pub(crate) fn empty() -> Self {
        Self { directory: tempfile::tempdir().expect("a temporary directory") }
    }

    /// With a cluster in `source`; `options` are those of `generate`.
    pub(crate) fn with_cluster(options: &[&str]) -> Self {
        let scratch = Self::empty();
        run(&[&["generate", &scratch.path("source")], options].concat()).expect(0);
        scratch
    }

    /// The same, and its backup in `repository/monday`.
    pub(crate) fn backed_up(options: &[&str]) -> Self {
        let scratch = Self::with_cluster(options);
        run(&["backup", &scratch.path("source"), &scratch.path("repository"), "--name", "monday"]).expect(0);
        scratch
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    /// Every file below `name` with its bytes, sorted.
    pub(crate) fn files(&self, name: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let root = self.directory.path().join(name);
        let mut files = Vec::new();
        collect(&root, &root, &mut files);
        files.sort();
        files
    }
}

pub(crate) fn collect(root: &Path, directory: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let below = path.strip_prefix(root).expect("below the root").to_owned();
            files.push((below, fs::read(&path).expect("a file")));
        }
    }
}
