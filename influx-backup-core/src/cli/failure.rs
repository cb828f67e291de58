//! [`Failure`]: why a verb did not do what it was asked.

use std::{fmt, io};

use serde::Serialize;

use crate::{
    Error, JobHandle,
    cli::exit::Exit,
    error::{Category, ErrorReport, Hint},
};

/// Why a verb did not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    report: Box<ErrorReport>,
}

/// A failure as one JSON document.
#[derive(Debug, Serialize)]
pub(crate) struct Document<'a> {
    error: &'a ErrorReport,
}

impl Failure {
    /// The command line cannot be understood.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        let message = message.into().trim_start_matches("error: ").trim_end().to_owned();
        Self::of_program("usage", Category::Usage, message, Vec::new())
    }

    /// Something that the program itself does failed.
    pub(crate) fn io(action: &'static str, error: &io::Error) -> Self {
        Self::of_program("io", Category::Internal, format!("cannot {action}"), vec![error.to_string()])
    }

    fn of_program(code: &str, category: Category, message: String, causes: Vec<String>) -> Self {
        Self { report: Box::new(ErrorReport::of_program(code, category, message, causes)) }
    }

    /// A job failed: its error, and what it had found.
    pub(crate) fn of_job(job: &JobHandle, error: &Error) -> Self {
        Self { report: Box::new(job.report(error)) }
    }

    pub(crate) fn exit(&self) -> Exit {
        self.report.category.into()
    }

    pub(crate) fn report(&self) -> &ErrorReport {
        &self.report
    }

    pub(crate) fn document(&self) -> Document<'_> {
        Document { error: &self.report }
    }

    /// It for people: hints name flags of this program.
    pub(crate) fn text(&self) -> impl fmt::Display {
        struct Text<'a>(&'a ErrorReport);
        impl fmt::Display for Text<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.show(f, flag)
            }
        }
        Text(&self.report)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { report: Box::new(error.report()) }
    }
}

/// A hint in the words of this program: an option is a flag.
fn flag(hint: &Hint) -> String {
    let flag = match (hint.option.as_str(), hint.value.as_deref()) {
        ("on_existing" | "on_unfinished", _) => "--resume".to_owned(),
        ("takeover", _) => "--takeover".to_owned(),
        ("object_store_single_writer", _) => "--single-writer".to_owned(),
        ("file_links", value) => format!("--links {}", value.unwrap_or("VALUE")),
        ("file_mode", _) => "--repository-mode MODE".to_owned(),
        ("servers_stopped", _) => "--servers-stopped".to_owned(),
        ("node_ids", _) => "--node-id ID".to_owned(),
        ("cluster_id" | "query_only", _) => format!("--{} ID", hint.option.replace('_', "-")),
        (option, value) => {
            let name = option.rsplit('.').next().unwrap_or(option).replace('_', "-");
            format!("--{name} {}", value.unwrap_or("VALUE"))
        }
    };
    format!("{flag}: {}", hint.text)
}
