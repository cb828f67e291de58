//! [`LastAnswer`]: what the store last answered to a request that is still under way.

use std::sync::{Arc, Mutex, PoisonError};

use crate::error::StoreAnswer;

tokio::task_local! {
    static LAST: LastAnswer;
}

/// The last error that the store answered to a request. A client that makes the request again by itself hides it; where the
/// request takes too long, it is what is known.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastAnswer(Arc<Mutex<Option<StoreAnswer>>>);

impl LastAnswer {
    /// Makes a request, and remembers what the store answers meanwhile.
    pub(crate) async fn during<T>(&self, request: impl Future<Output = T>) -> T {
        LAST.scope(self.clone(), request).await
    }

    /// The error that was answered last; `None`: the store answered nothing, or a success.
    pub(crate) fn get(&self) -> Option<StoreAnswer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers an answer to the request under way; `None`: a success.
    #[cfg(any(test, feature = "cloud"))]
    pub(super) fn hear(answer: Option<&StoreAnswer>) {
        let _ = LAST.try_with(|last| *last.0.lock().unwrap_or_else(PoisonError::into_inner) = answer.cloned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_request_has_its_own() {
        let answer = |status| StoreAnswer { status: Some(status), code: None };
        LastAnswer::hear(Some(&answer(500)));
        let [outer, inner, other] = [(); 3].map(|()| LastAnswer::default());
        let within = inner.during(async { LastAnswer::hear(Some(&answer(503))) });
        outer.during(within).await;
        assert_eq!((outer.get(), inner.get()), (None, Some(answer(503))));
        other.during(async { LastAnswer::hear(Some(&answer(502))) }).await;
        other.during(async { LastAnswer::hear(None) }).await;
        assert_eq!(other.get(), None, "a success");
    }
}
