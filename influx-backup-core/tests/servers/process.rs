//! Servers as child processes, and directories, that cannot outlive the test binary.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Runs `$2...` until it ends or standard input closes, then removes the directory `$1`. The test binary holds the other
/// end of that pipe, so the server stops however the binary ends: statics are never dropped, and a killed process runs
/// nothing at all. First asked to stop, because the program may stand for a container; killed two seconds later.
const GUARD: &str = r#"
data=$1; shift
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
{ read -r _ <&3; kill "$server"; sleep 2; kill -9 "$server"; } 2>/dev/null &
watcher=$!
wait "$server"
kill "$watcher" 2>/dev/null
rm -rf "$data"
"#;

/// Built with `go install` on a busy machine, or Node reading some hundred files: generous, as it costs nothing.
const START_LIMIT: Duration = Duration::from_secs(60);

/// What counts as a sign that the server is ready.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Healthy {
    /// This status for this path.
    Status(u16, &'static str),
    /// Any HTTP answer for this path.
    AnyAnswer(&'static str),
}

/// A running server; stopped, and its data removed, on drop or when this process ends.
#[derive(Debug)]
pub(crate) struct Process {
    guard: Child,
    address: SocketAddr,
    data: PathBuf,
    started_in: Duration,
}

impl Process {
    /// Starts what `command` builds for an empty data directory and a free port, and waits until it is healthy. Tried
    /// again with another port when the server ends at once, since a port that was free may be taken a moment later.
    pub(crate) fn start(name: &str, healthy: Healthy, command: impl Fn(&Path, SocketAddr) -> Command) -> Self {
        let mut log = String::new();
        for _ in 0..3 {
            match Self::try_start(name, healthy, &command) {
                Ok(process) => return process,
                Err(output) => log = output,
            }
        }
        panic!("{name} did not start: {log}");
    }

    fn try_start(
        name: &str,
        healthy: Healthy,
        command: &impl Fn(&Path, SocketAddr) -> Command,
    ) -> Result<Self, String> {
        let began = Instant::now();
        let data = tempfile::Builder::new().prefix(&format!("{name}-")).tempdir().expect("a data directory").keep();
        let address = free_address();
        let server = command(&data, address);
        let mut log =
            File::options().create_new(true).read(true).append(true).open(data.join("log")).expect("a log file");
        let guard = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(&data)
            .arg(server.get_program())
            .args(server.get_args())
            .envs(server.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("a second handle of the log"))
            .stderr(log.try_clone().expect("a third handle of the log"))
            // Not reached by a Ctrl-C at the terminal, which would end it before it has tidied up.
            .process_group(0)
            .spawn()
            .expect("sh runs");
        let mut process = Self { guard, address, data, started_in: Duration::ZERO };
        while !healthy.test(address) {
            let ended = process.guard.try_wait().expect("the guard's state").is_some();
            if ended || began.elapsed() > START_LIMIT {
                let mut output = String::new();
                log.rewind().expect("the log's start");
                log.read_to_string(&mut output).expect("the log's text");
                return Err(output);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        process.started_in = began.elapsed();
        Ok(process)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends the server a signal, such as `KILL`. It is the child of its guard that is no shell.
    pub(crate) fn signal(&self, signal: &str) {
        let guard = self.guard.id();
        let children = std::fs::read_to_string(format!("/proc/{guard}/task/{guard}/children")).expect("children");
        let name = |child: &str| std::fs::read_to_string(format!("/proc/{child}/comm")).expect("a name");
        let servers: Vec<_> = children.split_whitespace().filter(|child| name(child).trim() != "sh").collect();
        let [server] = servers[..] else { panic!("{servers:?} of {children}") };
        let sent = Command::new("kill").args(["-s", signal, server]).status().expect("kill runs");
        assert!(sent.success(), "{signal} to {server}: {sent}");
    }

    /// The server's data directory, removed with it.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Time from the start to the first healthy answer.
    pub(crate) fn started_in(&self) -> Duration {
        self.started_in
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        self.guard.wait().ok();
    }
}

/// A directory that is removed on drop or when this process ends, so that a static may hold it.
#[derive(Debug)]
pub(crate) struct Scratch {
    guard: Child,
    path: PathBuf,
}

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let path = tempfile::Builder::new().prefix(&format!("{name}-")).tempdir().expect("a directory").keep();
        let guard = Command::new("sh")
            .args(["-c", r#"read -r _; rm -rf "$1""#, "guard"])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("sh runs");
        Self { guard, path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        self.guard.wait().ok();
    }
}

impl Healthy {
    fn test(self, address: SocketAddr) -> bool {
        match self {
            Self::Status(wanted, path) => status(address, path) == Some(wanted),
            Self::AnyAnswer(path) => status(address, path).is_some(),
        }
    }
}

/// Status of a GET, without a runtime: servers are started from within those of the tests.
fn status(address: SocketAddr, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.take(12).read_to_string(&mut answer).ok()?;
    answer.strip_prefix("HTTP/1.1 ")?.parse().ok()
}

/// Below the range from which systems give a port to whoever asks for any, so that no other process gets it.
fn free_address() -> SocketAddr {
    let is_free = |address: &SocketAddr| TcpListener::bind(address).is_ok();
    let random = || SocketAddr::from((Ipv4Addr::LOCALHOST, rand::random_range(10_000..32_000)));
    std::iter::repeat_with(random).find(is_free).expect("a free port on loopback")
}

/// The program in the cache that `.ci/servers` fills, else on PATH.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let cache = std::env::var_os("INFLUX_BACKUP_CACHE")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/influx-backup")));
    let path = std::env::var_os("PATH").unwrap_or_default();
    cache
        .map(|cache| cache.join("servers/bin"))
        .into_iter()
        .chain(std::env::split_paths(&path))
        .map(|directory| directory.join(name))
        .find(|program| program.is_file())
}
