//! [`Batch`]: copies that one task makes, one after another: those of small files without a change of threads for each.

use futures::{FutureExt, future::BoxFuture};

use super::CopyOutcome;
use crate::{
    concurrent::{blocked, spawn_on_thread},
    error::{CopyError, Error, Result},
    plan::CopyTask,
};

/// How many copies a batch has at most: so many are copied again where a process dies before they are written down.
const MAX_COPIES: u64 = 64;

/// How many bytes a batch of more than one copy has at most.
const MAX_BYTES: u64 = 4 << 20;

/// How a copy ended.
pub(super) type Ended = (CopyTask, Result<CopyOutcome, CopyError>);

/// The work of a copy, which begins when it is polled.
type Work = BoxFuture<'static, Result<CopyOutcome, CopyError>>;

/// A copy that may have begun.
pub(super) struct Copy {
    task: CopyTask,
    work: Work,
}

/// A copy that has not begun. Its work is made when its turn comes: thousands wait, and a future takes kilobytes.
pub(super) struct Next {
    task: CopyTask,
    begin: Box<dyn FnOnce() -> Work + Send>,
}

/// Copies that are begun one after another.
pub(super) enum Batch {
    /// One that waits for what it does.
    One(Copy),
    /// Files, which are copied on a thread that may block.
    Files(Vec<Next>),
}

/// How far a batch came.
pub(super) struct Ran {
    pub(super) ended: Vec<Ended>,
    /// One that waits: for a permit, for its next attempt, or as its copier does.
    pub(super) waits: Option<Copy>,
    /// Those that were not begun, because one before them waits or failed.
    pub(super) left: Vec<CopyTask>,
}

impl Next {
    pub(super) fn new(task: CopyTask, begin: impl FnOnce() -> Work + Send + 'static) -> Self {
        Self { task, begin: Box::new(begin) }
    }

    pub(super) fn begin(self) -> Copy {
        Copy { task: self.task, work: (self.begin)() }
    }
}

impl Batch {
    pub(super) async fn run(self) -> Result<Ran> {
        match self {
            Self::One(Copy { task, work }) => {
                let ended = vec![(task, work.await)];
                Ok(Ran { ended, waits: None, left: Vec::new() })
            }
            Self::Files(copies) => {
                let ran = spawn_on_thread(|| run_files(copies)).await;
                ran.map_err(|source| Error::Internal { task: "copy", source: Box::new(source) })
            }
        }
    }
}

fn run_files(copies: Vec<Next>) -> Ran {
    let mut ran = Ran { ended: Vec::with_capacity(copies.len()), waits: None, left: Vec::new() };
    let mut copies = copies.into_iter();
    for next in copies.by_ref() {
        let Copy { task, mut work } = next.begin();
        let Some(outcome) = blocked(|| work.as_mut().now_or_never()) else {
            ran.waits = Some(Copy { task, work });
            break;
        };
        let failed = outcome.is_err();
        ran.ended.push((task, outcome));
        if failed {
            break;
        }
    }
    ran.left = copies.map(|copy| copy.task).collect();
    ran
}

/// What is still to be copied.
pub(super) struct Queue<I> {
    tasks: I,
    /// How many there are, `again` included.
    left: u64,
    /// Those that come first, as they were taken before.
    again: Vec<CopyTask>,
}

impl<I: Iterator<Item = CopyTask>> Queue<I> {
    pub(super) fn new(tasks: I, left: u64) -> Self {
        Self { tasks, left, again: Vec::new() }
    }

    /// The next ones: more than one where all of them are such of which a batch may have more, and so few that each of the
    /// `workers` gets some.
    pub(super) fn take(&mut self, workers: usize, is_small: impl Fn(&CopyTask) -> bool) -> Vec<CopyTask> {
        let most = (self.left / workers as u64).clamp(1, MAX_COPIES);
        let mut taken: Vec<CopyTask> = Vec::new();
        let mut bytes = 0;
        while (taken.len() as u64) < most
            && taken.last().is_none_or(&is_small)
            && let Some(task) = self.again.pop().or_else(|| self.tasks.next())
        {
            bytes += task.expect.size;
            if !taken.is_empty() && (bytes > MAX_BYTES || !is_small(&task)) {
                self.again.push(task);
                break;
            }
            self.left = self.left.saturating_sub(1);
            taken.push(task);
        }
        taken
    }

    /// Puts back what was taken.
    pub(super) fn put_back(&mut self, tasks: Vec<CopyTask>) {
        self.left += tasks.len() as u64;
        self.again.extend(tasks);
    }
}

#[cfg(test)]
mod tests;
