//! How requests are made: tried again while the store fails for a moment, given up when it is away.
//!
//! This is the one place where a location waits for its store. The clients of the object_store crate retry a few times
//! within seconds by themselves (see `cloud/client.rs`), which is counted in here.

use std::{panic::AssertUnwindSafe, sync::PoisonError, time::Duration};

use futures::{FutureExt, future::BoxFuture};
use object_store::{
    ObjectStore, ObjectStoreExt,
    path::{Path, PathPart},
};
use tokio::time::{Instant, sleep};

use super::{LastAnswer, Location, Suspicion};
use crate::{
    error::{Error, Result, Source, StoreErrorKind},
    key::Key,
    layout::OWN_DIRECTORY,
    retry::{Backoff, Patience, RetryPolicy, unless_silent},
};

/// For a store that was seen before and does not answer, or fails for an unknown reason.
pub(super) const OUTAGE: RetryPolicy = RetryPolicy {
    initial_backoff: Duration::from_millis(100),
    max_backoff: Duration::from_secs(5),
    max_elapsed: Duration::from_secs(25),
    // Two answers in a row may be lost.
    min_retries: 2,
};

/// For a store that asks to slow down: it is there.
const THROTTLED: RetryPolicy =
    RetryPolicy { max_backoff: Duration::from_secs(10), max_elapsed: Duration::from_secs(180), ..OUTAGE };

/// For a store that is not known to answer at all: at first contact, and once an [`OUTAGE`] outlasted its policy.
const AWAY: RetryPolicy =
    RetryPolicy { max_backoff: Duration::from_secs(1), max_elapsed: Duration::from_secs(3), min_retries: 0, ..OUTAGE };

/// How long an answer may take, unless an option says otherwise.
pub(super) const PATIENCE: Patience = Patience { silence: Duration::from_secs(15), total: Duration::from_secs(20) };

/// How long it may take while the store is away.
const PATIENCE_WHILE_AWAY: Duration = Duration::from_secs(5);

/// The name of the object that a store is asked for to hear whether it is there. There is none.
const PROBE: &str = "is-there";

/// Uploads slower than this, in bytes a second, count as silence.
const SLOWEST_UPLOAD: u64 = 64 << 10;

/// What is known of the store. Clones and children of a location share it, so that the first request of any verb finds out
/// within seconds that a store is not there, and those after it are patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Contact {
    /// It has not answered yet, or only with failures that may pass.
    #[default]
    Unseen,
    /// It has.
    Established,
    /// It was given up, and has not answered since.
    Lost,
}

