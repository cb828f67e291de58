//! The command line, and the arguments that several verbs share.

use std::{env, error::Error, fs, io, path::PathBuf, str::FromStr, time::Duration};

use clap::{
    Parser,
    builder::{PossibleValuesParser, TypedValueParser},
};

use crate::{
    BackupOptions, ByteSize, DiscoverOptions, Limits,
    cli::{
        failure::Failure,
        screen::Screen,
        settings::{self, Setting},
        verbs::Verb,
    },
    limits::{Durability, Retry},
    location::Links,
    units::duration,
};

/// Backs up InfluxDB 3 clusters, proves that the backups restore, and restores them.
///
/// Every SOURCE, REPOSITORY, BACKUP and TARGET is a path or a URL: file:///path, s3://bucket/prefix,
/// az://container/prefix, gs://bucket/prefix. Credentials come from the environment (AWS_ACCESS_KEY_ID, …) or from a file:
/// --source-options-file and --target-options-file. Other users of the machine can read a command line.
///
/// Exit codes: 0 done, 1 unexpected, 2 usage, 3 degraded, 4 not consistent, 5 refused or not found, 6 store error,
/// 130 cancelled.
#[derive(Debug, Parser)]
#[command(name = "influx-backup", version, verbatim_doc_comment)]
pub(crate) struct Args {
    /// Print one JSON document on stdout, errors included.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Show passes, stages and retries as they happen. Twice: also the log of the libraries below.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// Which cluster, and which of its nodes.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Cluster and nodes")]
pub(crate) struct Ids {
    /// The cluster id [default: found].
    #[arg(long, value_name = "ID")]
    cluster_id: Option<String>,
    /// A node id; repeat it for every node [default: all nodes that are found].
    #[arg(long = "node-id", value_name = "ID")]
    node_ids: Vec<String>,
    /// A node that stores nothing; may be repeated.
    #[arg(long = "query-only", value_name = "ID")]
    query_only: Vec<String>,
    /// A node to exclude from the backup; may be repeated.
    #[arg(long = "exclude-node", value_name = "ID")]
    excluded_nodes: Vec<String>,
}

impl Ids {
    pub(crate) fn discover(self) -> DiscoverOptions {
        let Self { cluster_id, node_ids, query_only, excluded_nodes } = self;
        DiscoverOptions { cluster_id, node_ids, query_only, excluded_nodes }
    }
}

/// Options of the store that is read.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Stores")]
pub(crate) struct Source {
    /// An option of the store that is read, such as aws_endpoint=http://localhost:9000; may be repeated. Other users can
    /// see a command line: secrets belong into the environment or into a file.
    #[arg(long = "source-option", value_name = "K=V")]
    source_options: Vec<Setting>,
    /// A file with such options, one K=V a line or a JSON object. What is given beside it counts over it.
    #[arg(long, value_name = "FILE")]
    source_options_file: Option<PathBuf>,
}

impl Source {
    /// What is given, the last of one name counts.
    pub(crate) fn settings(&self, screen: &Screen) -> Result<Vec<Setting>, Failure> {
        let file = self.source_options_file.as_deref();
        let file = file.map(|file| settings::read(file, "--source-options-file", screen)).transpose()?;
        Ok(file.unwrap_or_default().into_iter().chain(self.source_options.iter().cloned()).collect())
    }
}

/// The same, and which links of a directory are followed.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Stores")]
pub(crate) struct Cluster {
    #[command(flatten)]
    source: Source,
    /// Which symbolic links of the source are followed, where it is a directory: those that end within it, those that lead
    /// anywhere, or none [default: within].
    #[arg(long, value_parser = choice::<Links>(Links::NAMES))]
    links: Option<Links>,
}

impl Cluster {
    /// All of them as options of the store.
    pub(crate) fn settings(&self, screen: &Screen) -> Result<Vec<Setting>, Failure> {
        let links = self.links.map(|links| Setting::new("file_links", links.as_str()));
        Ok(self.source.settings(screen)?.into_iter().chain(links).collect())
    }
}

/// Options of the store that is written.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Stores")]
pub(crate) struct Target {
    /// An option of the store that is written; may be repeated. For secrets see --source-option.
    #[arg(long = "target-option", value_name = "K=V")]
    target_options: Vec<Setting>,
    /// A file with such options, one K=V a line or a JSON object. What is given beside it counts over it.
    #[arg(long, value_name = "FILE")]
    target_options_file: Option<PathBuf>,
    /// The store that is written need not have conditional writes: exactly one scheduler writes there. Two runs that
    /// begin at the same moment may not notice one another.
    #[arg(long)]
    single_writer: bool,
}

impl Target {
    /// All as options of the store, the last of one name counts.
    pub(crate) fn settings(&self, screen: &Screen) -> Result<Vec<Setting>, Failure> {
        let single_writer = self.single_writer.then(|| Setting::new("object_store_single_writer", "true"));
        let file = self.target_options_file.as_deref();
        let file = file.map(|file| settings::read(file, "--target-options-file", screen)).transpose()?;
        let given = self.target_options.iter().cloned().chain(single_writer);
        Ok(file.unwrap_or_default().into_iter().chain(given).collect())
    }
}

/// The same, and who may read what is written to a directory.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Stores")]
pub(crate) struct Writable {
    #[command(flatten)]
    target: Target,
    /// The permissions of files and directories in a repository that is a directory, such as 640 or 640:750
    /// [default: 600:700, for its owner alone].
    #[arg(long, value_name = "MODE")]
    repository_mode: Option<String>,
}

impl Writable {
    /// All of them as options of the store.
    pub(crate) fn settings(&self, screen: &Screen) -> Result<Vec<Setting>, Failure> {
        let mode = self.repository_mode.as_deref().map(|mode| Setting::new("file_mode", mode));
        Ok(self.target.settings(screen)?.into_iter().chain(mode).collect())
    }
}

/// How many resources to use.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct Effort {
    #[command(flatten)]
    reads: Reads,
    /// Whether files are on disk before a stage counts as done.
    /// Durable: they are. Relaxed: left to the operating system; after power loss files may be empty.
    #[arg(long, default_value_t, value_parser = choice::<Durability>(Durability::NAMES))]
    durability: Durability,
}

