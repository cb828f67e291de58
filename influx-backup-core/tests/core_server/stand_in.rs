//! A stand-in for a server, in this process: it answers the same calls, keeps every write in a WAL file of its own, and
//! starts as the model of a server in `testing` says. So the test itself is tested where no server is.

use std::{
    collections::BTreeSet,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use influx_backup_core::{
    location::interop::object_store::{ObjectStore, local::LocalFileSystem, path::Path as StorePath},
    testing::{generate::Generate, write},
};
use influx_backup_testing::{
    loader,
    loader::{LoadedNode, Servers, Verdict},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::{Client, NODE, Server};

/// A stand-in for a server.
#[derive(Debug)]
pub(crate) struct StandIn {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

/// What it holds.
#[derive(Debug)]
struct State {
    wal: PathBuf,
    /// The number of the last WAL file.
    last: u64,
    rows: BTreeSet<u64>,
    /// How many calls it had.
    calls: u64,
}

impl Server for StandIn {
    async fn start(data: &Path) -> Result<Self, String> {
        if !data.join(NODE).exists() {
            let empty = Generate::core(NODE).snapshots(0).wal_tail(0);
            empty.generate_into(data).map_err(|error| error.to_string())?;
        }
        let node = load(data).await?;
        let rows = node.rows.clone().ok_or("a file without rows")?;
        let wal = data.join(NODE).join("wal");
        std::fs::create_dir_all(&wal).map_err(|error| error.to_string())?;
        let state = Arc::new(Mutex::new(State { wal, last: node.recovery_wal(), rows, calls: 0 }));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that breaks off is not the server's fault.
                serve(stream, &state).await.ok();
            }
        });
        let server = Self { address, serving };
        while !server.client().is_healthy().await {
            tokio::task::yield_now().await;
        }
        Ok(server)
    }

    fn client(&self) -> Client {
        Client(self.address)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn load(data: &Path) -> Result<LoadedNode, String> {
    let store: Arc<dyn ObjectStore> =
        Arc::new(LocalFileSystem::new_with_prefix(data).map_err(|error| error.to_string())?);
    let verdict = loader::load(&store, &StorePath::default(), &Servers::core(NODE)).await;
    match verdict.map_err(|error| error.to_string())? {
        Verdict::Loaded(mut loaded) => loaded.nodes.remove(NODE).ok_or_else(|| "no node".to_owned()),
        verdict => Err(format!("{verdict:?}")),
    }
}

async fn serve(mut stream: TcpStream, state: &Mutex<State>) -> io::Result<()> {
    let (head, body) = read(&mut stream).await?;
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let (status, body) = state.lock().unwrap_or_else(PoisonError::into_inner).answer(&path, &body);
    // In two chunks, as a server streams its rows.
    let (one, two) = body.split_at(body.len() / 2);
    let chunk = |text: &str| if text.is_empty() { String::new() } else { format!("{:x}\r\n{text}\r\n", text.len()) };
    let chunks = format!("{}{}0\r\n\r\n", chunk(one), chunk(two));
    let head = format!("HTTP/1.1 {status}\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n");
    stream.write_all((head + &chunks).as_bytes()).await?;
    stream.shutdown().await
}

async fn read(stream: &mut TcpStream) -> io::Result<(String, String)> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Ok((head.to_owned(), body.to_owned()));
            }
        }
        match stream.read(&mut buffer).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => request.extend_from_slice(&buffer[..read]),
        }
    }
}

impl State {
    fn answer(&mut self, path: &str, body: &str) -> (&'static str, String) {
        self.calls += 1;
        match path.split('?').next().unwrap_or_default() {
            // Not at once: who asks has to wait.
            "/health" if self.calls < 3 => ("503 Service Unavailable", String::new()),
            "/health" => ("200 OK", "OK".to_owned()),
            // Refused now and then, as by a server whose store does not answer.
            "/api/v3/write_lp" if self.calls.is_multiple_of(17) => ("500 Internal Server Error", String::new()),
            "/api/v3/write_lp" => match self.write(body) {
                Ok(()) => ("204 No Content", String::new()),
                Err(error) => ("500 Internal Server Error", error.to_string()),
            },
            "/api/v3/query_sql" => {
                let newest = self.rows.last().copied();
                ("200 OK", serde_json::json!([{ "held": self.rows.len(), "newest": newest }]).to_string())
            }
            _ => ("404 Not Found", String::new()),
        }
    }

    /// One WAL file a write, there before the write is acknowledged, and whole from the start.
    fn write(&mut self, lines: &str) -> io::Result<()> {
        let seq = |line: &str| line.split("seq=").nth(1)?.split('i').next()?.parse::<u64>().ok();
        let rows: Vec<u64> = lines.lines().filter_map(seq).collect();
        let name = format!("{:011}.wal", self.last + 1);
        let staged = self.wal.join(format!("{name}#1"));
        std::fs::write(&staged, write::wal(&write::rows(rows.iter().copied(), 0)))?;
        std::fs::rename(staged, self.wal.join(name))?;
        self.last += 1;
        self.rows.extend(rows);
        Ok(())
    }
}
