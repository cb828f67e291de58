//! A real server as a process.

use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::{Client, NODE, Server};

/// How long a server may take to become healthy.
const START_LIMIT: Duration = Duration::from_secs(60);

/// What makes a server flush and snapshot fast; the same for every release from 3.3 to 3.10.
const FAST: [&str; 10] = [
    "--wal-flush-interval",
    "100ms",
    "--wal-snapshot-size",
    "5",
    "--snapshotted-wal-files-to-keep",
    "4",
    "--gen1-duration",
    "1m",
    "--without-auth",
    "--disable-telemetry-upload",
];

/// The server that `INFLUXDB3_BIN` names.
#[derive(Debug)]
pub(crate) struct CoreServer {
    process: Child,
    address: SocketAddr,
}

impl Server for CoreServer {
    async fn start(data: &Path) -> Result<Self, String> {
        let program = std::env::var_os("INFLUXDB3_BIN").expect("asked for before");
        let further = std::env::var("INFLUXDB3_ARGS").unwrap_or_default();
        let address = free_address();
        let output = data.with_extension("log");
        let log = File::create(&output).expect("a log beside the data");
        let process = Command::new(program)
            .args(["serve", "--node-id", NODE, "--object-store", "file"])
            .arg("--data-dir")
            .arg(data)
            .args(["--http-bind", &address.to_string()])
            .args(FAST)
            .args(further.split_whitespace())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("the program that INFLUXDB3_BIN names runs");
        let mut server = Self { process, address };
        let began = Instant::now();
        while !server.client().is_healthy().await {
            let ended = server.process.try_wait().expect("its state");
            if ended.is_some() || began.elapsed() > START_LIMIT {
                let message = std::fs::read_to_string(output).unwrap_or_default();
                return Err(format!("{ended:?} after {:?}: {message}", began.elapsed()));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(server)
    }

    fn client(&self) -> Client {
        Client(self.address)
    }
}

impl Drop for CoreServer {
    fn drop(&mut self) {
        // SIGKILL: what was not flushed is lost.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port on loopback");
    listener.local_addr().expect("the address of a listener")
}
