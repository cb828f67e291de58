//! Calls from the core into JavaScript of the caller.

mod calls;
mod request;

use std::{fmt, sync::Arc};

use influx_backup_core::{
    cancellation::Cancellation,
    cluster::Node,
    copier::{CopyContext, CopyRequest},
    error::Source,
};
use napi::{
    Env, JsValue, Result, ValueType,
    bindgen_prelude::{FromNapiValue, Unknown},
};
use napi_derive::napi;
use tokio::sync::oneshot;

pub(crate) use self::calls::Calls;
use self::calls::Open;
use crate::convert::ToNode;

/// An object of the caller's with methods that the core calls: its number among those that the caller gave, and its name.
#[derive(Debug, Clone)]
pub(crate) struct Callee {
    pub(crate) index: u32,
    pub(crate) name: String,
    pub(crate) calls: Arc<Calls>,
}

/// What a method is called with.
#[derive(Debug)]
pub(crate) enum Argument {
    Node(Node),
    Copy(Box<(CopyRequest, CopyContext)>),
}

/// What a method returned.
#[derive(Debug)]
pub(crate) enum Answer {
    Nothing,
    Flag(bool),
    Text(String),
    Other(ValueType),
}

/// What a method threw: its number among what was thrown, where the caller keeps it.
#[derive(Debug)]
pub(crate) struct Thrown {
    pub(crate) index: Option<u32>,
    /// What a copier means by it, where it is a `CopyError`.
    pub(crate) copy_code: Option<String>,
    message: String,
}

impl fmt::Display for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Thrown {}

/// A call that was not made, or that nothing answers any more.
#[derive(Debug)]
pub(crate) struct Abandoned;

impl fmt::Display for Abandoned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the call was given up")
    }
}

impl std::error::Error for Abandoned {}

/// What a method returned is not what it should.
#[derive(Debug)]
pub(crate) struct WrongAnswer {
    pub(crate) method: &'static str,
    pub(crate) name: String,
    pub(crate) answer: Answer,
    pub(crate) expected: &'static str,
}

impl fmt::Display for WrongAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, name, answer, expected } = self;
        write!(f, "`{method}` of {name} returned ")?;
        match answer {
            Answer::Nothing => write!(f, "nothing")?,
            Answer::Flag(flag) => write!(f, "{flag}")?,
            Answer::Text(text) => write!(f, "{text:?}")?,
            Answer::Other(kind) => write!(f, "a value of type {}", kind.to_string().to_lowercase())?,
        }
        write!(f, ": expected {expected}")
    }
}

impl std::error::Error for WrongAnswer {}

/// One call of a method, to be made by the caller and answered once.
#[napi]
#[derive(Debug)]
pub struct Call {
    id: u32,
    callee: u32,
    method: &'static str,
    argument: Argument,
    waiting: Option<(oneshot::Sender<std::result::Result<Answer, Thrown>>, Open)>,
}

#[napi]
impl Call {
    /// Its number, by which the caller is told that it is abandoned.
    #[napi(getter)]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The number of the object whose method is called.
    #[napi(getter)]
    pub fn callee(&self) -> u32 {
        self.callee
    }

    /// Which method.
    #[napi(getter)]
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// The node to stop or start, or the fields of the object to copy.
    #[napi(getter)]
    pub fn argument<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        match &self.argument {
            Argument::Node(node) => node.to_node(env),
            Argument::Copy(copy) => Ok(request::fields(&copy.0, env)?.to_unknown()),
        }
    }

    /// Whether the target of a copy may still be written to.
    #[napi]
    pub fn holds_lease(&self) -> bool {
        match &self.argument {
            Argument::Node(_) => true,
            Argument::Copy(copy) => copy.0.check_lease().is_ok(),
        }
    }

    /// Reports that this many bytes of a copy were moved.
    #[napi]
    pub fn moved(&self, bytes: i64) {
        if let Argument::Copy(copy) = &self.argument {
            (copy.1.progress)(bytes.try_into().unwrap_or(0));
        }
    }

    /// Takes what the method returned.
    #[napi]
    pub fn resolve(&mut self, value: Unknown<'_>) -> Result<()> {
        let answer = match value.get_type()? {
            ValueType::Undefined | ValueType::Null => Answer::Nothing,
            ValueType::Boolean => Answer::Flag(bool::from_unknown(value)?),
            ValueType::String => Answer::Text(String::from_unknown(value)?),
            other => Answer::Other(other),
        };
        self.answer(Ok(answer));
        Ok(())
    }

    /// Takes what the method threw: its number, its message, and what a copier means by it.
    #[napi]
    pub fn reject(&mut self, index: Option<u32>, message: String, copy_code: Option<String>) {
        self.answer(Err(Thrown { index, copy_code, message }));
    }
}

impl Call {
    fn answer(&mut self, answer: std::result::Result<Answer, Thrown>) {
        if let Some((waiting, _open)) = self.waiting.take() {
            // The run may wait no longer.
            let _ = waiting.send(answer);
        }
    }
}

impl Callee {
    /// Calls a method, waits for what it returns, and takes that. What it throws is the error.
    ///
    /// The caller is told once the call is cancelled, and where this future is dropped.
    pub(crate) async fn call<T>(
        &self,
        method: &'static str,
        argument: Argument,
        cancellation: &Cancellation,
        take: impl FnOnce(Answer) -> std::result::Result<T, Answer>,
        expected: &'static str,
    ) -> std::result::Result<T, Source> {
        let (waiting, mut answer) = oneshot::channel();
        let waiting = Some((waiting, self.calls.open()));
        let callee = self.index;
        let id = self.calls.begin(|id| Call { id, callee, method, argument, waiting });
        let mut unanswered = Unanswered { calls: &self.calls, id: Some(id) };
        let answer = tokio::select! {
            biased;
            answer = &mut answer => answer,
            () = cancellation.cancelled() => {
                unanswered.abandon();
                answer.await
            }
        };
        unanswered.id = None;
        let answer = answer.map_err(|_| Abandoned)?;
        let wrong = |answer| WrongAnswer { method, name: self.name.clone(), answer, expected };
        Ok(take(answer?).map_err(wrong)?)
    }
}

/// A call that is not answered yet. Dropping it abandons it.
struct Unanswered<'a> {
    calls: &'a Calls,
    id: Option<u32>,
}

impl Unanswered<'_> {
    fn abandon(&mut self) {
        if let Some(id) = self.id.take() {
            self.calls.abandon(id);
        }
    }
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        self.abandon();
    }
}
