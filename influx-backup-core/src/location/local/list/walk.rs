//! A walk through a directory and all that is below it, by several threads where that is much.

use std::{
    path::Path as FilePath,
    sync::{
        Condvar, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, Scope},
};

use super::{How, Listed, Looks, ObjectMeta, ObjectTable, Place, Seen};
use crate::{error::Result, table::Builder};

/// How many threads a walk has at most: file servers answer several at a time. Nodes are listed at once, each by a walk of its own.
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
    let queue = Queue { pending: Vec::new(), threads: 1, most: THREADS, waiting: 0 };
    let found = Listed::<()>::default().with(ObjectTable::builder());
    let walk = Walk {
        root,
        how,
        on_entry,
        queue: Mutex::new(queue),
        changed: Condvar::new(),
        wants_more: AtomicBool::new(true),
        end: OnceLock::new(),
        found: Mutex::new(found),
    };
    thread::scope(|scope| walk.work(scope, start));
    walk.end.into_inner().unwrap_or(Ok(()))?;
    let Listed { found, passed, mut unlisted } = walk.found.into_inner().unwrap_or_else(PoisonError::into_inner);
    unlisted.sort_by(|one, other| one.name.cmp(&other.name));
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
    /// No further directory is read: all were, there is an error, a thread panicked, or no caller waits for the listing.
    end: OnceLock<Result<()>>,
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
            if self.has_ended() {
                break;
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
            if self.has_ended() {
                break;
            }
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
            if self.has_ended() {
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
        let wants_more = queue.threads < queue.most || queue.waiting > 0;
        self.wants_more.store(wants_more, Ordering::Relaxed);
    }

    fn end(&self, why: Result<()>) {
        // The first reason counts.
        let _ = self.end.set(why);
        // A thread that found no end holds this until it waits: none misses the call.
        drop(self.queue());
        self.changed.notify_all();
    }

    fn has_ended(&self) -> bool {
        self.end.get().is_some()
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

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeSet, HashSet},
        fs,
        path::PathBuf,
        time::Duration,
    };

    use super::{
        super::super::super::linked::LinkRule,
        super::{Unfit, link},
        *,
    };

    const STRICT: How = How { links: LinkRule::Never, unfit: Unfit::Refuse };

    /// So many directories that more than one thread reads them, with two files each.
    fn many(root: &FilePath) -> (BTreeSet<String>, Vec<PathBuf>) {
        let directories: Vec<_> = (0..3 * MANY).map(|number| root.join(format!("{number}/below"))).collect();
        let mut files = BTreeSet::new();
        for directory in &directories {
            fs::create_dir_all(directory).expect("made");
            for name in ["1", "2"] {
                fs::write(directory.join(name), "bytes").expect("written");
                let key = directory.join(name);
                files.insert(key.strip_prefix(root).expect("below").to_string_lossy().into_owned());
            }
        }
        (files, directories)
    }

    #[test]
    fn several_threads_find_each_entry_once() {
        let root = tempfile::tempdir().expect("a directory");
        let (files, _) = many(root.path());
        let threads = Mutex::new(HashSet::new());
        let another = Condvar::new();
        let on_entry = || {
            let mut threads = threads.lock().expect("no panic");
            threads.insert(thread::current().id());
            another.notify_all();
            // The first thread does not read all while the second one begins.
            let alone = |threads: &mut HashSet<_>| threads.len() < 2;
            let waited = another.wait_timeout_while(threads, Duration::from_secs(20), alone).expect("no panic");
            !waited.1.timed_out()
        };
        let found = walk(root.path(), "", &STRICT, &on_entry).expect("listed").found;
        assert_eq!(found.iter().count(), files.len());
        assert_eq!(found.iter().map(|entry| entry.key.to_string()).collect::<BTreeSet<_>>(), files);
        assert!(threads.into_inner().expect("no panic").len() >= 2);
    }

    #[cfg(unix)]
    #[test]
    fn an_error_of_any_thread_is_that_of_the_walk() {
        for number in [0, 70, 3 * MANY - 1] {
            let root = tempfile::tempdir().expect("a directory");
            let (_, directories) = many(root.path());
            let odd = directories[number].join("link");
            std::os::unix::fs::symlink("1", &odd).expect("linked");
            let error = walk(root.path(), "", &STRICT, &|| true).expect_err("a link");
            assert_eq!(error.to_string(), link(&odd, crate::error::Why::Link.as_str()).to_string());
        }
    }

    #[test]
    fn a_panic_of_any_thread_is_one_of_the_walk() {
        let root = tempfile::tempdir().expect("a directory");
        many(root.path());
        let count = Mutex::new(0);
        let on_entry = || {
            let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
            *count += 1;
            assert!(*count != 200, "the two hundredth");
            true
        };
        let walk = std::panic::AssertUnwindSafe(|| walk(root.path(), "", &STRICT, &on_entry).map(drop));
        assert!(std::panic::catch_unwind(walk).is_err());
    }
}
