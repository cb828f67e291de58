//! [`Exit`]: what the program tells the shell.

use crate::{
    error::Category,
    finding::{Finding, FindingCode},
};

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, and certified where that was the question. Findings are in the report and fail no cron job.
    Done = 0,
    /// A bug, an orchestrator that failed, servers that are still stopped, or an answer that could not be printed.
    Unexpected = 1,
    /// The command line or an option is wrong.
    Usage = 2,
    /// Committed with the caller's consent although clauses are violated.
    Degraded = 3,
    /// Clauses are violated, verification failed, or the backup is damaged.
    NotConsistent = 4,
    /// Refused, or not found.
    Refused = 5,
    /// The store is unreachable, denies, or is full.
    Store = 6,
    /// Cancelled: 128 + SIGINT, as shells have it.
    Cancelled = 130,
}

impl Exit {
    /// The end of a verb that did what it was asked and leaves this to do. A server that is still stopped fails a cron job,
    /// other to-dos do not.
    pub(crate) fn leaving(todos: &[Finding]) -> Self {
        let is_down = todos.iter().any(|todo| todo.code == FindingCode::ServersStopped);
        if is_down { Self::Unexpected } else { Self::Done }
    }
}

impl From<Category> for Exit {
    fn from(category: Category) -> Self {
        match category {
            Category::Usage => Self::Usage,
            Category::NotFound | Category::Refused => Self::Refused,
            Category::NotConsistent => Self::NotConsistent,
            Category::Store => Self::Store,
            Category::Cancelled => Self::Cancelled,
            Category::Orchestrator | Category::Internal => Self::Unexpected,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::cli::failure::Failure;

    #[test]
    fn a_server_that_is_still_stopped_is_no_success() {
        let todo = |code| Finding::new(code, "a message");
        assert_eq!(Exit::leaving(&[todo(FindingCode::NotCovered)]), Exit::Done);
        let todos = [todo(FindingCode::NotCovered), todo(FindingCode::ServersStopped)];
        assert_eq!(Exit::leaving(&todos), Exit::Unexpected);
    }

    /// The exit code that the table of error codes in the README gives for a code.
    fn documented(code: &str) -> Option<u8> {
        let readme = include_str!("../../../README.md");
        let row = readme.lines().find(|line| line.starts_with(&format!("| `{code}` | ")))?;
        row.trim_end_matches(" |").rsplit("| ").next()?.parse().ok()
    }

    #[test]
    fn the_readme_has_the_exit_code_of_every_error() {
        for error in crate::error::tests::samples() {
            let exit = Exit::from(error.category());
            assert_eq!(exit as u8, error.category().exit_code(), "{}", error.code());
        }
        assert_eq!(documented("usage"), Some(Failure::usage("").exit() as u8));
        assert_eq!(documented("io"), Some(Failure::io("", &io::Error::other("")).exit() as u8));
    }
}
