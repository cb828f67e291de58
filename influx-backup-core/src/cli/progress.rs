//! What people see while a job runs, and how they stop it.

use std::{future::Future, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    Error, EventKind, Job, Progress, Result,
    cli::{failure::Failure, screen::Screen},
    event::Phase,
    finding::Finding,
};

/// How often the progress bar is drawn again.
const DRAW_EVERY: Duration = Duration::from_millis(200);

/// What is said where nothing else would show for a while.
const WAITING: &str = "waiting, a minute at most: requests that were cut off may still take effect";

/// How many steps the bar has.
const BAR_STEPS: u64 = 1000;

/// Runs a job to its end, with a progress bar (on a terminal only) and messages on stderr.
///
/// It is cancelled in good order where the caller asks for that; a second time ends the program at once, which harms no
/// backup either.
pub(crate) async fn follow<T>(job: Job<T>, screen: &Screen) -> Result<T, Failure> {
    Ok(follow_to_end(job, screen).await?.0)
}

/// The same for a verb whose answer has no place for findings: each is a note on stderr. Where the job fails, they are in
/// its error.
pub(crate) async fn follow_with_notes<T>(job: Job<T>, screen: &Screen) -> Result<T, Failure> {
    let (done, findings) = follow_to_end(job, screen).await?;
    findings.iter().for_each(|note| screen.say(format_args!("note [{}]: {}", note.code, note.message)));
    Ok(done)
}

/// Runs a job to its end. Returns what it has found too, in order.
async fn follow_to_end<T>(job: Job<T>, screen: &Screen) -> Result<(T, Vec<Finding>), Failure> {
    let bar = bar(screen);
    let handle = job.handle();
    let mut events = job.events();
    let mut draw = tokio::time::interval(DRAW_EVERY);
    let stop = screen.stop();
    let mut is_cancelled = false;
    let mut findings = Vec::new();
    let mut phase = None;
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(event) => match event.kind {
                    EventKind::Finding(finding) => findings.push(finding),
                    EventKind::Progress(progress) => {
                        let before = phase.replace(progress.phase);
                        if progress.phase == Phase::Waiting && before != phase {
                            bar.suspend(|| screen.say(WAITING));
                        }
                    }
                    kind => show(&bar, screen, &kind),
                },
                None => break,
            },
            _ = draw.tick() => draw_progress(&bar, &handle.progress()),
            () = stop.asked.cancelled(), if !is_cancelled => {
                is_cancelled = true;
                bar.suspend(|| screen.say("cancelling; once more to end at once"));
                handle.cancel();
            }
            () = stop.at_once.cancelled() => {
                // The job is dropped, which cancels it; nothing is waited for.
                let Progress { objects: done, total_objects: total, .. } = handle.progress();
                return Err(Error::Cancelled { done, total }.into());
            }
        }
    }
    bar.finish_and_clear();
    let done = job.await.map_err(|error| Failure::of_job(&handle, &error))?;
    Ok((done, findings))
}

/// Runs what is no job until it is done or cancelled.
pub(crate) fn until_interrupted<T>(
    work: impl Future<Output = Result<T>>,
    screen: &Screen,
) -> impl Future<Output = Result<T>> {
    let done = screen.stop().asked.run_until_cancelled(work);
    async { done.await.unwrap_or(Err(Error::Cancelled { done: 0, total: 0 })) }
}

fn bar(screen: &Screen) -> ProgressBar {
    let target = if screen.has_bar() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(BAR_STEPS), target);
    let template = "[{bar:30}] {msg}  {eta}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.enable_steady_tick(DRAW_EVERY);
    bar
}

fn draw_progress(bar: &ProgressBar, progress: &Progress) {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "0 to 1000"
    )]
    let position = (progress.fraction().unwrap_or_default() * BAR_STEPS as f64) as u64;
    bar.set_position(position);
    bar.set_message(progress.to_string());
}

