//! Passes, stages and retries show in a subscriber of the caller's: in a process of its own, as the first subscriber decides
//! for all threads which events are worth asking for.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use influx_backup_core::{
    BackupOptions, Copier, DiscoverOptions, Location, Repository, StoreOptions, VerifyOptions,
    copier::{Copied, CopyContext, CopyRequest},
    default_copiers, discover,
    error::{CopyError, StoreErrorKind},
    testing::generate::Generate,
};

fn at(path: &Path) -> Location {
    Location::parse(path.to_str().expect("UTF-8"), &StoreOptions::default()).expect("a location")
}

/// Fails the first copy of all.
#[derive(Debug, Default)]
struct FailsOnce(AtomicBool);

#[async_trait]
impl Copier for FailsOnce {
    async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> std::result::Result<Copied, CopyError> {
        if !self.0.swap(true, Ordering::Relaxed) {
            return Err(CopyError::store(None, "put", StoreErrorKind::Unreachable, std::io::Error::other("no route")));
        }
        default_copiers().copy(request, context).await
    }
}

/// What was traced, as lines.
#[derive(Debug, Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("unpoisoned").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn passes_stages_and_retries_are_traced() {
    let root = tempfile::tempdir().expect("a directory");
    let data = root.path().join("data");
    Generate::core("node1").generate_into(&data).expect("generated");
    let cluster = discover(&at(&data), &DiscoverOptions::default()).await.expect("a cluster");
    let repository = Repository::open(at(&root.path().join("backups"))).await.expect("opened");
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).expect("the first subscriber of this process");
    let options = BackupOptions::default().with_name("a");
    repository.backup(&cluster, options).with_copier(Arc::new(FailsOnce::default())).await.expect("backed up");
    repository.verify("a", VerifyOptions::bytes()).await.expect("verified");

    let text = String::from_utf8(lines.0.lock().expect("unpoisoned").clone()).expect("UTF-8");
    let line = |what: &str| text.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("{what}: {text}"));
    assert!(line("pass started").contains("pass=1"), "{text}");
    assert!(line("stage started").contains("objects="), "{text}");
    let retry = line("retrying");
    assert!(retry.contains("attempt=1") && retry.contains("code=\"unreachable\""), "{retry}");
    assert!(retry.contains("stage{") && retry.contains("object{key="), "within its stage and its object: {retry}");
    assert!(line("committed").contains("name=\"a\""), "{text}");
    for verb in ["backup", "verify"] {
        let job = format!("job{{verb=\"{verb}\" of=a}}");
        let ends = text.lines().find(|line| line.contains(&job) && line.ends_with(" done"));
        assert!(ends.is_some(), "{verb}: {text}");
    }
}
