//! [`Minio`]: a MinIO as a process.

use std::{
    fs,
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use super::setup::fresh;

/// A MinIO with one drive. It is on `PATH` where `.ci/servers minio` found it.
#[derive(Debug)]
pub struct Minio {
    data: PathBuf,
    address: SocketAddr,
    process: Child,
}

impl Minio {
    /// Starts it over a directory.
    ///
    /// # Errors
    ///
    /// Where there is no such program, or it does not answer.
    pub fn start(data: &Path) -> io::Result<Self> {
        fs::create_dir_all(data)?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let process = started(data, address)?;
        Ok(Self { data: data.to_owned(), address, process })
    }

    /// Where it answers.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The directory of a bucket.
    #[must_use]
    pub fn bucket(&self, name: &str) -> PathBuf {
        self.data.join(name)
    }

    /// Makes buckets that are empty, and starts the server anew, so that none of it remembers an earlier run.
    ///
    /// # Errors
    ///
    /// Where files cannot be changed, or the server does not come back.
    pub fn empty(&mut self, buckets: &[&str]) -> io::Result<()> {
        self.stop()?;
        for bucket in buckets {
            fresh(&self.bucket(bucket))?;
            fs::create_dir(self.bucket(bucket))?;
        }
        self.process = started(&self.data, self.address)?;
        Ok(())
    }

    /// Gives a program the endpoint and the credentials, under every name that one of those that are measured reads.
    pub fn give_to(&self, command: &mut Command) {
        command
            .envs([("AWS_ACCESS_KEY_ID", USER), ("AWS_SECRET_ACCESS_KEY", PASSWORD)])
            .envs([("AWS_DEFAULT_REGION", "us-east-1"), ("AWS_REGION", "us-east-1"), ("AWS_ALLOW_HTTP", "true")])
            .envs([("AWS_CONFIG_FILE", "/dev/null"), ("AWS_EC2_METADATA_DISABLED", "true")])
            .env("AWS_ENDPOINT", self.endpoint());
    }

    /// What it has taken of the processors since it was started anew.
    ///
    /// # Errors
    ///
    /// Where the system does not say.
    pub fn processor(&self) -> io::Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        // After the name, which may have spaces: the state, ten more, then the ticks in user and in system mode, 100 a second.
        let ticks = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
        let ticks: Option<u64> = ticks.map(|ticks| ticks.parse::<u64>().ok()).sum();
        ticks.map(|ticks| Duration::from_millis(10 * ticks)).ok_or_else(|| io::Error::other(stat))
    }

    fn stop(&mut self) -> io::Result<()> {
        self.process.kill()?;
        self.process.wait().map(drop)
    }
}

impl Drop for Minio {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}

const USER: &str = "bench";
const PASSWORD: &str = "bench-bench";

fn started(data: &Path, address: SocketAddr) -> io::Result<Child> {
    let mut process = Command::new("minio")
        .arg("server")
        .arg(data)
        .args(["--address", &address.to_string(), "--console-address", "127.0.0.1:0", "--quiet"])
        .envs([("MINIO_ROOT_USER", USER), ("MINIO_ROOT_PASSWORD", PASSWORD)])
        .envs([("MINIO_BROWSER", "off"), ("MINIO_UPDATE", "off")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), format!("minio, which `.ci/servers minio` installs: {error}")))?;
    for _ in 0..300 {
        if serves(address) {
            return Ok(process);
        }
        thread::sleep(Duration::from_millis(100));
    }
    process.kill()?;
    process.wait()?;
    Err(io::Error::other("minio did not answer for 30 seconds"))
}

/// Its health checks say 200 before it serves requests: until then it answers 503 to them, later 403 to an unknown key.
fn serves(address: SocketAddr) -> bool {
    let asked = || {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(format!("GET / HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map(|_| answer)
    };
    asked().is_ok_and(|answer: String| answer.split(' ').nth(1) == Some("403"))
}