impl Location {
    /// Makes a request, and makes it again while the store fails in a way that may pass.
    ///
    /// # Errors
    /// The last one. [`StoreErrorKind::Unreachable`] within a minute of an outage, within seconds where the store never
    /// answered, or a request before found the same.
    pub(crate) async fn retry<'a, T>(&self, mut attempt: impl FnMut() -> BoxFuture<'a, Result<T>> + Send) -> Result<T> {
        let mut backoff = Backoff::start();
        let mut suspicion = Suspicion::default();
        loop {
            // A client that cannot make a request of what it was given panics.
            let attempted = AssertUnwindSafe(attempt()).catch_unwind().await;
            let mut error = match attempted.unwrap_or_else(|panic| Err(Error::panicked("request", panic.as_ref()))) {
                Err(error @ Error::Store { kind, .. }) if kind.is_transient() => error,
                done => {
                    if is_answer(&done) {
                        self.set_contact(Contact::Established);
                    }
                    return done;
                }
            };
            let policy = self.policy(&error);
            let wait = backoff.next_wait(&policy, &jitter_seed(&error));
            if self.is_of_one_object(&error, &mut suspicion, wait.is_none()).await {
                if let Error::Store { kind, .. } = &mut error {
                    *kind = StoreErrorKind::Unreadable;
                }
                return Err(error);
            }
            let Some(wait) = wait else {
                self.given_up(&error);
                tracing::warn!(location = %self, code = error.code(), attempts = backoff.failures(), "giving up: {error}");
                return Err(error);
            };
            tracing::debug!(location = %self, code = error.code(), attempt = backoff.failures(), ?wait, "retrying: {error}");
            sleep(wait).await;
        }
    }

    /// Whether it is one object that cannot be read, not the store. The store is asked where that was often so, or where it is
    /// given up.
    async fn is_of_one_object(&self, error: &Error, suspicion: &mut Suspicion, gives_up: bool) -> bool {
        let Error::Store { operation: "get", key, kind, .. } = error else { return false };
        let Ok(key) = Key::parse(key) else { return false };
        let is_suspected = self.suspects(&key, suspicion, *kind);
        (is_suspected || (gives_up && suspicion.has_begun())) && self.refuses_only(&key).await
    }

    /// Waits for one answer of the store, or for the next piece of one, but not without a limit.
    pub(super) async fn answer<T>(
        &self,
        request: impl Future<Output = object_store::Result<T>>,
    ) -> object_store::Result<T> {
        self.answer_within(self.patience(), request).await
    }

    /// The same for an object that is read, or the next piece of one: the limits of a job may say how long that may take.
    pub(super) async fn bytes<T>(
        &self,
        request: impl Future<Output = object_store::Result<T>>,
    ) -> object_store::Result<T> {
        let patience = self.0.reads.as_ref().map_or(self.0.patience, |reads| reads.patience());
        self.answer_within(self.while_away(patience), request).await
    }

    /// The same for a request that sends `bytes`.
    pub(super) async fn answer_to<T>(
        &self,
        bytes: usize,
        request: impl Future<Output = object_store::Result<T>>,
    ) -> object_store::Result<T> {
        let Patience { silence, total } = self.patience();
        let sending = Duration::from_secs(bytes as u64 / SLOWEST_UPLOAD);
        self.answer_within(Patience { silence, total: total + sending }, request).await
    }

    /// The same for requests one after another, however many: each of them has the limit of its client.
    #[cfg(feature = "cloud")]
    pub(super) async fn answers<T>(
        &self,
        requests: impl Future<Output = object_store::Result<T>>,
    ) -> object_store::Result<T> {
        self.answer_within(Patience { total: Duration::MAX, ..self.patience() }, requests).await
    }

    async fn answer_within<T>(
        &self,
        patience: Patience,
        request: impl Future<Output = object_store::Result<T>>,
    ) -> object_store::Result<T> {
        if self.directory().is_some() {
            return request.await;
        }
        let began = Instant::now();
        let last = LastAnswer::default();
        let answer = patience.wait(last.during(request), |recently| self.is_there(recently)).await;
        let answer = answer.unwrap_or_else(|| {
            let silent = format!("no answer within {} s", began.elapsed().as_secs());
            let source: Source = match last.get() {
                Some(answer) => answer.into(),
                None => std::io::Error::new(std::io::ErrorKind::TimedOut, silent).into(),
            };
            Err(object_store::Error::Generic { store: "location", source })
        });
        if answer.is_ok() {
            self.heard();
        }
        answer
    }

    /// Does some work as long as this store is there; `None`: it was silent for `silence`. Whatever the work waits for,
    /// it is not waited for in vain: an upload that is not taken, a copy that the store makes by itself.
    pub(crate) async fn unless_silent<T>(&self, silence: Duration, work: impl Future<Output = T>) -> Option<T> {
        if self.directory().is_some() {
            return Some(work.await);
        }
        unless_silent(silence, work, |recently| self.is_there(recently)).await
    }

    /// Whether the store has answered anything `recently`, or answers now. What it answers does not matter.
    async fn is_there(&self, recently: Duration) -> bool {
        if self.0.budgets.heard.lock().is_ok_and(|heard| heard.is_some_and(|heard| heard.elapsed() < recently)) {
            return true;
        }
        let probe = [PathPart::from(OWN_DIRECTORY), PathPart::from(PROBE)];
        let probe: Path = self.base().parts().chain(probe).collect();
        let answered = match self.unlimited().head(&probe).await {
            Ok(_) => true,
            Err(error) => StoreErrorKind::of(&error).is_answer(),
        };
        if answered {
            self.heard();
        }
        answered
    }

    /// The store without a limit on connections: others may hold them all, and wait.
    pub(super) fn unlimited(&self) -> &dyn ObjectStore {
        #[cfg(feature = "cloud")]
        if let Some(handle) = self.handle() {
            return handle.store();
        }
        self.store()
    }

    /// Remembers that the store has answered.
    pub(crate) fn heard(&self) {
        if let Ok(mut heard) = self.0.budgets.heard.lock() {
            *heard = Some(Instant::now());
        }
    }

    fn patience(&self) -> Patience {
        self.while_away(self.0.patience)
    }

    /// Less of it while the store is away.
    fn while_away(&self, Patience { silence, total }: Patience) -> Patience {
        let at_most = |time: Duration| time.min(PATIENCE_WHILE_AWAY);
        match self.contact() {
            Contact::Unseen | Contact::Established => Patience { silence, total },
            Contact::Lost => Patience { silence: at_most(silence), total: at_most(total) },
        }
    }

    fn policy(&self, error: &Error) -> RetryPolicy {
        let is_outage = error.is_outage();
        match (self.contact(), &self.0.reads) {
            (Contact::Unseen | Contact::Lost, _) if is_outage => AWAY,
            // It asks to slow down, and so may what stands before a store that is down.
            (Contact::Unseen, _) => OUTAGE,
            (_, Some(reads)) => reads.policy(is_outage),
            (_, None) if is_outage => OUTAGE,
            (_, None) => THROTTLED,
        }
    }

    /// After an outage that was found by other requests than those of this location: the next one gives up within seconds,
    /// unless the store answers.
    pub(crate) fn suspect_outage(&self) {
        self.set_contact(Contact::Lost);
    }

    fn given_up(&self, error: &Error) {
        let is_answer = matches!(error, Error::Store { kind, .. } if kind.is_answer());
        match self.contact() {
            // What stands before a store that is down answers, too.
            Contact::Unseen if is_answer => {}
            _ if is_answer => self.set_contact(Contact::Established),
            _ => self.set_contact(Contact::Lost),
        }
    }

    fn contact(&self) -> Contact {
        *self.0.budgets.contact.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_contact(&self, contact: Contact) {
        *self.0.budgets.contact.lock().unwrap_or_else(PoisonError::into_inner) = contact;
    }
}

