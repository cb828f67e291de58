//! A backup or a restore in a process of its own: this test binary again, with its orders in the environment.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use influx_backup_core::{
    DiscoverOptions, Error, Repository, Restore, RestoreOptions, RestoreRunOptions, discover, options::Policy,
};
use serde::{Deserialize, Serialize};

use super::{
    NAME,
    kill::{Killer, Moment},
    one_by_one, options, place,
};

const ORDERS: &str = "INFLUX_BACKUP_CRASH_ORDERS";

/// The name of the test that is the other process: [`run_if_ordered`] is all it does.
const PROCESS: &str = "a_process_of_its_own";

/// What a process is to do, and at which write it is to die.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Orders {
    pub(crate) verb: Verb,
    /// The cluster that is backed up, or the target that is restored.
    pub(crate) cluster: PathBuf,
    pub(crate) repository: PathBuf,
    /// The write, counted from 1; 0: it lives.
    pub(crate) write: u64,
    pub(crate) moment: Moment,
    /// The pause before each copy.
    pub(crate) pause: Duration,
    /// It waits until this file is there.
    pub(crate) go: Option<PathBuf>,
    /// Where it writes what became of it.
    pub(crate) outcome: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Verb {
    Backup,
    Restore(Policy),
}

/// What became of a process that lived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CopyOutcome {
    /// `ok`, or the code of its error.
    pub(crate) code: String,
    /// How often it wrote.
    pub(crate) writes: u64,
}

impl Orders {
    /// Orders without a death.
    pub(crate) fn new(verb: Verb, cluster: &Path, repository: &Path, outcome: &Path) -> Self {
        let cluster = cluster.to_owned();
        let repository = repository.to_owned();
        let outcome = outcome.to_owned();
        let write = 0;
        let moment = Moment::Before;
        let pause = Duration::ZERO;
        let go = None;
        Self { verb, cluster, repository, write, moment, pause, go, outcome }
    }

    pub(crate) fn dying_at(self, write: u64, moment: Moment) -> Self {
        Self { write, moment, ..self }
    }

    /// Starts the process.
    pub(crate) fn start(&self) -> Child {
        let mut command = Command::new(std::env::current_exe().expect("this test"));
        command.args(["--ignored", "--exact", PROCESS, "--test-threads=1", "--quiet"]);
        command.env(ORDERS, serde_json::to_string(self).expect("serializes"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("started")
    }

    /// Runs the process to its end: what became of it, or `None` where it was killed.
    pub(crate) fn run(&self) -> Option<CopyOutcome> {
        use std::os::unix::process::ExitStatusExt;
        let status = self.start().wait().expect("waited");
        match status.signal() {
            Some(9) => None,
            _ => {
                assert!(status.success(), "{self:?}: {status}");
                Some(self.outcome())
            }
        }
    }

    /// What a process that lived wrote down.
    pub(crate) fn outcome(&self) -> CopyOutcome {
        let bytes = std::fs::read(&self.outcome).expect("an outcome");
        serde_json::from_slice(&bytes).expect("an outcome")
    }

    async fn obey(&self) {
        while self.go.as_ref().is_some_and(|go| !go.exists()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let killer = Killer::at(self.write, self.moment);
        let done = match self.verb {
            Verb::Backup => self.back_up(&killer).await,
            Verb::Restore(policy) => self.restore(&killer, policy).await,
        };
        let code = done.map_or_else(|error| error.code().to_owned(), |()| "ok".to_owned());
        let outcome = CopyOutcome { code, writes: killer.writes() };
        std::fs::write(&self.outcome, serde_json::to_vec(&outcome).expect("serializes")).expect("written");
    }

    async fn back_up(&self, killer: &std::sync::Arc<Killer>) -> Result<(), Error> {
        let cluster = discover(&place(&self.cluster), &DiscoverOptions::default()).await?;
        let repository = Repository::open(killer.through(&place(&self.repository))).await?;
        repository.backup(&cluster, options()).with_copier(killer.copier(self.pause)).start().await.map(drop)
    }

    async fn restore(&self, killer: &std::sync::Arc<Killer>, policy: Policy) -> Result<(), Error> {
        let backup = Repository::open(place(&self.repository)).await?.get(NAME).await?;
        let target = killer.through(&place(&self.cluster));
        let run = RestoreRunOptions::servers_stopped().with_limits(one_by_one());
        let restore = Restore::new(backup, target, RestoreOptions::default().with_policy(policy));
        restore.with_run_options(run).with_copier(killer.copier(self.pause)).start().await.map(drop)
    }
}

/// Does what the environment orders, if it orders anything.
pub(crate) fn run_if_ordered() {
    let Ok(orders) = std::env::var(ORDERS) else { return };
    let orders: Orders = serde_json::from_str(&orders).expect("orders");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(orders.obey());
}
