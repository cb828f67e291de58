//! What a user would pick instead.

use std::process::{Command, Stdio};

use influx_backup_benches::Minio;

/// A program that copies, with the settings that its documentation advises for many objects, or its defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    Cp,
    CpSync,
    Rsync,
    Cat,
    Rclone,
    S5cmd,
    Aws,
    S3sync,
    /// No rival: what the system alone takes.
    Floor,
    FloorSync,
}

impl Peer {
    /// In the order of the tables.
    pub(crate) const ALL: [Self; 10] = [
        Self::Cp,
        Self::CpSync,
        Self::Rsync,
        Self::Floor,
        Self::FloorSync,
        Self::Cat,
        Self::S5cmd,
        Self::S3sync,
        Self::Rclone,
        Self::Aws,
    ];
    /// Those that copy directories.
    pub(crate) const OF_FILES: [Self; 6] =
        [Self::Cp, Self::CpSync, Self::Rsync, Self::Floor, Self::FloorSync, Self::Rclone];
    /// Those that copy to, from or within a store.
    pub(crate) const OF_STORES: [Self; 4] = [Self::S5cmd, Self::S3sync, Self::Rclone, Self::Aws];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Cp => "cp -r",
            Self::CpSync => "cp -r, sync -f",
            Self::Rsync => "rsync -a",
            Self::Cat => "cat",
            Self::Rclone => "rclone copy",
            Self::S5cmd => "s5cmd cp",
            Self::Aws => "aws s3 sync",
            Self::S3sync => "s3sync",
            Self::Floor => "floor",
            Self::FloorSync => "floor, sync -f",
        }
    }

    /// Whether the copy is on disk at its end.
    pub(crate) const fn is_durable(self) -> bool {
        matches!(self, Self::CpSync | Self::FloorSync)
    }

    /// Its version, or `None` where this machine has no such program.
    pub(crate) fn version(self) -> Option<String> {
        let (program, version) = match self {
            Self::Cp | Self::CpSync => ("cp", "--version"),
            Self::Rsync => ("rsync", "--version"),
            Self::Cat => ("cat", "--version"),
            Self::Rclone => ("rclone", "version"),
            Self::S5cmd => ("s5cmd", "version"),
            Self::Aws => ("aws", "--version"),
            Self::S3sync => ("s3sync", "--version"),
            Self::Floor | Self::FloorSync => ("floor", "--version"),
        };
        let output = Command::new(program).arg(version).stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or("").to_owned())
    }

    /// The command that copies all that is below one place to another: directories or `s3://` URLs.
    pub(crate) fn command(self, from: &str, to: &str, minio: Option<&Minio>) -> Command {
        let endpoint = minio.map(Minio::endpoint).unwrap_or_default();
        let mut command = match self {
            Self::Cp => built("cp", &["-r", from, to]),
            Self::CpSync => built("sh", &["-c", r#"cp -r "$1" "$2" && sync -f "$2""#, "sh", from, to]),
            // With a slash at the end it copies what is inside.
            Self::Rsync => built("rsync", &["-a", &format!("{from}/"), to]),
            Self::Floor => built("floor", &[from, to]),
            Self::FloorSync => built("floor", &["--durable", from, to]),
            Self::Cat => built("find", &[from, "-type", "f", "-exec", "cat", "{}", "+"]),
            // `--checksum` and `--fast-list` are what it recommends for S3: no HEAD for the time of an object, and listings of
            // 1,000 keys. Its default of 4 transfers is for few and large files.
            Self::Rclone => {
                let remote =
                    |place: &str| place.strip_prefix("s3://").map_or(place.to_owned(), |at| format!("s3:{at}"));
                let settings = ["--transfers", "16", "--checkers", "16", "--checksum", "--fast-list"];
                let mut rclone = built("rclone", &["copy", &remote(from), &remote(to)]);
                rclone
                    .args(settings)
                    .args(["--config", "/dev/null"])
                    .envs([("RCLONE_CONFIG_S3_TYPE", "s3"), ("RCLONE_CONFIG_S3_PROVIDER", "Minio")])
                    .envs([("RCLONE_CONFIG_S3_ENV_AUTH", "true"), ("RCLONE_CONFIG_S3_ENDPOINT", &endpoint)]);
                rclone
            }
            // 256 workers, by default.
            Self::S5cmd => built(
                "s5cmd",
                &["--endpoint-url", &endpoint, "--log", "error", "cp", &format!("{from}/*"), &format!("{to}/")],
            ),
            Self::Aws => built("aws", &["--endpoint-url", &endpoint, "s3", "sync", "--only-show-errors", from, to]),
            // With its checks, which are on by default. The others copy within a store without being told.
            Self::S3sync => {
                let mut s3sync = built("s3sync", &[]);
                if from.starts_with("s3://") && to.starts_with("s3://") {
                    s3sync.arg("--server-side-copy");
                }
                for (side, place) in [("source", from), ("target", to)] {
                    if place.starts_with("s3://") {
                        s3sync.args([format!("--{side}-endpoint-url"), endpoint.clone()]);
                        s3sync.arg(format!("--{side}-force-path-style"));
                    }
                }
                s3sync.args([from, to].map(|place| format!("{place}/")));
                s3sync
            }
        };
        if let Some(minio) = minio {
            minio.give_to(&mut command);
        }
        command
    }
}

fn built(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}
