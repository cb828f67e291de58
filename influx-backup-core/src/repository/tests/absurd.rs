//! What no caller should give: the longest durations, the largest numbers, a copier and a store that panic.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use super::{looks::*, *};
use crate::{
    ByteSize, Limits,
    copier::{Copied, Copier, CopyContext, CopyRequest},
    error::{CopyError, Error},
    limits::Retry,
    options::Passes,
    testing::fault::{Failure, Fault, Rule, Scope, When},
};

/// A copier with a bug.
#[derive(Debug)]
struct Panics;

#[async_trait]
impl Copier for Panics {
    async fn copy(&self, _: &CopyRequest, _: &CopyContext) -> Result<Copied, CopyError> {
        panic!("on purpose")
    }
}

fn is_internal(error: &Error, said: &str) {
    let report = error.report();
    assert_eq!((report.code.as_str(), error.category().exit_code()), ("internal", 1), "{report:?}");
    assert!(report.causes.iter().any(|cause| cause.contains(said)), "{report:?}");
}

#[tokio::test]
async fn the_longest_durations_and_the_largest_numbers_do_not_panic() {
    let root = tempfile::tempdir().expect("a directory");
    let cluster = cluster(&root.path().join("data")).await;
    let repository = Repository::open(at(&root.path().join("backups"))).await.expect("opened");
    let mut retry = Retry::default().for_at_most(Duration::MAX).with_max_outage(Duration::MAX);
    (retry.initial_backoff, retry.max_backoff) = (Duration::MAX, Duration::MAX);
    let limits = Limits::default()
        .with_concurrency(usize::MAX)
        .with_memory(ByteSize(u64::MAX))
        .with_bandwidth(ByteSize(u64::MAX))
        .with_stall_timeout(Duration::MAX)
        .with_retry(retry);
    let options = named("a")
        .with_limits(limits.clone())
        .with_passes(Passes::until_closed(u32::MAX, Duration::MAX))
        .with_stop_timeout(Duration::MAX);
    repository.backup(&cluster, options).await.expect("backed up");
    let verified = repository.verify("a", VerifyOptions::bytes().with_limits(limits)).await.expect("verified");
    assert!(verified.passed(), "{verified}");
}

#[tokio::test]
async fn a_copier_that_panics_is_an_error() {
    let root = tempfile::tempdir().expect("a directory");
    let cluster = cluster(&root.path().join("data")).await;
    let repository = Repository::open(at(&root.path().join("backups"))).await.expect("opened");
    let job = repository.backup(&cluster, named("a")).with_copier(Arc::new(Panics)).start();
    let handle = job.handle();
    is_internal(&job.await.expect_err("the panic"), "on purpose");
    assert!(handle.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_panics_is_an_error() {
    let (_, repository, _) = bed().await;
    let rule = Rule::new(Scope::any(), When::Always, Fault::Fail(Failure::Panic));
    let opened = checked(through(repository.location(), rule));
    is_internal(&opened.list().await.expect_err("the panic"), "injected");
    is_internal(&opened.verify("a", VerifyOptions::bytes()).await.expect_err("the panic"), "injected");
}
