//! [`with_callees!`](crate::with_callees): what a caller brings to a run.

/// Gives a request of a backup or a restore the copier and the orchestrator of its caller, where there are some.
#[macro_export]
macro_rules! with_callees {
    ($request:expr, $copier:expr, $orchestrator:expr) => {{
        let mut request = $request;
        if let Some(copier) = $copier {
            request = request.with_copier(copier);
        }
        if let Some(orchestrator) = $orchestrator {
            request = request.with_orchestrator(orchestrator);
        }
        request
    }};
}
