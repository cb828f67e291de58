//! What a user would pick instead, with a store of S3's kind at one end or at both.

use std::process::{Command, Stdio};

/// A program that copies to, from and within S3. Credentials and region come from the environment.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rival {
    AwsSync,
    S5cmd,
    Rclone,
}

/// Those of them that this machine has; the first is what the others are compared with.
pub(crate) fn installed() -> impl Iterator<Item = Rival> {
    [Rival::AwsSync, Rival::S5cmd, Rival::Rclone].into_iter().filter(|rival| rival.is_installed())
}

impl Rival {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AwsSync => "aws s3 sync",
            Self::S5cmd => "s5cmd cp",
            Self::Rclone => "rclone copy",
        }
    }

    fn is_installed(self) -> bool {
        let (program, version) = match self {
            Self::AwsSync => ("aws", "--version"),
            Self::S5cmd => ("s5cmd", "version"),
            Self::Rclone => ("rclone", "version"),
        };
        let status = Command::new(program).arg(version).stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    }

    /// Copies everything below one place to another: paths or `s3://` URLs.
    pub(crate) fn copy(self, endpoint: &str, from: &str, to: &str) {
        let mut command = match self {
            Self::AwsSync => {
                let mut aws = Command::new("aws");
                aws.args(["--endpoint-url", endpoint, "s3", "sync", "--only-show-errors", from, to]);
                aws
            }
            Self::S5cmd => {
                let mut s5cmd = Command::new("s5cmd");
                s5cmd.args(["--endpoint-url", endpoint, "--log", "error", "cp"]);
                s5cmd.args([format!("{from}/*"), format!("{to}/")]);
                s5cmd
            }
            Self::Rclone => {
                let remote =
                    |place: &str| place.strip_prefix("s3://").map_or(place.to_owned(), |at| format!("s3:{at}"));
                let mut rclone = Command::new("rclone");
                rclone.args(["--config", "/dev/null", "copy", "--transfers", "16", "--checkers", "16"]);
                rclone.args([remote(from), remote(to)]);
                rclone.env("RCLONE_CONFIG_S3_TYPE", "s3").env("RCLONE_CONFIG_S3_PROVIDER", "Minio");
                rclone.env("RCLONE_CONFIG_S3_ENV_AUTH", "true").env("RCLONE_CONFIG_S3_ENDPOINT", endpoint);
                rclone
            }
        };
        let status = command.stdout(Stdio::null()).status().expect("the program starts");
        assert!(status.success(), "{command:?} failed");
    }
}
