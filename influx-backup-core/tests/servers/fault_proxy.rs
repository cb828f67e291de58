//! An HTTP/1.1 proxy on loopback that breaks chosen answers.
//!
//! One request per connection: the server and then the client are told `connection: close`. The `host` header passes
//! unchanged, so signatures hold. An answer is read as a whole before it is passed on.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::loopback::Loopback;

/// Changes the body of an answer.
pub(crate) type Rewrite = Arc<dyn Fn(&RequestHead, Bytes) -> Bytes + Send + Sync>;

/// What goes wrong. Positions count bytes of the answer's body.
#[derive(Clone)]
pub(crate) enum Fault {
    /// This status with S3's `SlowDown` body; the server never sees the request.
    Status(u16),
    /// The connection is reset; the server never sees the request.
    ResetRequest,
    /// The server does what it was asked, then the connection is reset.
    LoseAnswer,
    /// The connection is reset after so many bytes.
    ResetAfter(usize),
    /// The connection is closed in good order after so many bytes, less than its `content-length` says.
    TruncateAfter(usize),
    /// `content-length` says so many bytes more (or, negative, less) than come.
    ClaimLength(i64),
    /// So many bytes at a time with a pause between.
    Drip { bytes: usize, pause: Duration },
    /// A pause after so many bytes; the rest follows.
    StallAfter { bytes: usize, pause: Duration },
    /// The whole answer arrives, with another body: list pages that repeat or miss, flipped bits, errors under status 200.
    Rewrite(Rewrite),
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "Status({status})"),
            Self::ResetRequest => f.write_str("ResetRequest"),
            Self::LoseAnswer => f.write_str("LoseAnswer"),
            Self::ResetAfter(bytes) => write!(f, "ResetAfter({bytes})"),
            Self::TruncateAfter(bytes) => write!(f, "TruncateAfter({bytes})"),
            Self::ClaimLength(more) => write!(f, "ClaimLength({more})"),
            Self::Drip { bytes, pause } => write!(f, "Drip({bytes} per {pause:?})"),
            Self::StallAfter { bytes, pause } => write!(f, "StallAfter({bytes}, {pause:?})"),
            Self::Rewrite(_) => f.write_str("Rewrite"),
        }
    }
}

/// Which requests a fault befalls: by default the first one.
#[derive(Debug)]
pub(crate) struct Rule {
    fault: Fault,
    method: Option<Method>,
    text: String,
    skip: usize,
    times: usize,
    injected: Injected,
}

impl Rule {
    pub(crate) fn new(fault: Fault) -> Self {
        Self { fault, method: None, text: String::new(), skip: 0, times: 1, injected: Injected::default() }
    }

    /// Only requests with this method.
    pub(crate) fn method(self, method: Method) -> Self {
        Self { method: Some(method), ..self }
    }

    /// Only requests whose target (path and query, encoded as sent) contains this.
    pub(crate) fn containing(self, text: &str) -> Self {
        Self { text: text.to_owned(), ..self }
    }

    /// Lets the first `skip` such requests pass.
    pub(crate) fn skip(self, skip: usize) -> Self {
        Self { skip, ..self }
    }

    /// Befalls so many requests instead of one.
    pub(crate) fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// Befalls every request from then on.
    pub(crate) fn always(self) -> Self {
        self.times(usize::MAX)
    }

    fn fits(&self, head: &RequestHead) -> bool {
        self.method.as_ref().is_none_or(|method| *method == head.method) && head.target.contains(&self.text)
    }
}

/// How often a rule has struck: a test that saw no error should know whether there was a fault at all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Injected(Arc<AtomicUsize>);

