//! What a restore says of how far it is.

use std::sync::{Mutex, OnceLock};

use Generation::{V2, V3};

use super::{claims::cancelled, *};
use crate::{
    JobHandle, Orchestrator,
    copier::default_copiers,
    error::Source,
    event::{self, Progress},
    testing::generate::License,
};

/// The progress of a restore at its end, with the copiers that count bytes.
async fn at_the_end(bed: &Bed, how: &How) -> (RestoreReport, Progress) {
    let job = bed.request(how).with_copier(default_copiers()).start();
    let handle = job.handle();
    let report = job.await.expect("restored");
    (report, handle.progress())
}

fn assert_all_done(progress: &Progress) {
    let done = (progress.objects, progress.bytes);
    assert_eq!(done, (progress.total_objects, progress.total_bytes), "{progress}");
}

#[tokio::test(start_paused = true)]
async fn the_comparison_before_the_first_write_counts() {
    let bed = Bed::new(&core(2), &[V3]).await.holding(&core(4), &[V3]).await;
    let how = quick(RestoreOptions::replace());
    let plan = bed.plan(&how).await.expect("planned");
    let copied: u64 = plan.stages().map(Stage::objects).sum();
    let stored: u64 = bed.backup.objects().map(|record| record.stored.size).sum();
    let (_, progress) = at_the_end(&bed, &how).await;
    assert_eq!(progress.total_objects, bed.backup.objects().len() as u64 + copied);
    assert_eq!(progress.total_bytes, stored + plan.bytes());
    assert_all_done(&progress);
}

#[tokio::test(start_paused = true)]
async fn a_resumed_restore_counts_what_was_finished() {
    let bed = Bed::new(&core(2), &[V3]).await;
    cancelled(&bed).await;
    let (report, progress) = at_the_end(&bed, &quick(RestoreOptions::empty()).resuming()).await;
    assert!(report.resumed > 0);
    assert_all_done(&progress);
}

/// Only the release is left of a restore that skips a license.
#[tokio::test(start_paused = true)]
async fn what_was_finished_before_is_at_most_what_is_restored() {
    let cluster = Generate::enterprise("c1").nodes(["n1"]).license(License::Commercial);
    for writes in 0.. {
        let bed = Bed::new(&cluster, &[V2]).await;
        bed.store.die_after(writes);
        bed.restore(&quick(RestoreOptions::empty())).await.expect_err("killed");
        bed.store.live();
        if bed.inspect().await.is_releasing() {
            let report = bed.restore(&alone(RestoreOptions::empty()).resuming()).await.expect("resumed");
            assert_eq!((report.licenses_skipped.len(), report.resumed), (1, report.objects));
            return;
        }
    }
}

/// Notes what the restore says that it does while servers are stopped and started.
#[derive(Debug, Default)]
struct Noting {
    restore: OnceLock<JobHandle>,
    phases: Mutex<Vec<event::Phase>>,
}

impl Noting {
    fn note(&self) -> Result<(), Source> {
        let restore = self.restore.get().expect("it runs");
        self.phases.lock().expect("no panic").push(restore.progress().phase);
        Ok(())
    }
}

#[async_trait]
impl Orchestrator for Noting {
    async fn stop(&self, _: &Node) -> Result<(), Source> {
        self.note()
    }

    async fn stopped(&self, _: &Node) -> Result<bool, Source> {
        Ok(true)
    }

    async fn start(&self, _: &Node) -> Result<(), Source> {
        self.note()
    }
}

#[tokio::test(start_paused = true)]
async fn servers_are_stopped_and_started_in_the_first_phase() {
    let bed = Bed::new(&core(2), &[V3]).await.holding(&core(4), &[V3]).await;
    let servers = Arc::new(Noting::default());
    let job = bed.request(&quick(RestoreOptions::replace())).with_orchestrator(Arc::clone(&servers) as _).start();
    servers.restore.set(job.handle()).expect("once");
    job.await.expect("restored");
    assert_eq!(*servers.phases.lock().expect("no panic"), [event::Phase::Preparing; 2]);
}
