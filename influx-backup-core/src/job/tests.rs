use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::{queue::LANE_CAPACITY, *};
use crate::{
    event::{Event, EventKind, Phase},
    key::Key,
    plan::StageKind,
};

fn deleted(number: u64) -> EventKind {
    EventKind::Deleted { key: Key::parse(format!("n/dbs/{number}")).expect("a key") }
}

const FINISHED: EventKind = EventKind::Finished { error: None };

const MILESTONE: EventKind = EventKind::StageFinished { stage: StageKind::Wal };

async fn all(mut events: Events) -> Vec<Event> {
    let mut read = Vec::new();
    while let Some(event) = events.next().await {
        read.push(event);
    }
    read
}

/// Every number is there once, counting what was missed. Returns how many events there were.
fn count_without_gaps(events: &[Event]) -> u64 {
    let mut next = 1;
    for event in events {
        assert_eq!(event.seq, next);
        next += match event.kind {
            EventKind::Lagged { missed } => missed,
            _ => 1,
        };
    }
    next - 1
}

/// A job that runs until it is cancelled.
fn endless() -> Job<()> {
    spawn(|context| async move {
        context.cancellation.cancelled().await;
        Err(context.cancelled())
    })
}

#[tokio::test]
async fn a_million_events_that_are_not_read_stay_in_bounded_memory() {
    let job = spawn(|context| async move {
        for number in 0..500_000 {
            context.events.send(deleted(number));
            context.events.send(MILESTONE);
        }
        Ok(())
    });
    let events = job.events();
    let queue = Arc::clone(&job.queue);
    let handle = job.handle();
    job.await.expect("the job ends");
    assert_eq!(queue.len(), 2 * LANE_CAPACITY + 1, "and the progress");
    assert_eq!(handle.progress().deleted, 500_000);

    let events = all(events).await;
    assert_eq!(count_without_gaps(&events), 1_000_002);
    assert_eq!(events[0].kind, EventKind::Lagged { missed: 1_000_001 - 2 * LANE_CAPACITY as u64 });
    let last: Vec<_> = events[events.len() - 4..].iter().map(|event| event.kind.clone()).collect();
    let progress = EventKind::Progress(handle.progress());
    assert_eq!(
        last,
        [deleted(499_999), MILESTONE, progress, FINISHED],
        "the newest are kept, in the order in which they were sent"
    );
}

#[tokio::test]
async fn a_flood_of_object_events_drops_no_milestone() {
    let job = spawn(|context| async move {
        context.events.send(MILESTONE);
        (0..10_000).for_each(|number| context.events.send(deleted(number)));
        Ok(())
    });
    let events = job.events();
    job.await.expect("done");
    let events = all(events).await;
    assert_eq!(count_without_gaps(&events), 10_003);
    assert!(events.iter().any(|event| event.kind == MILESTONE));
}

#[tokio::test]
async fn a_reader_that_keeps_up_misses_nothing() {
    let job = spawn(|context| async move {
        for number in 0..10_000 {
            context.events.send(deleted(number));
            tokio::task::yield_now().await;
        }
        Ok(())
    });
    let events = all(job.events()).await;
    assert_eq!(count_without_gaps(&events), 10_002);
    assert!(events.iter().take(10_000).zip(0..).all(|(event, number)| event.kind == deleted(number)));
    assert!(events.is_sorted_by_key(|event| event.at));
    job.await.expect("done");
}

#[tokio::test]
async fn progress_that_is_not_read_is_replaced_by_the_newest() {
    let job = spawn(|context| async move {
        context.events.planned(3, 30);
        for _ in 0..3 {
            std::thread::sleep(Duration::from_millis(120));
            context.events.add_bytes(10);
        }
        Ok(())
    });
    let events = job.events();
    let handle = job.handle();
    job.await.expect("done");
    let events = all(events).await;
    assert_eq!(events.len(), 2, "{events:?}");
    assert_eq!(events[0].kind, EventKind::Progress(handle.progress()));
    assert_eq!(events[0].seq, 1, "what is replaced is not missed");
    assert_eq!(events[1].kind, FINISHED);
    assert_eq!((handle.progress().bytes, handle.progress().total_bytes), (30, 30));
}

#[tokio::test]
async fn object_events_are_counted_and_sent_only_where_asked_for() {
    let run = |context: RunContext| async move {
        context.events.send(deleted(1));
        context.events.send(MILESTONE);
        Ok(())
    };
    let kinds = |events: Vec<Event>| {
        let kinds = events.into_iter().map(|event| event.kind);
        kinds.filter(|kind| !matches!(kind, EventKind::Progress(_) | EventKind::Finished { .. })).collect::<Vec<_>>()
    };
    for (asked, expected) in
        [(ObjectEvents::Counted, vec![MILESTONE]), (ObjectEvents::Sent, vec![deleted(1), MILESTONE])]
    {
        let job = spawn_on(&Handle::current(), asked, Span::none(), run);
        assert_eq!(kinds(all(job.events()).await), expected);
        assert_eq!(job.handle().progress().deleted, 1);
        job.await.expect("done");
    }
}

