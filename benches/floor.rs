//! What the system alone takes for a copy of a directory that is looked at as a backup looks: the least that a program can take.
//!
//! It lists the source, copies each file under another name and renames it, lists the source again, and lists the copy. It
//! checks nothing, and a thread per processor does it. What a copier takes above this is its own work; what this takes, the
//! kernel's.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, available_parallelism},
};

use clap::Parser;

#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Have it on disk at the end, by one `sync -f`.
    #[arg(long)]
    durable: bool,
    from: PathBuf,
    to: PathBuf,
}

fn main() -> io::Result<()> {
    let Arguments { durable, from, to } = Arguments::parse();
    walk(&from, &|_| Ok(()), &|_| Ok(()))?;
    let target = |path: &Path| to.join(path.strip_prefix(&from).unwrap_or(path));
    walk(&from, &|directory| fs::create_dir(target(directory)), &|file| copy(file, &target(file)))?;
    if durable && !Command::new("sync").arg("-f").arg(&to).status()?.success() {
        return Err(io::Error::other("sync -f"));
    }
    walk(&from, &|_| Ok(()), &|_| Ok(()))?;
    walk(&to, &|_| Ok(()), &|_| Ok(()))
}

/// By reading and writing, as what is copied is to be checked: the bytes have to pass through.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = fs::File::open(from)?;
    let mut name = to.as_os_str().to_owned();
    name.push("#1");
    let mut target = fs::File::create_new(&name)?;
    let mut block = vec![0; usize::try_from(source.metadata()?.len()).unwrap_or(usize::MAX).min(1 << 20)];
    loop {
        match io::Read::read(&mut source, &mut block)? {
            0 => break,
            read => io::Write::write_all(&mut target, &block[..read])?,
        }
    }
    drop(target);
    fs::rename(name, to)
}

type Do<'a> = &'a (dyn Fn(&Path) -> io::Result<()> + Sync);

/// Directories that are still to be read, and how many threads read one.
#[derive(Debug)]
struct Pending {
    directories: Vec<PathBuf>,
    reading: usize,
    failed: Option<io::Error>,
}

/// Looks at all that is below a directory, by as many threads as there are processors.
fn walk(root: &Path, on_directory: Do<'_>, on_file: Do<'_>) -> io::Result<()> {
    let pending = Mutex::new(Pending { directories: vec![root.to_owned()], reading: 0, failed: None });
    let changed = Condvar::new();
    thread::scope(|scope| {
        for _ in 0..available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(directory) = next(&pending, &changed) {
                    let found = read(&directory, on_directory, on_file);
                    let mut pending = lock(&pending);
                    pending.reading -= 1;
                    match found {
                        Ok(found) => pending.directories.extend(found),
                        Err(error) => pending.failed = Some(error),
                    }
                    changed.notify_all();
                }
            });
        }
    });
    lock(&pending).failed.take().map_or(Ok(()), Err)
}

/// The next directory; `None` at the end.
fn next(pending: &Mutex<Pending>, changed: &Condvar) -> Option<PathBuf> {
    let mut pending = lock(pending);
    loop {
        if pending.failed.is_some() {
            return None;
        }
        if let Some(directory) = pending.directories.pop() {
            pending.reading += 1;
            return Some(directory);
        }
        if pending.reading == 0 {
            return None;
        }
        pending = changed.wait(pending).unwrap_or_else(PoisonError::into_inner);
    }
}

/// The directories in a directory.
fn read(directory: &Path, on_directory: Do<'_>, on_file: Do<'_>) -> io::Result<Vec<PathBuf>> {
    on_directory(directory)?;
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        // By the descriptor of its directory; the kind and the size of all are looked at.
        if entry.metadata()?.is_dir() {
            found.push(entry.path());
        } else {
            on_file(&entry.path())?;
        }
    }
    Ok(found)
}

fn lock(pending: &Mutex<Pending>) -> MutexGuard<'_, Pending> {
    pending.lock().unwrap_or_else(PoisonError::into_inner)
}