/// Whether the store has said this. A closed fence or a link that is refused ask it nothing.
fn is_answer<T>(done: &Result<T>) -> bool {
    match done {
        Ok(_) => true,
        Err(Error::Store { kind, .. }) => kind.is_answer(),
        Err(_) => false,
    }
}

/// The text of the error. A probe's name is cut off: it differs between runs.
fn jitter_seed(error: &Error) -> String {
    let text = error.to_string();
    text.split_once("/probe-").map_or_else(|| text.clone(), |(before, _)| before.to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use futures::FutureExt;

    use super::*;
    use crate::testing::fault::{Fault, FaultPlan, FaultyStore, Op, Rule, Scope, When};

    fn failing(kind: StoreErrorKind, times: u32) -> impl FnMut() -> BoxFuture<'static, Result<u32>> + Send {
        let attempts = AtomicU32::new(0);
        move || {
            let attempt = attempts.fetch_add(1, Ordering::Relaxed);
            let source = Box::new(std::io::Error::other("x"));
            let error = Error::Store { operation: "get", key: "k".to_owned(), location: "l".to_owned(), kind, source };
            async move { if attempt < times { Err(error) } else { Ok(attempt) } }.boxed()
        }
    }

    /// A location whose store has answered.
    async fn seen() -> Location {
        let location = Location::in_memory();
        location.retry(failing(StoreErrorKind::Unreachable, 0)).await.expect("an answer");
        location
    }

    async fn time_to_fail(location: &Location, kind: StoreErrorKind) -> Duration {
        let began = Instant::now();
        location.retry(failing(kind, u32::MAX)).await.expect_err("fails");
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn transient_failures_are_retried_and_others_returned_at_once() {
        let location = Location::in_memory();
        assert_eq!(location.retry(failing(StoreErrorKind::Throttled, 7)).await.expect("passes"), 7);
        for kind in [StoreErrorKind::Denied, StoreErrorKind::Invalid, StoreErrorKind::Full] {
            assert_eq!(time_to_fail(&location, kind).await, Duration::ZERO, "{kind:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_ends_soon_and_the_next_request_knows() {
        let location = seen().await;
        let first = time_to_fail(&location, StoreErrorKind::Unreachable).await;
        assert!(first <= OUTAGE.max_elapsed && first > OUTAGE.max_elapsed / 2, "{first:?}");
        let child = location.child("below").expect("a location");
        let second = time_to_fail(&child, StoreErrorKind::Unreachable).await;
        assert!(second <= AWAY.max_elapsed, "{second:?}");
        location.retry(failing(StoreErrorKind::Unreachable, 1)).await.expect("back");
        let third = time_to_fail(&location, StoreErrorKind::Unreachable).await;
        assert!(third > AWAY.max_elapsed, "it was back: {third:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn only_an_answer_ends_an_outage() {
        let lost = || Error::NoRestore { location: "l".to_owned() };
        let location = seen().await;
        time_to_fail(&location, StoreErrorKind::Unreachable).await;
        location.retry(|| async { Err::<(), _>(lost()) }.boxed()).await.expect_err("nothing was asked");
        assert!(time_to_fail(&location, StoreErrorKind::Unreachable).await <= AWAY.max_elapsed, "it is still away");
        time_to_fail(&location, StoreErrorKind::Denied).await;
        assert!(time_to_fail(&location, StoreErrorKind::Unreachable).await > AWAY.max_elapsed, "it was back");
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_asks_to_slow_down_is_given_minutes() {
        let location = seen().await;
        let took = time_to_fail(&location, StoreErrorKind::Throttled).await;
        assert!(took > Duration::from_secs(120), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_never_answered_is_given_up_within_seconds_however_often_it_is_asked() {
        let location = Location::in_memory();
        let child = location.child("below").expect("a location");
        for (kind, policy) in
            [(StoreErrorKind::Throttled, OUTAGE), (StoreErrorKind::Unknown, AWAY), (StoreErrorKind::Unreachable, AWAY)]
        {
            for place in [&location, &child, &location.clone()] {
                let took = time_to_fail(place, kind).await;
                assert!(took <= policy.max_elapsed, "{kind:?}: {took:?}");
            }
        }
        child.retry(failing(StoreErrorKind::Denied, 1)).await.expect_err("an answer");
        assert!(time_to_fail(&location, StoreErrorKind::Throttled).await > Duration::from_secs(120));
    }

    /// Connections that stand and say nothing: list, head, get, put and delete all time out.
    #[tokio::test(start_paused = true)]
    async fn a_silent_store_is_unreachable() {
        let hour = Duration::from_secs(3600);
        let silent = Rule::new(Scope::any(), When::Always, Fault::Delay(hour..hour * 2));
        let key = Key::parse("n/wal/1").expect("a key");
        for op in [Op::List, Op::Head, Op::Get, Op::Put, Op::Delete] {
            let plan = FaultPlan::none().with(silent.clone());
            let location = Location::in_memory().through(|store| Arc::new(FaultyStore::new(store, plan.clone())));
            // At first contact, and then after an answer.
            for longest in [PATIENCE.total, Duration::from_secs(55)] {
                let began = Instant::now();
                let failed = match op {
                    Op::List => location.list("").await.map(drop),
                    Op::Head => location.head(&key).await.map(drop),
                    Op::Get => location.get(&key, None).await.map(drop),
                    Op::Put => location.put(&key, "x".into()).await.map(drop),
                    _ => location.delete(&key).await,
                };
                assert_eq!(failed.expect_err("silent").code(), "unreachable", "{op:?}");
                assert!(began.elapsed() <= longest, "{op:?}: {:?}", began.elapsed());
                location.retry(failing(StoreErrorKind::Unreachable, 0)).await.expect("an answer");
            }
        }
    }
}
