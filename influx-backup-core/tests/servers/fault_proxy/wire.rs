//! As much of HTTP/1.1 as a proxy needs that buffers answers.

use std::io;

use bytes::Bytes;
use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// First line and header lines of a request.
#[derive(Debug, Clone)]
pub(crate) struct RequestHead {
    pub(crate) method: Method,
    /// Path and query, encoded as sent.
    pub(crate) target: String,
    /// Header lines as sent, without `connection`.
    pub(crate) headers: Vec<String>,
}

/// `None` where the client closes without a request, as clients do with spare connections.
pub(super) async fn read_request_head(client: &mut TcpStream) -> io::Result<Option<(RequestHead, Vec<u8>)>> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = find(&bytes, b"\r\n\r\n") {
            break end;
        }
        if client.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let body = bytes.split_off(end + 4);
    let text = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = text.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let method = words.next().unwrap_or_default();
    let target = words.next().unwrap_or_default();
    let head = RequestHead {
        method: Method::from_bytes(method.as_bytes()).map_err(io::Error::other)?,
        target: target.to_owned(),
        headers: lines.filter(|line| header_value(line, "connection").is_none()).map(str::to_owned).collect(),
    };
    Ok(Some((head, body)))
}

pub(super) fn request_bytes(head: &RequestHead) -> Vec<u8> {
    let headers: String = head.headers.iter().map(|line| format!("{line}\r\n")).collect();
    format!("{} {} HTTP/1.1\r\n{headers}connection: close\r\n\r\n", head.method, head.target).into_bytes()
}

/// Reads what is left of a request's body, so that the client is done sending when its answer comes.
pub(super) async fn read_body(client: &mut TcpStream, head: &RequestHead, already: usize) -> io::Result<()> {
    let length: u64 =
        head.headers.iter().find_map(|line| header_value(line, "content-length")?.parse().ok()).unwrap_or(0);
    let left = length.saturating_sub(already as u64);
    tokio::io::copy(&mut client.take(left), &mut tokio::io::sink()).await?;
    Ok(())
}

/// Passes the rest of the request on while the whole answer is read.
pub(super) async fn exchange(client: &mut TcpStream, server: &mut TcpStream) -> io::Result<Vec<u8>> {
    let (mut from_client, _) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let mut answer = Vec::new();
    let send = async {
        tokio::io::copy(&mut from_client, &mut to_server).await.ok();
        // The client waits for its answer, or has gone away: then the server finds out when it is done.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        read = from_server.read_to_end(&mut answer) => { read?; }
        () = send => {}
    }
    Ok(answer)
}

/// An answer in its parts; a chunked body has been joined.
#[derive(Debug)]
pub(super) struct Answer {
    status_line: String,
    headers: Vec<String>,
    /// `content-length` as the server said, which for HEAD is not the length of the body.
    pub(super) length: Option<i64>,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn parse(bytes: &[u8]) -> io::Result<Self> {
        let end = find(bytes, b"\r\n\r\n").ok_or_else(|| io::Error::other("no answer from the server"))?;
        let text = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = text.split("\r\n").map(str::to_owned);
        let status_line = lines.next().unwrap_or_default();
        let all: Vec<String> = lines.collect();
        let value = |name: &str| all.iter().find_map(|line| header_value(line, name));
        let length: Option<i64> = value("content-length").and_then(|value| value.parse().ok());
        let body = &bytes[end + 4..];
        let chunked = value("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
        let body = if chunked { join_chunks(body) } else { body.to_vec() };
        let framing = ["connection", "content-length", "transfer-encoding"];
        let headers =
            all.iter().filter(|line| framing.iter().all(|name| header_value(line, name).is_none())).cloned().collect();
        let length = if chunked { Some(body.len() as i64) } else { length };
        Ok(Self { status_line, headers, length, body: body.into() })
    }

    pub(super) fn head(&self) -> Vec<u8> {
        let headers: String = self.headers.iter().map(|line| format!("{line}\r\n")).collect();
        let length = self.length.map(|length| format!("content-length: {length}\r\n")).unwrap_or_default();
        format!("{}\r\n{headers}{length}connection: close\r\n\r\n", self.status_line).into_bytes()
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

pub(super) fn header_value<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (found, value) = line.split_once(':')?;
    found.eq_ignore_ascii_case(name).then(|| value.trim())
}

/// The contents of a chunked body, as far as it came.
fn join_chunks(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = find(rest, b"\r\n") {
        let size = String::from_utf8_lossy(&rest[..end]);
        let size = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16).unwrap_or(0);
        let data = &rest[end + 2..];
        if size == 0 {
            break;
        }
        body.extend_from_slice(&data[..size.min(data.len())]);
        rest = data.get(size + 2..).unwrap_or_default();
    }
    body
}
