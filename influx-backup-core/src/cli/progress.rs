//! What people see while a job runs, and how they stop it.

use std::{future::Future, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    ByteSize, Error, EventKind, Job, Progress, Result,
    cli::{failure::Failure, screen::Screen},
};

/// How often the progress bar is drawn again.
const DRAW_EVERY: Duration = Duration::from_millis(200);

/// Runs a job to its end, with a progress bar (on a terminal only) and messages on stderr.
///
/// Ctrl-C and SIGTERM cancel it in good order; a second one ends the program at once, which harms no backup either.
pub(crate) async fn follow<T>(job: Job<T>, screen: &Screen) -> Result<T, Failure> {
    let bar = bar(screen);
    let handle = job.handle();
    let mut events = job.events();
    let mut draw = tokio::time::interval(DRAW_EVERY);
    let mut asked = false;
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(event) => show(&bar, screen, &event.kind),
                None => break,
            },
            _ = draw.tick() => draw_progress(&bar, &handle.progress()),
            () = interrupted() => {
                if asked {
                    // The job is dropped, which cancels it; nothing is waited for.
                    let Progress { objects: done, total_objects: total, .. } = handle.progress();
                    return Err(Error::Cancelled { done, total }.into());
                }
                asked = true;
                bar.suspend(|| screen.say("cancelling; interrupt again to stop at once"));
                handle.cancel();
            }
        }
    }
    bar.finish_and_clear();
    job.await.map_err(|error| Failure::of_job(&handle, &error))
}

/// Runs what is no job until it is done or cancelled.
pub(crate) async fn until_interrupted<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        done = work => done,
        () = interrupted() => Err(Error::Cancelled { done: 0, total: 0 }),
    }
}

async fn interrupted() {
    #[cfg(unix)]
    if let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        return;
    }
    // Where signals cannot be heard, the operating system ends the program itself.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn bar(screen: &Screen) -> ProgressBar {
    let target = if screen.has_bar() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(0), target);
    let template = "{msg:24!} [{bar:30}] {prefix}  {binary_bytes}/{binary_total_bytes}  {binary_bytes_per_sec}  {eta}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.enable_steady_tick(DRAW_EVERY);
    bar
}

fn draw_progress(bar: &ProgressBar, progress: &Progress) {
    bar.set_length(progress.total_bytes);
    bar.set_position(progress.bytes);
    bar.set_prefix(match progress.total_objects {
        0 => format!("{} objects listed", progress.listed),
        total => format!("{}/{total} objects", progress.objects),
    });
}

fn show(bar: &ProgressBar, screen: &Screen, event: &EventKind) {
    if let EventKind::StageStarted { stage, .. } = event {
        bar.set_message(stage.title());
    }
    if let Some(message) = message(event) {
        bar.suspend(|| screen.say(message));
    }
}

/// What is worth a line while it happens; findings and what is left to do are in the report.
fn message(event: &EventKind) -> Option<String> {
    Some(match event {
        EventKind::PassStarted { pass, listed, objects, bytes } => {
            format!("pass {pass}: {listed} objects listed, {objects} to copy ({})", ByteSize(*bytes))
        }
        EventKind::PassFinished { pass, report } if !report.failed_clauses.is_empty() => {
            let codes: Vec<_> = report.failed_clauses.iter().map(|clause| clause.as_str()).collect();
            format!("pass {pass}: still violated: {}", codes.join(", "))
        }
        EventKind::Retry { key, attempt, wait, code } => {
            format!("`{key}`: {code}, attempt {attempt}; trying again in {:.1} s", wait.as_secs_f64())
        }
        EventKind::CheckStarted { objects, bytes } => {
            format!("checking {objects} objects of the backup first ({})", ByteSize(*bytes))
        }
        EventKind::GuardSet => "boot guard set: no server starts on the target until it is whole".to_owned(),
        EventKind::GuardReleased => "boot guard released: servers may start on the target".to_owned(),
        EventKind::NodeStopped { node } => format!("node {node} stopped"),
        EventKind::NodeStarted { node } => format!("node {node} started"),
        _ => return None,
    })
}