fn show(bar: &ProgressBar, screen: &Screen, event: &EventKind) {
    if is_message(event) {
        bar.suspend(|| screen.say(event));
    }
}

/// What is worth a line while it happens; findings and what is left to do are in the report.
fn is_message(event: &EventKind) -> bool {
    match event {
        EventKind::PassFinished { report, .. } => !report.failed_clauses.is_empty(),
        EventKind::PassStarted { .. }
        | EventKind::Retry { .. }
        | EventKind::CheckStarted { .. }
        | EventKind::GuardSet
        | EventKind::GuardReleased
        | EventKind::NodeStopped { .. }
        | EventKind::NodeStarted { .. } => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex},
    };

    use super::*;
    use crate::{
        cli::{screen::Streams, stop::Stop},
        finding::FindingCode,
        lease::{Clock, Lease, LeaseScope, highest},
    };

    /// A stream whose text can be looked at.
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Shared {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().expect("no panic").clone()).expect("text")
        }
    }

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn whoever_insists_is_told_the_real_numbers() {
        let stop = Stop::default();
        let screen = Screen::new(true, Streams::new(Vec::new(), Vec::new()), stop.clone());
        let job = crate::job::spawn(|context| async move {
            context.events.planned(7, 70);
            context.events.add_object();
            context.cancellation.cancelled().await;
            std::future::pending::<Result<()>>().await
        });
        stop.ask();
        stop.ask();
        tokio::task::yield_now().await;
        let failure = follow(job, &screen).await.expect_err("cancelled");
        assert_eq!(failure.report().message, "cancelled after 1 of 7 objects");
    }

    #[tokio::test]
    async fn what_a_job_finds_is_a_note_on_stderr() {
        for json in [false, true] {
            let (answers, messages) = (Shared::default(), Shared::default());
            let screen = Screen::new(json, Streams::new(answers.clone(), messages.clone()), Stop::default());
            let job = crate::job::spawn(|context| async move {
                context.events.report(Finding::new(FindingCode::NotSeen, "half-written objects are not seen"));
                Ok(())
            });
            follow_with_notes(job, &screen).await.expect("done");
            assert_eq!(messages.text(), "note [not-seen]: half-written objects are not seen\n", "json: {json}");
            assert_eq!(answers.text(), "", "stdout is the answer's");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_is_said_once() {
        let messages = Shared::default();
        let screen = Screen::new(false, Streams::new(Vec::new(), messages.clone()), Stop::default());
        let location = crate::Location::in_memory();
        let job = crate::job::spawn(move |context| async move {
            let take = |before: Option<crate::lease::LeaseState>| {
                let location = location.clone();
                async move { Lease::take(&location, LeaseScope::Target, Some("c1"), before.as_ref()).await }
            };
            drop(take(None).await?);
            let killed = highest(&location, &LeaseScope::Target, Clock::Local).await?;
            let lease = take(killed).await?;
            context.settled(&lease).await?;
            context.settled(&lease).await
        });
        follow(job, &screen).await.expect("done");
        assert_eq!(messages.text(), format!("{WAITING}\n"));
    }

    /// Asked for between two events, of which one is always ready.
    #[tokio::test]
    async fn a_job_that_never_stops_sending_is_cancelled() {
        let stop = Stop::default();
        let screen = Screen::new(true, Streams::new(Vec::new(), Vec::new()), stop.clone());
        let job = crate::job::spawn(|context| async move {
            while context.check().is_ok() {
                context.events.send(EventKind::GuardSet);
                tokio::task::yield_now().await;
            }
            Err::<(), _>(context.cancelled())
        });
        stop.ask();
        assert_eq!(follow(job, &screen).await.expect_err("cancelled").report().code, "cancelled");
        let done = until_interrupted(std::future::pending::<Result<()>>(), &screen).await;
        assert_eq!(done.expect_err("cancelled").code(), "cancelled", "what comes after it too");
    }
}
