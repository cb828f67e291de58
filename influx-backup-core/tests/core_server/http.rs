//! As much of HTTP/1.1 as it takes to talk to a server on loopback: one request a connection.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Talks to a server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client(pub(crate) SocketAddr);

impl Client {
    /// One request; its status and body.
    pub(crate) async fn call(&self, method: &str, path: &str, body: &str) -> io::Result<(u16, String)> {
        let answer = tokio::time::timeout(PATIENCE, self.exchange(method, path, body)).await??;
        parse(&answer).ok_or_else(|| io::Error::other(format!("no HTTP answer: {answer:?}")))
    }

    async fn exchange(&self, method: &str, path: &str, body: &str) -> io::Result<String> {
        let Self(address) = self;
        let head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
        let head = format!("{head}content-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all((head + body).as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        String::from_utf8(answer).map_err(io::Error::other)
    }
}

fn parse(answer: &str) -> Option<(u16, String)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let head = head.to_ascii_lowercase();
    if head.contains("transfer-encoding: chunked") {
        return Some((status, joined(body)?));
    }
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.trim().parse().ok());
    // A server that dies amid its answer has not given it.
    let is_whole = length.is_none_or(|length: usize| body.len() == length);
    is_whole.then(|| (status, body.to_owned()))
}

/// The chunks of a body as one; `None` where the last one is missing.
fn joined(mut chunks: &str) -> Option<String> {
    let mut body = String::new();
    loop {
        let (length, rest) = chunks.split_once("\r\n")?;
        let length = usize::from_str_radix(length.split(';').next()?.trim(), 16).ok()?;
        if length == 0 {
            return Some(body);
        }
        body.push_str(rest.get(..length)?);
        chunks = rest.get(length..)?.strip_prefix("\r\n")?;
    }
}