impl Injected {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// First line and header lines of a request.
#[derive(Debug, Clone)]
pub(crate) struct RequestHead {
    pub(crate) method: Method,
    /// Path and query, encoded as sent.
    pub(crate) target: String,
    /// Header lines as sent, without `connection`.
    pub(crate) headers: Vec<String>,
}

#[derive(Debug, Default)]
struct State {
    rules: Vec<Rule>,
    requests: Vec<RequestHead>,
}

/// A proxy before one server.
#[derive(Debug)]
pub(crate) struct FaultProxy {
    server: Loopback,
    state: Arc<Mutex<State>>,
    wanted: watch::Sender<Up>,
    actual: watch::Receiver<Up>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Up {
    Yes,
    No,
}

impl FaultProxy {
    /// A proxy that passes everything on to `upstream` until it is told otherwise.
    pub(crate) fn before(upstream: SocketAddr) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let (wanted, wants) = watch::channel(Up::Yes);
        let (reports, actual) = watch::channel(Up::Yes);
        let shared = Arc::clone(&state);
        let server = Loopback::run(move |listener| serve(listener, upstream, shared, wants, reports));
        Self { server, state, wanted, actual }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Adds a rule. Of several that fit, the first one added strikes.
    pub(crate) fn inject(&self, rule: Rule) -> Injected {
        let injected = rule.injected.clone();
        lock(&self.state).rules.push(rule);
        injected
    }

    /// Forgets all rules.
    pub(crate) fn clear(&self) {
        lock(&self.state).rules.clear();
    }

    /// All requests so far, struck or not.
    pub(crate) fn requests(&self) -> Vec<RequestHead> {
        lock(&self.state).requests.clone()
    }

    /// As if the server died: open connections end, new ones are refused. Done when it returns.
    pub(crate) async fn down(&self) {
        self.switch(Up::No).await;
    }

    /// The server is back, on the same port.
    pub(crate) async fn up(&self) {
        self.switch(Up::Yes).await;
    }