#[tokio::test]
async fn a_handle_works_from_another_thread_while_a_task_reads_the_events() {
    let job = spawn(|context| async move {
        context.events.planned(7, 70);
        context.events.add_object();
        context.events.send(MILESTONE);
        context.cancellation.cancelled().await;
        Err::<(), _>(context.cancelled())
    });
    let (begun, began) = tokio::sync::oneshot::channel();
    let mut events = job.events();
    let reader = tokio::spawn(async move {
        let first = events.next().await.expect("an event");
        begun.send(()).expect("waited for");
        (first, all(events).await.len())
    });
    let handle = job.handle();
    began.await.expect("begun");
    let cancelled = tokio::task::spawn_blocking(move || {
        let progress = handle.progress();
        assert!(!handle.is_finished());
        handle.cancel();
        (progress.objects, progress.total_objects)
    });
    assert_eq!(cancelled.await.expect("no panic"), (1, 7));
    let handle = job.handle();
    let error = job.await.expect_err("cancelled");
    assert!(matches!(error, Error::Cancelled { done: 1, total: 7 }), "{error:?}");
    assert!(handle.is_finished());
    let (first, rest) = reader.await.expect("no panic");
    assert_eq!((first.kind, rest), (MILESTONE, 2), "the last two are its progress and its end");
}

#[tokio::test(start_paused = true)]
async fn dropping_a_job_cancels_it() {
    let job = endless();
    let events = job.events();
    let handle = job.handle();
    sleep(Duration::from_secs(60)).await;
    assert!(!handle.is_finished());
    drop(job);
    timeout(Duration::from_secs(1), all(events)).await.expect("it ends");
    sleep(Duration::from_millis(1)).await;
    assert!(handle.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_detached_job_runs_on() {
    let handle = endless().detach();
    sleep(Duration::from_secs(60)).await;
    assert!(!handle.is_finished());
    handle.cancel();
    sleep(Duration::from_millis(1)).await;
    assert!(handle.is_finished());
}

#[tokio::test]
async fn only_the_first_stream_has_the_events() {
    let job = spawn(|context| async move {
        context.events.send(MILESTONE);
        Ok(())
    });
    let first = job.events();
    assert_eq!(all(job.events()).await, []);
    assert_eq!(all(first).await.len(), 3);
    assert_eq!(all(job.events()).await, []);
    job.await.expect("done");
}

#[tokio::test]
async fn events_of_a_reader_that_left_are_not_kept() {
    let job = spawn(|context| async move {
        (0..100).for_each(|number| context.events.send(deleted(number)));
        Ok(())
    });
    drop(job.events());
    let queue = Arc::clone(&job.queue);
    job.await.expect("done");
    assert_eq!(queue.len(), 0);
}

#[tokio::test]
async fn a_run_that_panics_is_an_error_and_ends_its_events() {
    let job = spawn(|context| async move {
        if context.check().is_ok() {
            panic!("on purpose");
        }
        Ok(())
    });
    let handle = job.handle();
    let report = finished(all(job.events()).await).expect("an error");
    assert_eq!((report.code.as_str(), &report.causes[..]), ("internal", &["it panicked: on purpose".to_owned()][..]));
    assert!(handle.is_finished());
    assert_eq!(job.await.expect_err("the panic").report(), report);
}

/// The error of the last event, which is the end of the job. The one before it is the last progress.
fn finished(events: Vec<Event>) -> Option<ErrorReport> {
    let is_end = |event: &&Event| matches!(event.kind, EventKind::Finished { .. });
    assert_eq!(events.iter().filter(is_end).count(), 1, "{events:?}");
    let mut kinds = events.into_iter().rev().map(|event| event.kind);
    let Some(EventKind::Finished { error }) = kinds.next() else { panic!("the end is not the last event") };
    assert!(matches!(kinds.next(), Some(EventKind::Progress(_))), "its last progress comes before it");
    error.map(|error| *error)
}

#[tokio::test(start_paused = true)]
async fn every_end_of_a_job_is_its_last_event() {
    let done = spawn(|_| async { Ok(()) });
    assert_eq!(finished(all(done.events()).await), None);

    let cancelled = endless();
    cancelled.handle().cancel();
    assert_eq!(finished(all(cancelled.events()).await).expect("an error").code, "cancelled");

    let dropped = endless();
    let events = dropped.events();
    drop(dropped);
    assert_eq!(finished(all(events).await).expect("an error").code, "cancelled");

    let detached = endless();
    let events = detached.events();
    let handle = detached.detach();
    sleep(Duration::from_secs(60)).await;
    handle.cancel();
    handle.finished().await;
    assert!(handle.is_finished());
    assert_eq!(finished(all(events).await).expect("an error").code, "cancelled");
}

#[test]
fn a_job_whose_runtime_stops_has_an_end_too() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let job = spawn_on(runtime.handle(), ObjectEvents::Counted, Span::none(), |_| std::future::pending::<Result<()>>());
    let (events, handle) = (job.events(), job.handle());
    drop(runtime);
    assert!(handle.is_finished());
    assert_eq!(finished(futures::executor::block_on(all(events))).expect("an error").code, "internal");
}

#[tokio::test]
async fn the_last_progress_is_that_of_the_end() {
    let job = spawn(|context| async move {
        context.events.planned(3, 30);
        (0..3).for_each(|_| context.events.add_object());
        Ok(())
    });
    let (events, handle) = (job.events(), job.handle());
    job.await.expect("done");
    let events = all(events).await;
    let EventKind::Progress(last) = &events[events.len() - 2].kind else { panic!("{events:?}") };
    assert_eq!((last.objects, last), (3, &handle.progress()), "{events:?}");
}

#[tokio::test]
async fn progress_says_what_the_job_is_doing() {
    let stage = StageKind::Wal;
    let job = spawn(move |context| async move {
        let events = &context.events;
        let handle = |kind| {
            events.send(kind);
            let Progress { phase, pass, stage, .. } = events.progress();
            (phase, pass, stage)
        };
        let pass_started = EventKind::PassStarted { pass: 2, listed: 1, objects: 1, bytes: 1 };
        assert_eq!(handle(pass_started), (Phase::Copying, Some(2), None));
        let stage_started = EventKind::StageStarted { stage, objects: 1, bytes: 1 };
        assert_eq!(handle(stage_started), (Phase::Copying, Some(2), Some(stage)));
        assert_eq!(handle(EventKind::StageFinished { stage }), (Phase::Copying, Some(2), None));
        events.set_phase(Phase::Listing);
        assert_eq!(events.progress().phase, Phase::Listing);
        Ok(())
    });
    let handle = job.handle();
    job.await.expect("done");
    let ended = handle.progress();
    sleep(Duration::from_millis(5)).await;
    assert_eq!(handle.progress(), ended, "its time stands still");
}

#[tokio::test]
async fn a_job_that_fails_tells_what_it_found() {
    let found = Finding::new(crate::finding::FindingCode::BootGuard, "the guard may stand");
    let sent = found.clone();
    let job = spawn(|context| async move {
        context.events.report(sent);
        Err::<(), _>(context.cancelled())
    });
    let (events, handle) = (job.events(), job.handle());
    let error = job.await.expect_err("cancelled");
    assert_eq!(handle.findings(), std::slice::from_ref(&found));
    assert_eq!(handle.report(&error).findings, std::slice::from_ref(&found));
    let events = all(events).await;
    assert!(events.iter().any(|event| event.kind == EventKind::Finding(found.clone())));
    assert_eq!(finished(events), Some(handle.report(&error)));
    let text = handle.report(&error).to_string();
    assert_eq!(text, "error [cancelled]: cancelled\n  to do [boot-guard]: the guard may stand");
}

#[test]
fn a_job_can_be_started_on_a_runtime_from_outside() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let job = spawn_on(runtime.handle(), ObjectEvents::Counted, Span::none(), |_| async { Ok(7) });
    assert_eq!(runtime.block_on(job).expect("done"), 7);
}

