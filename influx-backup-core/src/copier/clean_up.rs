//! [`CleanUps`]: work in the background that removes what failed copies have left at the target.

use std::{future::Future, time::Duration};

use tokio::{
    runtime::Handle,
    sync::oneshot,
    time::{Instant, timeout},
};
use tokio_util::task::TaskTracker;

use super::wait::lost;
use crate::{concurrent, error::CopyError};

/// How long a clean-up may take, unless its run says otherwise. What it could not remove by then stays. Less than a minute: a verb
/// that waits for it ends within a minute of an outage.
const TIME_LIMIT: Duration = Duration::from_secs(50);

/// How long a failed copy waits for its own clean-up, which then continues in the background.
const WAIT_FOR_UNDO: Duration = Duration::from_millis(500);

/// Clean-ups that are under way in the background.
///
/// A copier that has to remove something from the target after its copy failed, or after the future of the copy was
/// dropped, does so here. The next attempt on the object, the next copier of a chain and the end of the stage wait for it,
/// so that a deletion never arrives after a later copy was written. As another process may write the object meanwhile, a
/// clean-up still deletes only what it knows to be its own: by upload id, or on the condition of an entity tag.
#[derive(Debug, Clone)]
pub struct CleanUps {
    own: TaskTracker,
    parent: Option<TaskTracker>,
    /// How long one may take.
    limit: Duration,
}

impl Default for CleanUps {
    fn default() -> Self {
        let own = TaskTracker::new();
        // Waiting ends once a closed tracker is empty; it still takes tasks.
        own.close();
        Self { own, parent: None, limit: TIME_LIMIT }
    }
}

impl CleanUps {
    /// The same with another limit for each, where it is shorter: whoever waits for them waits no longer than for a copy.
    pub(crate) fn with_limit(self, limit: Duration) -> Self {
        Self { limit: limit.min(self.limit), ..self }
    }

    /// Runs a clean-up in the background, for a minute at most. Outside a tokio runtime nothing is run.
    pub fn spawn(&self, clean_up: impl Future<Output = ()> + Send + 'static) {
        let Ok(runtime) = Handle::try_current() else { return };
        let until = Instant::now() + self.limit;
        let clean_up = self.own.track_future(async move {
            // What is not removed in time stays for `leftovers`.
            let _ = tokio::time::timeout_at(until, clean_up).await;
        });
        match &self.parent {
            Some(parent) => drop(runtime.spawn(concurrent::traced(parent.track_future(clean_up)))),
            None => drop(runtime.spawn(concurrent::traced(clean_up))),
        }
    }

    /// Begins what a clean-up undoes, in a task of its own, which also ends when this future is dropped: only its answer allows to
    /// undo it. Until then a clean-up is under way.
    pub(super) async fn begin<T: Send + 'static>(
        &self,
        beginning: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, CopyError> {
        let (answer, begun) = oneshot::channel();
        let (over, is_over) = oneshot::channel::<()>();
        Self::spawn(self, async {
            let _ = is_over.await;
        });
        let task = concurrent::spawn(async {
            // Where no caller waits any more, this drops what was begun, whose own clean-up takes over.
            drop(answer.send(beginning.await));
            drop(over);
        });
        match begun.await {
            Ok(begun) => Ok(begun),
            Err(_) => Err(task.await.map_or_else(lost, |()| CopyError::Cancelled)),
        }
    }

    /// Waits until no clean-up is under way.
    pub async fn finished(&self) {
        self.own.wait().await;
    }

    /// Clean-ups of one object, which are among those of `self`.
    pub(crate) fn of_object(&self) -> Self {
        Self { parent: Some(self.own.clone()), limit: self.limit, ..Self::default() }
    }
}

/// What a copy has begun at the target, and how it is undone.
pub(super) trait Undo: Send + 'static {
    /// Removes it again, best effort.
    fn undo(self) -> impl Future<Output = ()> + Send;
}

/// Undoes what a copy has begun, unless it is kept.
pub(super) struct UndoOnDrop<T: Undo> {
    begun: Option<T>,
    clean_ups: CleanUps,
}

impl<T: Undo> UndoOnDrop<T> {
    pub(super) fn new(begun: T, clean_ups: &CleanUps) -> Self {
        Self { begun: Some(begun), clean_ups: clean_ups.clone() }
    }

    /// What was begun.
    pub(super) fn begun(&mut self) -> Option<&mut T> {
        self.begun.as_mut()
    }

    /// The copy is complete: nothing is to be undone.
    pub(super) fn keep(mut self) {
        self.begun = None;
    }

    /// Undoes it now, and waits a moment for that.
    pub(super) async fn undo(self) {
        let clean_ups = self.clean_ups.clone();
        drop(self);
        // Whoever writes the object next waits longer.
        let _ = timeout(WAIT_FOR_UNDO, clean_ups.finished()).await;
    }
}

impl<T: Undo> Drop for UndoOnDrop<T> {
    fn drop(&mut self) {
        if let Some(begun) = self.begun.take() {
            self.clean_ups.spawn(async move { begun.undo().await });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use tokio::time::sleep;

    use super::*;

    struct Begun(Arc<AtomicBool>);

    impl Undo for Begun {
        async fn undo(self) {
            sleep(Duration::from_secs(3)).await;
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_begun_and_not_taken_is_waited_for() {
        let clean_ups = CleanUps::default();
        let is_undone = Arc::new(AtomicBool::new(false));
        let begun = UndoOnDrop::new(Begun(Arc::clone(&is_undone)), &clean_ups);
        let begin = clean_ups.begin(async move {
            sleep(Duration::from_secs(2)).await;
            begun
        });
        assert!(timeout(Duration::from_secs(1), begin).await.is_err(), "given up before it has begun");
        let began = Instant::now();
        clean_ups.finished().await;
        assert!(is_undone.load(Ordering::Relaxed));
        assert_eq!(began.elapsed().as_secs(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn the_stage_waits_for_its_objects_and_an_object_only_for_itself() {
        let stage = CleanUps::default();
        let one = stage.of_object();
        let other = stage.of_object();
        one.spawn(sleep(Duration::from_secs(20)));
        let began = Instant::now();
        other.finished().await;
        assert_eq!(began.elapsed().as_secs(), 0);
        one.clone().finished().await;
        assert_eq!(began.elapsed().as_secs(), 20);
        other.spawn(std::future::pending());
        stage.finished().await;
        assert_eq!(began.elapsed().as_secs(), 70, "given up before a minute is over");
        let short = CleanUps::default().with_limit(Duration::from_secs(10));
        short.of_object().spawn(std::future::pending());
        short.finished().await;
        assert_eq!(began.elapsed().as_secs(), 80, "given up with its run");
    }
}
