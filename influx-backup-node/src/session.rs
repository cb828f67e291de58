//! [`Session`]: the jobs of one environment of Node, the main thread or a worker.

use std::time::Duration;

use napi::{Env, Result};
use napi_derive::napi;
use tokio::{sync::watch, time::timeout};

use crate::runtime;

/// How long the end of an environment waits for its jobs.
const LONGEST_END: Duration = Duration::from_secs(1);

/// The jobs of one environment. Its end cancels them and waits for them, a second at most.
#[napi]
#[derive(Debug, Clone)]
pub struct Session(watch::Sender<Work>);

#[derive(Debug, Default)]
struct Work {
    jobs: usize,
    is_ending: bool,
}

#[napi]
impl Session {
    /// Once per environment.
    #[napi(constructor)]
    pub fn new(env: Env) -> Result<Self> {
        let session = Self(watch::Sender::new(Work::default()));
        env.add_env_cleanup_hook(session.clone(), |session| session.end())?;
        Ok(session)
    }

    /// Cancels the jobs and waits for them. Node calls no hook of a main thread that ends by `process.exit` or an exception.
    #[napi]
    pub fn end(&self) {
        let work = &self.0;
        work.send_modify(|work| work.is_ending = true);
        if work.borrow().jobs > 0
            && let Ok(runtime) = runtime::handle()
        {
            // What takes longer goes on until the process ends.
            let is_over =
                async { timeout(LONGEST_END, work.subscribe().wait_for(|work| work.jobs == 0)).await.is_ok() };
            runtime.block_on(is_over);
        }
    }
}

impl Session {
    /// Counts a job as long as it goes on.
    pub(crate) fn begin(&self) -> Ongoing {
        self.0.send_modify(|work| work.jobs += 1);
        Ongoing(self.0.clone())
    }
}

/// A job that goes on.
#[derive(Debug)]
pub(crate) struct Ongoing(watch::Sender<Work>);

impl Ongoing {
    /// Waits until the environment ends.
    pub(crate) async fn ending(&self) {
        // The sender is this one.
        let _ = self.0.subscribe().wait_for(|work| work.is_ending).await;
    }
}

impl Drop for Ongoing {
    fn drop(&mut self) {
        self.0.send_modify(|work| work.jobs -= 1);
    }
}