#[test]
fn jobs_may_be_held_by_any_thread() {
    fn is_send_and_static<T: Send + 'static>() {}
    is_send_and_static::<Job<()>>();
    is_send_and_static::<JobHandle>();
    is_send_and_static::<Events>();
}

#[test]
fn requests_may_be_started_from_any_thread() {
    fn is_send_and_static<T: Send + Sync + 'static>() {}
    is_send_and_static::<crate::backup::BackupRequest>();
    is_send_and_static::<crate::certify::CertifyRequest>();
    is_send_and_static::<Request<crate::Cluster>>();
    is_send_and_static::<crate::restore::Restore>();
}

#[test]
fn an_event_is_one_flat_object_of_json_and_comes_back() {
    let at = "2026-01-02T03:04:05Z".parse().expect("a time");
    let event = |kind| Event { seq: 3, at, kind };
    let progress = Progress { objects: 1, total_objects: 2, ..Progress::default() };
    let kinds = [
        (MILESTONE, r#"{"seq":3,"at":"2026-01-02T03:04:05Z","event":"stage_finished","stage":"wal"}"#),
        (EventKind::Lagged { missed: 9 }, r#"{"seq":3,"at":"2026-01-02T03:04:05Z","event":"lagged","missed":9}"#),
        (
            EventKind::Progress(progress),
            concat!(
                r#"{"seq":3,"at":"2026-01-02T03:04:05Z","event":"progress","phase":"preparing","pass":null,"#,
                r#""stage":null,"elapsed_ms":0,"listed":0,"objects":1,"bytes":0,"total_objects":2,"#,
                r#""total_bytes":0,"vanished":0,"changed":0,"retries":0,"deleted":0}"#
            ),
        ),
    ];
    for (kind, json) in kinds {
        let event = event(kind);
        assert_eq!(serde_json::to_string(&event).expect("serialized"), json);
        assert_eq!(serde_json::from_str::<Event>(json).expect("read"), event);
    }
}