impl Effort {
    pub(crate) fn limits(&self) -> Limits {
        self.reads.limits().with_durability(self.durability)
    }
}

/// The same where nothing is written.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct Reads {
    /// How many objects are copied, or verified, at once [default: 16].
    #[arg(long, value_name = "N")]
    concurrency: Option<u16>,
    /// How many bytes of objects are held in memory at once, such as 64MiB [default: 256MiB].
    #[arg(long, value_name = "SIZE")]
    memory: Option<ByteSize>,
    /// How many bytes are moved a second at most, such as 50MiB [default: no limit].
    #[arg(long, value_name = "SIZE")]
    bandwidth: Option<ByteSize>,
    /// How long one object is tried again after failures, such as 90s [default: 5m].
    /// A backup or restore whose repository or target is away for more than six minutes ends all the same, and can be
    /// resumed.
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    max_elapsed: Option<Duration>,
    /// How long a store may be away before a copy or a read fails, such as 90s [default: --max-elapsed for a backup, else
    /// 25s]. More than six minutes only helps for the source, see --max-elapsed.
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    max_outage: Option<Duration>,
    /// How long a connection may move nothing before it counts as stalled, such as 90s; at most half of --max-outage
    /// [default: 1m for a backup, else 12.5s].
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    stall_timeout: Option<Duration>,
}

impl Reads {
    pub(crate) fn limits(&self) -> Limits {
        let default = Limits::default();
        Limits {
            concurrency: self.concurrency.map_or(default.concurrency, usize::from),
            memory: self.memory.unwrap_or(default.memory),
            bandwidth: self.bandwidth,
            retry: Retry {
                max_elapsed: self.max_elapsed.unwrap_or(default.retry.max_elapsed),
                max_outage: self.max_outage,
                ..default.retry
            },
            stall_timeout: self.stall_timeout.unwrap_or(default.stall_timeout),
            ..default
        }
    }
}

/// What has to vouch for a backup.
#[derive(Debug, Default, PartialEq, clap::Args)]
#[command(next_help_heading = "Trust")]
pub(crate) struct Vouchers {
    /// The SHA-256 of the manifest that the backup printed when it was taken. Another backup, an altered one, and one without
    /// a checksum of every object are refused (exit code 4).
    #[arg(long, value_name = "DIGEST")]
    pub(crate) expect_sha256: Option<String>,
    #[command(flatten)]
    pub(crate) key: TrustedKey,
}

/// The key that has to have signed a backup.
#[derive(Debug, Default, PartialEq, clap::Args)]
#[command(next_help_heading = "Trust")]
pub(crate) struct TrustedKey {
    /// A public key of minisign, or a file of one. A backup that this key has not signed is refused (exit code 4), or listed as
    /// untrusted.
    #[arg(long, value_name = "PUBKEY")]
    trust: Option<String>,
}

impl TrustedKey {
    /// The key itself.
    pub(crate) fn read(&self) -> Result<Option<String>, Failure> {
        let read = |trust: &String| match fs::read_to_string(trust) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(trust.clone()),
            Err(error) => {
                Err(Failure::usage(format!("--trust takes a public key, or a file that can be read ({error})")))
            }
            Ok(text) => Ok(text),
        };
        self.trust.as_ref().map(read).transpose()
    }
}

/// What signs a backup.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Trust")]
pub(crate) struct Signature {
    /// The file of a secret key of minisign, which signs the manifest [default: the key that INFLUX_BACKUP_SIGN_KEY holds, if it is
    /// set]. The password of the key is taken from INFLUX_BACKUP_SIGN_PASSWORD.
    #[arg(long, value_name = "FILE")]
    sign: Option<String>,
}

impl Signature {
    /// These options, with the key and its password.
    pub(crate) fn apply(&self, options: BackupOptions) -> Result<BackupOptions, Failure> {
        let set = |variable| env::var(variable).ok().filter(|value| !value.is_empty());
        let key = match &self.sign {
            Some(file) => Some(fs::read_to_string(file).map_err(|error| {
                Failure::usage(format!("--sign takes the file of a secret key that can be read ({error})"))
            })?),
            None => set("INFLUX_BACKUP_SIGN_KEY"),
        };
        let Some(key) = key else { return Ok(options) };
        let options = options.with_sign(key);
        Ok(set("INFLUX_BACKUP_SIGN_PASSWORD").into_iter().fold(options, BackupOptions::with_sign_password))
    }
}

/// Reads one of the names of an enum of the library.
pub(crate) fn choice<T>(names: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: Error + Send + Sync> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(|name| name.parse())
}
