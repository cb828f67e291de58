use std::{
    collections::{BTreeSet, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread::{self, ThreadId},
};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::Utc;

use super::*;
use crate::{
    Limits, Location, StoreOptions,
    cancellation::Cancellation,
    concurrent,
    copier::{Copied, Copier, CopyContext, CopyRequest, LocalCopier},
    execute::{CopySink, Executor, Places},
    key::Key,
    layout::Component,
    location::{ObjectMeta, Version},
    plan::{PlaceRole, Stage, StageKind},
};

fn task(number: usize, size: u64) -> CopyTask {
    let version = Version { e_tag: None, id: None, modified: Utc::now() };
    let key = Key::parse(format!("n/wal/{number}")).expect("a key");
    CopyTask::new(PlaceRole::Source, ObjectMeta { key, size, version }, Component::Wal)
}

/// How many each batch has.
fn batches(sizes: &[u64], workers: usize, is_small: fn(&CopyTask) -> bool) -> Vec<usize> {
    let tasks: Vec<_> = sizes.iter().enumerate().map(|(number, size)| task(number, *size)).collect();
    let mut queue = Queue::new(tasks.clone().into_iter(), sizes.len() as u64);
    let taken: Vec<_> =
        std::iter::from_fn(|| Some(queue.take(workers, is_small)).filter(|it| !it.is_empty())).collect();
    assert_eq!(taken.concat(), tasks);
    taken.iter().map(Vec::len).collect()
}

#[test]
fn a_batch_is_large_where_there_is_enough_for_all_workers() {
    assert_eq!(batches(&[1; 200], 1, |_| true), [64, 64, 64, 8]);
    assert_eq!(batches(&[1; 8], 4, |_| true), [2, 1, 1, 1, 1, 1, 1]);
    assert_eq!(batches(&[1; 4], 4, |_| true), [1; 4]);
    assert_eq!(batches(&[MAX_BYTES - 1, 1, 1, MAX_BYTES, MAX_BYTES + 1, 0], 1, |_| true), [2, 1, 1, 1, 1]);
    assert_eq!(batches(&[1, 2, 1, 1], 1, |task| task.expect.size == 1), [1, 1, 2]);
}

#[test]
fn what_was_put_back_comes_first() {
    let mut queue = Queue::new((0..3).map(|number| task(number, 1)), 3);
    let taken = queue.take(1, |_| true);
    assert_eq!(taken.len(), 3);
    let again: BTreeSet<_> = taken.iter().map(|task| task.to.clone()).collect();
    queue.put_back(taken);
    assert_eq!(queue.take(1, |_| true).iter().map(|task| task.to.clone()).collect::<BTreeSet<_>>(), again);
}

/// Copies files, one of which waits at first.
#[derive(Debug, Default)]
struct Waits {
    asked: AtomicU32,
    threads: Mutex<HashSet<ThreadId>>,
}

const WAITS: &str = "n/wal/40";

#[async_trait]
impl Copier for Waits {
    async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> Result<Copied, CopyError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if request.target.as_str() == WAITS {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        } else {
            let here = thread::current().id();
            let there = concurrent::blocking(|| thread::current().id()).await.expect("it ends");
            assert_eq!(here, there, "no change of threads");
            self.threads.lock().expect("unpoisoned").insert(here);
        }
        LocalCopier::default().copy(request, context).await
    }
}

#[derive(Default)]
struct Keys(Vec<Key>);

#[async_trait]
impl CopySink for Keys {
    async fn on_finished(&mut self, task: &CopyTask, outcome: CopyOutcome) -> crate::Result<()> {
        assert!(matches!(outcome, CopyOutcome::Copied(_)), "{outcome:?}");
        self.0.push(task.to.clone());
        Ok(())
    }
}

#[tokio::test]
async fn small_files_are_copied_on_threads_that_may_block_and_each_once() {
    let place = tempfile::tempdir().expect("a directory");
    let at = |name: &str| {
        let path = place.path().join(name);
        Location::parse(path.to_str().expect("UTF-8"), &StoreOptions::default()).expect("a directory")
    };
    let (from, to) = (at("from"), at("to"));
    for number in 0..100 {
        let key = Key::parse(format!("n/wal/{number}")).expect("a key");
        from.put(&key, Bytes::from(vec![7; number])).await.expect("put");
    }
    let objects = from.list("").await.expect("listed").into_iter();
    let tasks = objects.map(|object| CopyTask::new(PlaceRole::Source, object, Component::Wal));
    let stage = Stage::new(StageKind::Wal, None, tasks);
    let places = Places::new(to.clone()).with(PlaceRole::Source, from);
    let (copier, mut keys) = (Arc::new(Waits::default()), Keys::default());
    let limits = Limits::default().with_concurrency(2);
    let executor = Executor::new(Arc::clone(&copier) as _, limits, Cancellation::new());
    executor.stage(&stage, &places, &mut keys).await.expect("copied");
    assert_eq!(copier.asked.load(Ordering::Relaxed), 100);
    assert!(!copier.threads.lock().expect("unpoisoned").contains(&thread::current().id()));
    let copied: BTreeSet<_> = keys.0.iter().cloned().collect();
    assert_eq!((keys.0.len(), copied.len(), to.list("").await.expect("listed").len()), (100, 100, 100));
}
