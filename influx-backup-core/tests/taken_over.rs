//! Processes that were suspended, and go on when another has taken over and committed.
#![cfg(feature = "testing")]

mod meddling;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use influx_backup_core::{
    BackupOptions, DiscoverOptions, Job, Location, Repository, VerifyOptions,
    backup::BackupReport,
    discover,
    location::Identity,
    location::interop::object_store::{ObjectStore, memory::InMemory, path::Path},
    options::Takeover,
    testing::fault::{Fault, FaultPlan, FaultyStore, Hold, Op, Rule, Scope, When},
};
use meddling::{Source, core, options};
use tokio::runtime::{Builder, Runtime};

/// Longer than a holder may be silent.
const SUSPENDED: Duration = Duration::from_secs(700);

/// A process, which runs only while the test lets it, with a clock of its own.
fn process() -> Runtime {
    Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime")
}

fn place(store: Arc<dyn ObjectStore>, base: &str) -> Location {
    Location::with_store(store, Path::from(base), Identity::Test)
}

async fn start(source: &Location, vault: &Arc<InMemory>, options: BackupOptions) -> Job<BackupReport> {
    let repository = Repository::open(place(Arc::clone(vault) as _, "vault")).await.expect("a repository");
    let cluster = discover(source, &DiscoverOptions::default()).await.expect("a cluster");
    repository.backup(&cluster, options).start()
}

/// Suspended where it has read an object, it would write the older content; where the object changes under its copy, it
/// would delete it.
#[test]
fn who_was_suspended_changes_nothing_of_a_committed_backup() {
    for held in [Op::Get, Op::Head] {
        let (first, second) = (process(), process());
        let vault = Arc::new(InMemory::new());
        let source = second.block_on(async {
            let (source, _) = Source::of(&core()).await;
            source.put("node1/note", Bytes::from_static(b"one")).await;
            source
        });
        let hold = Hold::default();
        let job = first.block_on(async {
            let note = Scope::of(held).containing("node1/note");
            let plan = FaultPlan::none().with(Rule::new(note, When::Nth(1), Fault::Hold(hold.clone())));
            let store = FaultyStore::new(Arc::clone(&source.0) as _, plan);
            start(&place(Arc::new(store), "data"), &vault, options()).await
        });
        first.block_on(hold.reached());
        second.block_on(async {
            source.put("node1/note", Bytes::from_static(b"two")).await;
            let resuming = options().resuming().with_takeover(Takeover::Immediately);
            start(&source.location(), &vault, resuming).await.await.expect("the second run commits");
        });
        let error = first.block_on(async {
            // The copy goes on before any timer of the process is looked at.
            hold.release();
            tokio::time::advance(SUSPENDED).await;
            job.await.expect_err("taken over")
        });
        assert_eq!(error.code(), "lease-lost", "{held:?}");
        let verified = second.block_on(async {
            let repository = Repository::open(place(Arc::clone(&vault) as _, "vault")).await.expect("a repository");
            repository.verify("n1", VerifyOptions::bytes()).await.expect("verified")
        });
        assert!(verified.passed(), "{held:?}: {:?}", verified.problems);
    }
}
