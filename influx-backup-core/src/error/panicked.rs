//! A panic as an error.

use std::any::Any;

use super::Error;

/// What a panic said.
#[derive(Debug, thiserror::Error)]
#[error("it panicked: {0}")]
struct Panicked(String);

impl Error {
    /// The error for a task that panicked, with what the panic said as its cause: for bindings, which await what is no job.
    #[must_use]
    pub fn panicked(task: &'static str, panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Self::Internal { task, source: Box::new(Panicked(text.unwrap_or("without a word").to_owned())) }
    }
}
