//! An HTTP/1.1 proxy on loopback that breaks chosen answers.
//!
//! One request per connection: the server and then the client are told `connection: close`. The `host` header passes
//! unchanged, so signatures hold. An answer is read as a whole before it is passed on.

mod broken;
mod wire;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::loopback::{Loopback, end, listener_of, socket_at};
use broken::{write_answer, write_bad_gateway, write_code, write_error};
pub(crate) use wire::RequestHead;
use wire::{Answer, exchange, read_body, read_request_head, request_bytes};

/// Changes the body of an answer.
pub(crate) type Rewrite = Arc<dyn Fn(&RequestHead, Bytes) -> Bytes + Send + Sync>;

/// What goes wrong. Positions count bytes of the answer's body.
#[derive(Clone)]
pub(crate) enum Fault {
    /// This status with the body that S3 sends with it; the server never sees the request.
    Status(u16),
    /// This status with this code of S3 and this text; the server never sees the request.
    Answer(u16, &'static str, &'static str),
    /// The connection is reset; the server never sees the request.
    ResetRequest,
    /// The server does what it was asked, then the connection is reset.
    LoseAnswer,
    /// The connection is reset after this many bytes.
    ResetAfter(usize),
    /// The connection is closed in good order after this many bytes, fewer than its `content-length` says.
    TruncateAfter(usize),
    /// `content-length` is larger than the body by this many bytes (negative: smaller).
    ClaimLength(i64),
    /// This many bytes at a time, with a pause between.
    Drip { bytes: usize, pause: Duration },
    /// The server does what it was asked, and the client never hears of it: the connection stays.
    WithholdAnswer,
    /// This many bytes, and then nothing more: neither the rest nor the end of the connection.
    HangAfter(usize),
    /// This many bytes of the request's own body are taken, and then nothing more; the server never sees the request.
    HangRequestAfter(usize),
    /// This many bytes of the request's own body are taken, then the whole server goes away.
    LeaveRequestAfter(usize, State),
    /// This many bytes, then the whole server goes away.
    LeaveAfter(usize, State),
    /// A pause after this many bytes; the rest follows.
    StallAfter { bytes: usize, pause: Duration },
    /// The whole answer arrives, with another body: list pages that repeat or miss, flipped bits, errors under status 200.
    Rewrite(Rewrite),
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "Status({status})"),
            Self::Answer(status, code, _) => write!(f, "Answer({status}, {code})"),
            Self::ResetRequest => f.write_str("ResetRequest"),
            Self::LoseAnswer => f.write_str("LoseAnswer"),
            Self::ResetAfter(bytes) => write!(f, "ResetAfter({bytes})"),
            Self::TruncateAfter(bytes) => write!(f, "TruncateAfter({bytes})"),
            Self::ClaimLength(more) => write!(f, "ClaimLength({more})"),
            Self::Drip { bytes, pause } => write!(f, "Drip({bytes} per {pause:?})"),
            Self::WithholdAnswer => f.write_str("WithholdAnswer"),
            Self::HangAfter(bytes) => write!(f, "HangAfter({bytes})"),
            Self::HangRequestAfter(bytes) => write!(f, "HangRequestAfter({bytes})"),
            Self::LeaveRequestAfter(bytes, state) => write!(f, "LeaveRequestAfter({bytes}, {state:?})"),
            Self::LeaveAfter(bytes, state) => write!(f, "LeaveAfter({bytes}, {state:?})"),
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
    header: Option<&'static str>,
    skip: usize,
    times: usize,
    injected: Injected,
}

impl Rule {
    pub(crate) fn new(fault: Fault) -> Self {
        Self {
            fault,
            method: None,
            text: String::new(),
            header: None,
            skip: 0,
            times: 1,
            injected: Injected::default(),
        }
    }

    /// Only requests with this method.
    pub(crate) fn method(self, method: Method) -> Self {
        Self { method: Some(method), ..self }
    }

