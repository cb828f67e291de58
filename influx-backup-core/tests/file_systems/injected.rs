//! System calls that fail, whoever makes them.

use std::{path::PathBuf, process::Command};

use rustix::io::Errno;

use crate::needs;

/// The command in which these system calls fail, in all its threads. `strace` does what the kernel would, and writes each call
/// to `log`, those that fail with `(INJECTED)`. `None` after the test has been reported as not run.
#[track_caller]
pub(crate) fn injected(command: &Command, calls: &[(&str, Errno)], log: &str) -> Option<Command> {
    let strace = tracer()?;
    let mut traced = Command::new(strace);
    let names: Vec<_> = calls.iter().map(|(call, _)| *call).collect();
    traced.args(["-f", "-qq", "-o", log, "-e", &format!("trace={}", names.join(","))]);
    for (call, errno) in calls {
        traced.args(["-e", &format!("inject={call}:error={}", errno.raw_os_error())]);
    }
    traced.arg(command.get_program()).args(command.get_args());
    traced.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Some(traced)
}

#[track_caller]
fn tracer() -> Option<PathBuf> {
    let strace = needs::program("strace")?;
    let tried = Command::new(&strace).args(["-qq", "-o", "/dev/null", "true"]).output().expect("strace starts");
    if !tried.status.success() {
        needs::not_run("strace may not trace here");
        return None;
    }
    Some(strace)
}
