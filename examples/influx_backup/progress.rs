//! What people see while a job runs, and how they stop it.

use std::{future::Future, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use influx_backup_core::{ByteSize, Error, Event, Job, Result};

use crate::{exit::Exit, screen::Screen};

/// Runs a job to its end: events become a progress bar (on a terminal only) and messages on stderr.
///
/// Ctrl-C and SIGTERM cancel it in good order; a second one ends the program at once, which harms no backup either.
pub(crate) async fn follow<T>(mut job: Job<T>, screen: Screen) -> Result<T> {
    let bar = bar(screen);
    let mut asked = false;
    loop {
        tokio::select! {
            event = job.next_event() => match event {
                Some(event) => show(&bar, screen, &event),
                None => break,
            },
            () = interrupted() => {
                if asked {
                    std::process::exit(Exit::Cancelled as i32);
                }
                asked = true;
                bar.suspend(|| screen.say("cancelling; once more to end at once"));
                job.cancel();
            }
        }
    }
    bar.finish_and_clear();
    job.await
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

fn bar(screen: Screen) -> ProgressBar {
    let target = match screen {
        // Hides itself where stderr is no terminal.
        Screen::People => ProgressDrawTarget::stderr(),
        Screen::Machines => ProgressDrawTarget::hidden(),
    };
    let bar = ProgressBar::with_draw_target(Some(0), target);
    let template = "{msg:24!} [{bar:30}] {prefix}  {binary_bytes}/{binary_total_bytes}  {binary_bytes_per_sec}  {eta}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn show(bar: &ProgressBar, screen: Screen, event: &Event) {
    match event {
        Event::StageStarted { stage, .. } => bar.set_message(stage.title()),
        Event::Progress { objects, bytes, total_objects, total_bytes } => {
            bar.set_length(*total_bytes);
            bar.set_position(*bytes);
            bar.set_prefix(format!("{objects}/{total_objects} objects"));
        }
        event => {
            if let Some(message) = message(event) {
                bar.suspend(|| screen.say(message));
            }
        }
    }
}

/// What is worth a line while it happens; findings and what is left to do are in the report.
fn message(event: &Event) -> Option<String> {
    Some(match event {
        Event::PassStarted { pass, listed, objects, bytes } => {
            format!("pass {pass}: {listed} objects listed, {objects} to copy ({})", ByteSize(*bytes))
        }
        Event::PassFinished { pass, report } if !report.failed_clauses.is_empty() => {
            let codes: Vec<_> = report.failed_clauses.iter().map(|clause| clause.code()).collect();
            format!("pass {pass}: still violated: {}", codes.join(", "))
        }
        Event::Retry { key, attempt, wait, code } => {
            format!("`{key}`: {code}, attempt {attempt}; trying again in {:.1} s", wait.as_secs_f64())
        }
        Event::CheckStarted { objects, bytes } => {
            format!("checking {objects} objects of the backup first ({})", ByteSize(*bytes))
        }
        Event::GuardSet => "boot guard set: no server starts on the target until it is whole".to_owned(),
        Event::GuardReleased => "boot guard released: servers may start on the target".to_owned(),
        Event::NodeStopped { node } => format!("node {node} stopped"),
        Event::NodeStarted { node } => format!("node {node} started"),
        _ => return None,
    })
}