    /// Only requests whose target (path and query, encoded as sent) contains this.
    pub(crate) fn containing(self, text: &str) -> Self {
        Self { text: text.to_owned(), ..self }
    }

    /// Only requests with this header, written in lower case.
    pub(crate) fn header(self, name: &'static str) -> Self {
        Self { header: Some(name), ..self }
    }

    /// Lets the first `skip` such requests pass.
    pub(crate) fn skip(self, skip: usize) -> Self {
        Self { skip, ..self }
    }

    /// Affects this many requests instead of one.
    pub(crate) fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// Befalls every request from then on.
    pub(crate) fn always(self) -> Self {
        self.times(usize::MAX)
    }

    fn fits(&self, head: &RequestHead) -> bool {
        let has = |name: &str| head.headers.iter().any(|line| wire::header_value(line, name).is_some());
        self.method.as_ref().is_none_or(|method| *method == head.method)
            && head.target.contains(&self.text)
            && self.header.is_none_or(has)
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

#[derive(Debug, Default)]
struct Script {
    rules: Vec<Rule>,
    requests: Vec<RequestHead>,
}

/// A proxy before one server.
#[derive(Debug)]
pub(crate) struct FaultProxy {
    server: Loopback,
    script: Arc<Mutex<Script>>,
    wanted: Arc<watch::Sender<State>>,
    actual: watch::Receiver<State>,
}

/// What a client finds at the address of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// The server.
    Up,
    /// Nothing: open connections end, new ones are refused.
    Down,
    /// Connections that stand, open ones and new ones, and nothing that comes through them, in either direction.
    Silent,
    /// A gateway that has lost its server: open connections end, and each request of a new one is answered with 502.
    BadGateway,
}

impl FaultProxy {
    /// A proxy that passes everything on to `upstream` until it is told otherwise.
    pub(crate) fn before(upstream: SocketAddr) -> Self {
        let script = Arc::new(Mutex::new(Script::default()));
        let (wanted, wants) = watch::channel(State::Up);
        let (reports, actual) = watch::channel(State::Up);
        let wanted = Arc::new(wanted);
        let front = Front { upstream, script: Arc::clone(&script), wanted: Arc::downgrade(&wanted) };
        let server = Loopback::run(move |listener| serve(listener, front, wants, reports));
        Self { server, script, wanted, actual }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Adds a rule. Of several that fit, the first one added strikes.
    pub(crate) fn inject(&self, rule: Rule) -> Injected {
        let injected = rule.injected.clone();
        lock(&self.script).rules.push(rule);
        injected
    }

    /// Forgets all rules.
    pub(crate) fn clear(&self) {
        lock(&self.script).rules.clear();
    }

    /// All requests so far, struck or not.
    pub(crate) fn requests(&self) -> Vec<RequestHead> {
        lock(&self.script).requests.clone()
    }

    /// As if the server died. Done when it returns.
    pub(crate) async fn down(&self) {
        self.switch(State::Down).await;
    }

    /// The server is back, on the same port.
    pub(crate) async fn up(&self) {
        self.switch(State::Up).await;
    }

    /// Done when it returns.
    pub(crate) async fn switch(&self, state: State) {
        self.wanted.send_replace(state);
        self.actual.clone().wait_for(|actual| *actual == state).await.expect("the proxy runs");
    }
}

fn lock(script: &Mutex<Script>) -> MutexGuard<'_, Script> {
    script.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a connection needs to know.
#[derive(Clone)]
struct Front {
    upstream: SocketAddr,
    script: Arc<Mutex<Script>>,
    wanted: Weak<watch::Sender<State>>,
}

impl Front {
    /// The server goes away, or is back.
    fn switch(&self, state: State) {
        if let Some(wanted) = self.wanted.upgrade() {
            wanted.send_replace(state);
        }
    }
}

async fn serve(
    mut listener: TcpListener,
    front: Front,
    mut wants: watch::Receiver<State>,
    reports: watch::Sender<State>,
) {
    let address = listener.local_addr().expect("the address of a listener");
    loop {
        let mut connections = JoinSet::new();
        loop {
            // It may have been switched before this runs.
            let state = *wants.borrow_and_update();
            if state == State::Down {
                break;
            }
            reports.send_replace(state);
            tokio::select! {
                wish = wants.changed() => {
                    if wish.is_err() {
                        return;
                    }
                }
                Ok((client, _)) = listener.accept() => {
                    connections.spawn(connection_until_silent(client, front.clone(), wants.clone()));
                }
                Some(_) = connections.join_next() => {}
            }
        }
        let kept = socket_at(address);
        end(listener);
        connections.shutdown().await;
        reports.send_replace(State::Down);
        if wants.wait_for(|state| *state != State::Down).await.is_err() {
            return;
        }
        listener = listener_of(kept);
    }
}

/// A connection that stands and is silent from when the server is, or ends when the gateway loses its server.
async fn connection_until_silent(
    mut client: TcpStream,
    front: Front,
    mut wants: watch::Receiver<State>,
) -> io::Result<()> {
    if *wants.borrow() == State::BadGateway {
        let Some((head, start_of_body)) = read_request_head(&mut client).await? else { return Ok(()) };
        read_body(&mut client, &head, start_of_body.len()).await?;
        return write_bad_gateway(&mut client).await;
    }
    let served = tokio::select! {
        biased;
        Ok(state) = wants.wait_for(|state| matches!(state, State::Silent | State::BadGateway)) => Err(*state),
        served = connection(&mut client, &front) => Ok(served),
    };
    match served {
        Ok(served) => served,
        Err(State::Silent) => std::future::pending().await,
        Err(_) => Ok(()),
    }
}

/// Serves one request. An error is a connection that broke, which is for the client to notice.
async fn connection(client: &mut TcpStream, front: &Front) -> io::Result<()> {
    let Some((head, start_of_body)) = read_request_head(client).await? else { return Ok(()) };
    let fault = strike(&front.script, &head);
    match &fault {
        Some(Fault::Status(status)) => {
            read_body(client, &head, start_of_body.len()).await?;
            return write_error(client, *status).await;
        }
        Some(Fault::Answer(status, code, text)) => {
            read_body(client, &head, start_of_body.len()).await?;
            return write_code(client, &head, *status, code, text).await;
        }
        Some(Fault::ResetRequest) => return client.set_zero_linger(),
        Some(Fault::HangRequestAfter(bytes) | Fault::LeaveRequestAfter(bytes, _)) => {
            let more = bytes.saturating_sub(start_of_body.len()) as u64;
            tokio::io::copy(&mut (&mut *client).take(more), &mut tokio::io::sink()).await?;
            if let Some(Fault::LeaveRequestAfter(_, state)) = fault {
                front.switch(state);
            }
            return std::future::pending().await;
        }
        _ => {}
    }
    let mut server = TcpStream::connect(front.upstream).await?;
    server.write_all(&request_bytes(&head)).await?;
    server.write_all(&start_of_body).await?;
    let answer = exchange(client, &mut server).await?;
    let leaves = match &fault {
        Some(Fault::LeaveAfter(bytes, state)) => Some((*bytes, *state)),
        _ => None,
    };
    let Some((bytes, state)) = leaves else {
        return write_answer(client, &head, Answer::parse(&answer)?, fault).await;
    };
    let hangs = write_answer(client, &head, Answer::parse(&answer)?, Some(Fault::HangAfter(bytes)));
    // Time for the first bytes to arrive.
    tokio::time::timeout(Duration::from_millis(50), hangs).await.unwrap_or(Ok(()))?;
    front.switch(state);
    std::future::pending().await
}

/// Notes the request and finds the fault for it.
fn strike(script: &Mutex<Script>, head: &RequestHead) -> Option<Fault> {
    let mut script = lock(script);
    script.requests.push(head.clone());
    for rule in script.rules.iter_mut().filter(|rule| rule.times > 0 && rule.fits(head)) {
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
