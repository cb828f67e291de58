//! [`Cost`]: what a process takes.

use std::{
    fmt, io,
    io::{Read, Seek},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use wait4::Wait4;

/// What a process takes, from its start to its end, with the processes that it starts and waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// By the clock.
    pub wall: Duration,
    /// Of the processors, in user and system mode.
    pub processor: Duration,
    /// The highest resident size, in bytes.
    pub memory: u64,
}

impl Cost {
    /// Runs a program to its end.
    ///
    /// # Errors
    ///
    /// Where it does not start, or says that it failed; then with what it wrote to stderr.
    pub fn of(command: &mut Command) -> io::Result<Self> {
        let mut errors = tempfile::tempfile()?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors.try_clone()?);
        let began = Instant::now();
        let ended = command.spawn()?.wait4()?;
        let wall = began.elapsed();
        if ended.status.success() {
            return Ok(Self { wall, processor: ended.rusage.utime + ended.rusage.stime, memory: ended.rusage.maxrss });
        }
        let mut written = String::new();
        errors.rewind()?;
        errors.read_to_string(&mut written)?;
        // Without its environment, which has keys.
        let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
        let (program, arguments) = (command.get_program().to_string_lossy(), arguments.join(" "));
        Err(io::Error::other(format!("{program} {arguments}: {}: {}", ended.status, written.trim())))
    }

    /// The [`median`] of each of the three.
    #[must_use]
    pub fn median(costs: &[Self]) -> Option<Self> {
        Some(Self {
            wall: median(costs.iter().map(|cost| &cost.wall))?,
            processor: median(costs.iter().map(|cost| &cost.processor))?,
            memory: median(costs.iter().map(|cost| &cost.memory))?,
        })
    }

    /// The highest resident size, in MiB.
    #[must_use]
    pub const fn mib(&self) -> u64 {
        self.memory.div_ceil(1 << 20)
    }
}

/// The median; of an even number the lower one.
pub fn median<'a, T: Ord + Copy + 'a>(all: impl IntoIterator<Item = &'a T>) -> Option<T> {
    let mut all: Vec<_> = all.into_iter().copied().collect();
    all.sort_unstable();
    all.get(all.len().saturating_sub(1) / 2).copied()
}

/// `wall / processor / memory`, in seconds, seconds and MiB, as a cell of a table.
impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [wall, processor] = [self.wall, self.processor].map(|took| took.as_secs_f64());
        // What takes less than a second has its digits behind the point.
        let digits = if wall < 1.0 { 2 } else { 1 };
        write!(f, "{wall:.digits$} / {processor:.digits$} / {}", self.mib())
    }
}
