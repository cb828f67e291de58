//! An object of the caller's as [`core::Orchestrator`].

use std::sync::Arc;

use async_trait::async_trait;
use influx_backup_core::{self as core, cluster::Node, error::Source};
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyBool, PyTuple},
};

use crate::{
    callback::{Callee, Caller},
    convert::ToPython,
};

/// Stops and starts servers by the methods `stop(node)`, `stopped(node)` and `start(node)`.
#[derive(Debug)]
struct Orchestrator(Callee);

/// The orchestrator that a caller gives.
///
/// # Errors
/// `TypeError` where it lacks a method.
pub(crate) fn of(given: &Bound<'_, PyAny>, caller: &Caller) -> PyResult<Arc<dyn core::Orchestrator>> {
    const EXPECTED: &str =
        "`orchestrator` is an object with the methods `stop(node)`, `stopped(node)` and `start(node)`";
    Ok(Arc::new(Orchestrator(Callee::new(given, &["stop", "stopped", "start"], EXPECTED, caller)?)))
}

impl Orchestrator {
    async fn call<T: Send + 'static>(
        &self,
        method: &'static str,
        node: &Node,
        take: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T> + Send + 'static,
    ) -> Result<T, Source> {
        let node = node.clone();
        self.0.call(method, move |py| Ok(PyTuple::new(py, [node.to_python(py)?])?.unbind()), take).await
    }
}

#[async_trait]
impl core::Orchestrator for Orchestrator {
    async fn stop(&self, node: &Node) -> Result<(), Source> {
        self.call("stop", node, |_| Ok(())).await
    }

    async fn stopped(&self, node: &Node) -> Result<bool, Source> {
        // Not what counts as true in Python: a text such as "active" would let a restore write below a server that runs.
        let take = |answer: &Bound<'_, PyAny>| {
            let flag = answer.cast::<PyBool>();
            let wrong = |_| PyTypeError::new_err(format!("`stopped` returned {answer:?}: expected True or False"));
            flag.map(|flag| flag.is_true()).map_err(wrong)
        };
        self.call("stopped", node, take).await
    }

    async fn start(&self, node: &Node) -> Result<(), Source> {
        self.call("start", node, |_| Ok(())).await
    }
}
