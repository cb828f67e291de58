//! What a user would pick instead.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use influx_backup_core::limits::Durability;

/// A program that copies directories.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rival {
    pub(crate) name: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
}

/// The AWS command line copies nothing from directory to directory, and s5cmd neither: they are compared on a store.
const KNOWN: [Rival; 2] = [
    Rival { name: "rclone copy", program: "rclone", arguments: &["copy", "--transfers", "16"] },
    Rival { name: "rsync -a", program: "rsync", arguments: &["-a"] },
];

/// Those of them that this machine has.
pub(crate) fn installed() -> impl Iterator<Item = Rival> {
    let has = |program: &str| {
        Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    };
    KNOWN.into_iter().filter(move |rival| has(rival.program))
}

impl Rival {
    pub(crate) fn copy(self, from: &Path, to: &Path) {
        // With a slash at the end rsync copies what is inside.
        let from = from.join("");
        run(Command::new(self.program).args(self.arguments).arg(from).arg(to));
    }
}

/// `cp -r`, and `sync` where the copy has to be on disk.
pub(crate) fn cp(from: &Path, to: &Path, durability: Durability) {
    run(Command::new("cp").arg("-r").arg(from).arg(to));
    if durability == Durability::Durable {
        run(Command::new("sync").arg("-f").arg(to));
    }
}

fn run(command: &mut Command) {
    let status = command.stdout(Stdio::null()).status().expect("the program starts");
    assert!(status.success(), "{command:?} failed");
}
