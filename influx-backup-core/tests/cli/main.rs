//! The program as a shell sees it: exit codes, answers, messages.

mod completions;
mod forged;
#[cfg(unix)]
mod limits;
mod program;
mod readme;
mod refusals;
mod restores;
mod rules;
#[cfg(all(unix, feature = "aws", feature = "azure", feature = "gcp"))]
mod secrets;
#[path = "../servers/mod.rs"]
#[cfg(all(unix, feature = "aws", feature = "azure", feature = "gcp"))]
mod servers;
#[cfg(all(unix, feature = "aws", feature = "azure", feature = "gcp"))]
mod shown;
mod stores;
mod verbs;
