//! The program as another user.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::{PermissionsExt, chown},
    path::Path,
    process::Command,
};

use crate::needs;

/// A user that need not have a name.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) user: u32,
    pub(crate) group: u32,
    /// Further groups.
    pub(crate) groups: Vec<u32>,
}

impl Account {
    /// With a group of the same number. `None` after the test has been reported as not run.
    #[track_caller]
    pub(crate) fn new(user: u32) -> Option<Self> {
        needs::program("setpriv")?;
        needs::root().then_some(Self { user, group: user, groups: Vec::new() })
    }

    /// Also in this group.
    pub(crate) fn in_group(mut self, group: u32) -> Self {
        self.groups.push(group);
        self
    }

    /// The same command by this user. Its program is taken from `scratch`, which everyone can enter afterwards: where it was
    /// built may be closed to others.
    pub(crate) fn runs(&self, command: &Command, scratch: &Path) -> Command {
        fs::set_permissions(scratch, fs::Permissions::from_mode(0o755)).expect("set");
        let program = scratch.join("program");
        if !program.exists() {
            install(command.get_program(), &program);
        }
        let mut own = Command::new("setpriv");
        own.args([format!("--reuid={}", self.user), format!("--regid={}", self.group)]);
        let groups: Vec<_> = self.groups.iter().map(ToString::to_string).collect();
        match groups.is_empty() {
            true => own.arg("--clear-groups"),
            false => own.arg(format!("--groups={}", groups.join(","))),
        };
        own.arg(program).args(command.get_args()).env("HOME", scratch);
        for (name, value) in command.get_envs().filter_map(|(name, value)| Some((name, value?))) {
            own.env(name, value);
            if name == "LD_PRELOAD" {
                let shim = scratch.join("shim.so");
                install(value, &shim);
                own.env(name, shim);
            }
        }
        own
    }

    /// Gives a tree to this user.
    pub(crate) fn owns(&self, path: &Path) {
        chown(path, Some(self.user), Some(self.group)).expect("given");
        if path.is_dir() {
            fs::read_dir(path).expect("a directory").for_each(|entry| self.owns(&entry.expect("an entry").path()));
        }
    }
}

/// Copies a program for everyone. By another process: what this one has open for writing, each process that another test starts
/// at the same moment has open, too, for a while, and such a file cannot be run.
fn install(from: &OsStr, to: &Path) {
    let installed =
        Command::new("install").args(["-m", "755"]).args([from, to.as_os_str()]).status().expect("install runs");
    assert!(installed.success(), "{}", to.display());
}