    async fn switch(&self, up: Up) {
        self.wanted.send_replace(up);
        self.actual.clone().wait_for(|actual| *actual == up).await.expect("the proxy runs");
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(
    mut listener: TcpListener,
    upstream: SocketAddr,
    state: Arc<Mutex<State>>,
    mut wants: watch::Receiver<Up>,
    reports: watch::Sender<Up>,
) {
    let address = listener.local_addr().expect("the address of a listener");
    loop {
        reports.send_replace(Up::Yes);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                wish = wants.wait_for(|up| *up == Up::No) => match wish {
                    Ok(_) => break,
                    Err(_) => return,
                },
                Ok((client, _)) = listener.accept() => {
                    connections.spawn(connection(client, upstream, Arc::clone(&state)));
                }
                Some(_) = connections.join_next() => {}
            }
        }
        drop(listener);
        connections.shutdown().await;
        reports.send_replace(Up::No);
        if wants.wait_for(|up| *up == Up::Yes).await.is_err() {
            return;
        }
        listener = TcpListener::bind(address).await.expect("the proxy's own port");
    }
}

/// Serves one request. An error is a connection that broke, which is for the client to notice.
async fn connection(mut client: TcpStream, upstream: SocketAddr, state: Arc<Mutex<State>>) -> io::Result<()> {
    let Some((head, start_of_body)) = read_request_head(&mut client).await? else { return Ok(()) };
    let fault = strike(&state, &head);
    match &fault {
        Some(Fault::Status(status)) => {
            read_body(&mut client, &head, start_of_body.len()).await?;
            return write_slow_down(&mut client, *status).await;
        }
        Some(Fault::ResetRequest) => return client.set_zero_linger(),
        _ => {}
    }
    let mut server = TcpStream::connect(upstream).await?;
    server.write_all(&request_bytes(&head)).await?;
    server.write_all(&start_of_body).await?;
    let answer = exchange(&mut client, &mut server).await?;
    write_answer(&mut client, &head, Answer::parse(&answer)?, fault).await
}

/// Notes the request and finds the fault for it.
fn strike(state: &Mutex<State>, head: &RequestHead) -> Option<Fault> {
    let mut state = lock(state);
    state.requests.push(head.clone());
    for rule in state.rules.iter_mut().filter(|rule| rule.times > 0 && rule.fits(head)) {
        if rule.skip > 0 {
            rule.skip -= 1;
            continue;
        }
        rule.times -= 1;
        rule.injected.0.fetch_add(1, Ordering::SeqCst);
        return Some(rule.fault.clone());
    }
    None
}

/// `None` where the client closes without a request, as clients do with spare connections.
async fn read_request_head(client: &mut TcpStream) -> io::Result<Option<(RequestHead, Vec<u8>)>> {
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
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let head = RequestHead {
        method: Method::from_bytes(method.as_bytes()).map_err(io::Error::other)?,
        target: target.to_owned(),
        headers: lines.filter(|line| header_value(line, "connection").is_none()).map(str::to_owned).collect(),
    };
    Ok(Some((head, body)))
}

fn request_bytes(head: &RequestHead) -> Vec<u8> {
    let headers: String = head.headers.iter().map(|line| format!("{line}\r\n")).collect();
    format!("{} {} HTTP/1.1\r\n{headers}connection: close\r\n\r\n", head.method, head.target).into_bytes()
}

/// Reads what is left of a request's body, so that the client is done sending when its answer comes.
async fn read_body(client: &mut TcpStream, head: &RequestHead, already: usize) -> io::Result<()> {
    let length: u64 =
        head.headers.iter().find_map(|line| header_value(line, "content-length")?.parse().ok()).unwrap_or(0);
    let left = length.saturating_sub(already as u64);
    tokio::io::copy(&mut client.take(left), &mut tokio::io::sink()).await?;
    Ok(())
}

/// Passes the rest of the request on while the whole answer is read.
async fn exchange(client: &mut TcpStream, server: &mut TcpStream) -> io::Result<Vec<u8>> {
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
struct Answer {
    status_line: String,
    headers: Vec<String>,
    /// `content-length` as the server said, which for HEAD is not the length of the body.
    length: Option<i64>,
    body: Bytes,
}

impl Answer {
    fn parse(bytes: &[u8]) -> io::Result<Self> {
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

    fn head(&self) -> Vec<u8> {
        let headers: String = self.headers.iter().map(|line| format!("{line}\r\n")).collect();
        let length = self.length.map(|length| format!("content-length: {length}\r\n")).unwrap_or_default();
        format!("{}\r\n{headers}{length}connection: close\r\n\r\n", self.status_line).into_bytes()
    }
}

async fn write_answer(
    client: &mut TcpStream,
    head: &RequestHead,
    mut answer: Answer,
    fault: Option<Fault>,
) -> io::Result<()> {
    match &fault {
        Some(Fault::LoseAnswer) => return client.set_zero_linger(),
        Some(Fault::ClaimLength(more)) => answer.length = answer.length.map(|length| (length + more).max(0)),
        Some(Fault::Rewrite(rewrite)) => {
            answer.body = rewrite(head, answer.body);
            answer.length = Some(answer.body.len() as i64);
        }
        _ => {}
    }
    client.write_all(&answer.head()).await?;
    let body = &answer.body;
    let (first, second) = match fault {
        Some(Fault::ResetAfter(bytes) | Fault::TruncateAfter(bytes) | Fault::StallAfter { bytes, .. }) => {
            body.split_at(bytes.min(body.len()))
        }
        _ => body.split_at(body.len()),
    };
    match fault {
        Some(Fault::Drip { bytes, pause }) => {
            for drop in first.chunks(bytes.max(1)) {
                client.write_all(drop).await?;
                tokio::time::sleep(pause).await;
            }
        }
        _ => client.write_all(first).await?,
    }
    match fault {
        Some(Fault::ResetAfter(_)) => {
            // A reset overtakes what the client has not read yet: give it the time to see the first bytes.
            tokio::time::sleep(Duration::from_millis(50)).await;
            return client.set_zero_linger();
        }
        Some(Fault::StallAfter { pause, .. }) => {
            tokio::time::sleep(pause).await;
            client.write_all(second).await?;
        }
        _ => {}
    }
    finish(client).await
}

async fn write_slow_down(client: &mut TcpStream, status: u16) -> io::Result<()> {
    let body = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Injected\r\ncontent-type: application/xml\r\ncontent-length: {length}\r\n");
    client.write_all(format!("{head}connection: close\r\n\r\n{body}").as_bytes()).await?;
    finish(client).await
}

/// Closes in good order: a socket closed with unread bytes sends a reset, which may overtake the answer.
async fn finish(client: &mut TcpStream) -> io::Result<()> {
    client.shutdown().await?;
    let mut sink = tokio::io::sink();
    tokio::time::timeout(Duration::from_secs(1), tokio::io::copy(client, &mut sink)).await.ok();
    Ok(())
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn header_value<'a>(line: &'a str, name: &str) -> Option<&'a str> {
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
