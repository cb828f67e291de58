//! A walk through a directory and all that is below it, by several threads where that is much.

use std::{
    path::Path as FilePath,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, Scope},
};

use super::{How, Listed, Looks, ObjectMeta, ObjectTable, Place, Seen};
use crate::{error::Result, table::Builder};

/// How many threads a walk has at most: file servers answer several at a time.
const THREADS: usize = 4;

/// How many directories wait where one more thread begins.
const MANY: usize = 64;

/// How many entries a thread keeps before it adds them to the table.
const ROWS: usize = 1024;

/// Lists what is below a prefix. Goes on as long as `on_entry` returns true.
pub(super) fn walk(
    root: &FilePath,
    prefix: &str,
    how: &How,
    on_entry: &(dyn Fn() -> bool + Sync),
) -> Result<Listed<ObjectTable>> {
    let start = Looks::new(root, how).start(prefix)?.into_iter().collect();
    let queue = Queue { pending: Vec::new(), threads: 1, most: THREADS, waiting: 0, end: None };
    let found = Listed::<()>::default().with(ObjectTable::builder());
    let walk = Walk {
        root,
        how,
        on_entry,
        queue: Mutex::new(queue),
        changed: Condvar::new(),
        wants_more: AtomicBool::new(true),
        found: Mutex::new(found),
    };
    thread::scope(|scope| walk.work(scope, start));
    let queue = walk.queue.into_inner().unwrap_or_else(PoisonError::into_inner);
    queue.end.unwrap_or(Ok(()))?;
    let Listed { found, passed, unlisted } = walk.found.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Listed { found: found.into(), passed, unlisted })
}

struct Walk<'a> {
    root: &'a FilePath,
    how: &'a How,
    on_entry: &'a (dyn Fn() -> bool + Sync),
    queue: Mutex<Queue>,
    /// Directories were shared, or the walk ends.
    changed: Condvar,
    /// Whether another thread would begin, or waits for directories.
    wants_more: AtomicBool,
    found: Mutex<Listed<Builder<ObjectMeta>>>,
}

/// What the threads share.
struct Queue {
    /// Directories that some thread found and none has begun.
    pending: Vec<Place>,
    threads: usize,
    /// How many there may be.
    most: usize,
    /// How many of them have none left.
    waiting: usize,
    /// No further directory is read: all were, there is an error, or nobody waits for the listing.
    end: Option<Result<()>>,
}

impl Walk<'_> {
    /// Reads these directories and what is below them, and then others, until none is left.
    fn work<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, mut own: Vec<Place>) {
        let _panics = EndOnPanic(self);
        let mut looks = Looks::new(self.root, self.how);
        let mut rows = Vec::new();
        while let Some(place) = own.pop().or_else(|| self.next()) {
            match self.read(&place, &mut looks, &mut rows, &mut own) {
                Ok(true) => {}
                Ok(false) => self.end(Ok(())),
                Err(error) => self.end(Err(error)),
            }
            if self.wants_more.load(Ordering::Relaxed) {
                self.share(scope, &mut own);
            }
        }
        self.add(&mut rows);
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.passed.append(&mut looks.listed.passed);
        found.unlisted.append(&mut looks.listed.unlisted);
    }

    /// Whether the walk goes on. The directories in this one are the thread's own.
    fn read(
        &self,
        place: &Place,
        looks: &mut Looks<'_>,
        rows: &mut Vec<ObjectMeta>,
        own: &mut Vec<Place>,
    ) -> Result<bool> {
        let Some(listing) = looks.open(place)? else { return Ok(true) };
        for found in listing {
            match looks.at(place, found)? {
                Seen::Nothing => {}
                Seen::Directory(below) => own.push(below),
                Seen::File(entry) => {
                    rows.push(entry);
                    if rows.len() >= ROWS {
                        self.add(rows);
                    }
                    if !(self.on_entry)() {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }

    fn add(&self, rows: &mut Vec<ObjectMeta>) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        rows.drain(..).for_each(|row| found.found.push(row));
    }

    /// A directory of another thread, where one has any to spare.
    fn next(&self) -> Option<Place> {
        let mut queue = self.queue();
        loop {
            if queue.end.is_some() {
                return None;
            }
            if let Some(place) = queue.pending.pop() {
                return Some(place);
            }
            if queue.waiting + 1 == queue.threads {
                drop(queue);
                self.end(Ok(()));
                return None;
            }
            queue.waiting += 1;
            self.wants_more.store(true, Ordering::Relaxed);
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.waiting -= 1;
        }
    }

    /// Gives the half that was found first to others, as those have most below them; where there are many, to one more thread.
    fn share<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, own: &mut Vec<Place>) {
        let mut queue = self.queue();
        if queue.end.is_some() {
            own.clear();
        }
        let begins = own.len() >= MANY && queue.threads < queue.most;
        if begins || own.len() > 1 && queue.waiting > 0 && queue.pending.is_empty() {
            queue.pending.extend(own.drain(..own.len() / 2));
            self.changed.notify_all();
        }
        if begins {
            match thread::Builder::new().spawn_scoped(scope, || self.work(scope, Vec::new())) {
                Ok(_) => queue.threads += 1,
                // The system has no further one: those that there are do the work.
                Err(_) => queue.most = queue.threads,
            }
        }
        let wants_more = queue.threads < queue.most || queue.waiting > 0 || queue.end.is_some();
        self.wants_more.store(wants_more, Ordering::Relaxed);
    }

    fn end(&self, why: Result<()>) {
        self.queue().end.get_or_insert(why);
        self.wants_more.store(true, Ordering::Relaxed);
        self.changed.notify_all();
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the walk where a thread panics: the others would wait for it.
struct EndOnPanic<'a>(&'a Walk<'a>);

impl Drop for EndOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.end(Ok(()));
        }
    }
}
