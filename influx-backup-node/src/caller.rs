//! [`Caller`]: who started a verb, to be woken when there is something for it.

use std::sync::Arc;

use influx_backup_core as core;
use influx_backup_core::copier::Copiers;
use napi::{
    Result,
    bindgen_prelude::{Either, Function},
};
use napi_derive::napi;

use crate::{
    callback::{Call, Callee, Calls},
    copier::{NativeCopier, NodeCopier},
    orchestrator::Orchestrator,
    session::Session,
};

/// Who started one verb: the function that wakes it, its copiers and its orchestrator. Objects of the caller's go by their
/// names, and by their numbers in the order in which they are added.
#[napi]
#[derive(Debug)]
pub struct Caller {
    pub(crate) session: Session,
    pub(crate) calls: Arc<Calls>,
    pub(crate) object_events: bool,
    next: u32,
    copiers: Vec<Arc<dyn core::Copier>>,
    pub(crate) orchestrator: Option<Arc<dyn core::Orchestrator>>,
}

#[napi]
impl Caller {
    /// `wake` is called when there is a call, an event that was waited for, or the end. `object_events` asks for events of
    /// single objects.
    #[napi(constructor)]
    pub fn new(session: &Session, wake: Function<'_, (), ()>, object_events: bool) -> Result<Self> {
        Ok(Self {
            session: session.clone(),
            calls: Arc::new(Calls::new(wake.build_threadsafe_function().weak::<true>().build()?)),
            object_events,
            next: 0,
            copiers: Vec::new(),
            orchestrator: None,
        })
    }

    /// Adds a copier: one of the package, or one of the caller's by its name.
    #[napi]
    pub fn add_copier(&mut self, copier: Either<&NativeCopier, String>) {
        let copier: Arc<dyn core::Copier> = match copier {
            Either::A(native) => Arc::clone(&native.0),
            Either::B(name) => Arc::new(NodeCopier(self.callee(name))),
        };
        self.copiers.push(copier);
    }

    /// Sets the orchestrator, one of the caller's by its name.
    #[napi]
    pub fn set_orchestrator(&mut self, name: String) {
        self.orchestrator = Some(Arc::new(Orchestrator(self.callee(name))));
    }

    /// To be called first when woken: what comes later wakes again.
    #[napi]
    pub fn awake(&self) {
        self.calls.awake();
    }

    /// The next call to make, or `null`.
    #[napi]
    pub fn take_call(&self) -> Option<Call> {
        self.calls.take()
    }

    /// The number of the next call that is to end soon, or whose answer nothing waits for any more, or `null`.
    #[napi]
    pub fn take_abandoned(&self) -> Option<u32> {
        self.calls.take_abandoned()
    }
}

impl Caller {
    fn callee(&mut self, name: String) -> Callee {
        let index = self.next;
        self.next += 1;
        Callee { index, name, calls: Arc::clone(&self.calls) }
    }

    /// The chain of copiers, where there are any.
    pub(crate) fn copier(&self) -> Option<Arc<dyn core::Copier>> {
        let copiers = (!self.copiers.is_empty()).then(|| Copiers::new(self.copiers.clone()));
        copiers.map(|copiers| Arc::new(copiers) as Arc<dyn core::Copier>)
    }
}
