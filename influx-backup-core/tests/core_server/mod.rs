//! InfluxDB 3 Core servers for a test: a real one as a process, and a stand-in that answers the same calls.

mod http;
mod process;
mod stand_in;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::Deserialize;
use tokio::task::JoinHandle;

pub(crate) use self::{http::Client, process::CoreServer, stand_in::StandIn};

/// The node that servers run as.
pub(crate) const NODE: &str = "node1";

/// How many rows one write has.
const BATCH: u64 = 20;

/// A server on a directory. It dies, without a chance to tidy up, when it is dropped.
pub(crate) trait Server: Sized {
    /// Starts it and waits until it is healthy.
    ///
    /// # Errors
    /// What it said where it does not start.
    async fn start(data: &Path) -> Result<Self, String>;

    /// Where it answers.
    fn client(&self) -> Client;
}

/// What a query counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Count {
    /// Different values of `seq`.
    pub(crate) held: u64,
    /// The highest of them.
    pub(crate) newest: u64,
}

impl Count {
    /// Whether every number up to the highest is there.
    pub(crate) fn has_no_hole(self) -> bool {
        self.held == self.newest + 1
    }
}

/// The rows `seq = first..first + BATCH` in line protocol. Times advance 0.3 s a row, so that chunks close.
fn lines(first: u64) -> String {
    let line = |seq: u64| format!("m,host=a seq={seq}i {}\n", 1_760_000_000_000_000_000 + seq * 300_000_000);
    (first..first + BATCH).map(line).collect()
}

impl Client {
    /// Whether the server says that it is ready.
    pub(crate) async fn is_healthy(&self) -> bool {
        self.call("GET", "/health", "").await.is_ok_and(|(status, _)| status == 200)
    }

    /// Writes a batch of rows; `Ok(true)`: it was acknowledged.
    pub(crate) async fn write(&self, first: u64) -> std::io::Result<bool> {
        let (status, _) = self.call("POST", "/api/v3/write_lp?db=metrics&precision=nanosecond", &lines(first)).await?;
        Ok((200..300).contains(&status))
    }

    /// Counts the rows.
    pub(crate) async fn count(&self) -> Count {
        let query = "SELECT count(DISTINCT seq) AS held, max(seq) AS newest FROM m";
        let body = serde_json::json!({ "db": "metrics", "q": query, "format": "json" }).to_string();
        let (status, answer) = self.call("POST", "/api/v3/query_sql", &body).await.expect("the server answers");
        assert_eq!(status, 200, "{answer}");
        let rows: Vec<Count> = serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"));
        rows[0]
    }
}

/// Writes rows without a hole until its server is gone.
#[derive(Debug)]
pub(crate) struct Writer {
    acknowledged: Arc<AtomicU64>,
    running: JoinHandle<()>,
}

impl Writer {
    /// Writes from row `first` on.
    pub(crate) fn start(client: Client, first: u64) -> Self {
        let acknowledged = Arc::new(AtomicU64::new(first));
        let running = tokio::spawn({
            let acknowledged = Arc::clone(&acknowledged);
            async move {
                // A batch that was refused is written again: the same rows, so no hole.
                while let Ok(taken) = client.write(acknowledged.load(Ordering::SeqCst)).await {
                    acknowledged.fetch_add(if taken { BATCH } else { 0 }, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            }
        });
        Self { acknowledged, running }
    }

    /// How many rows were acknowledged so far, those before the first one included.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::SeqCst)
    }

    /// Waits until this many rows are acknowledged.
    pub(crate) async fn reach(&self, rows: u64) {
        let reached = async {
            while self.acknowledged() < rows {
                assert!(!self.running.is_finished(), "the server is gone after {} rows", self.acknowledged());
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(120), reached).await.expect("the server takes rows");
    }

    /// Waits for the end, which comes with that of the server; returns how many rows were acknowledged.
    pub(crate) async fn end(self) -> u64 {
        self.running.await.expect("the writer does not panic");
        self.acknowledged.load(Ordering::SeqCst)
    }
}
