//! A server that writes what no HTTP library would: answers that break the protocol, and answers that have no end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::loopback::Loopback;

/// Answers each request with a begin, and then with the same piece until the client has enough; an empty piece ends it.
#[derive(Debug)]
pub(crate) struct Endless {
    server: Loopback,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    requests: AtomicUsize,
    sent: AtomicU64,
}

impl Endless {
    /// By a function of the head of a request.
    pub(crate) fn serve(answer: impl Fn(&str) -> (String, Vec<u8>) + Send + Sync + 'static) -> Self {
        let counts = Arc::<Counts>::default();
        let seen = Arc::clone(&counts);
        let answer = Arc::new(answer);
        let server = Loopback::run(|listener| async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(respond(socket, Arc::clone(&answer), Arc::clone(&seen)));
            }
        });
        Self { server, counts }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    pub(crate) fn requests(&self) -> usize {
        self.counts.requests.load(Ordering::SeqCst)
    }

    /// How many bytes clients took, or what lies between took for them.
    pub(crate) fn sent(&self) -> u64 {
        self.counts.sent.load(Ordering::SeqCst)
    }
}

async fn respond<A>(mut socket: TcpStream, answer: Arc<A>, counts: Arc<Counts>)
where
    A: Fn(&str) -> (String, Vec<u8>),
{
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut bytes = [0; 4096];
        match socket.read(&mut bytes).await {
            Ok(read) if read > 0 => head.extend_from_slice(&bytes[..read]),
            _ => return,
        }
    }
    counts.requests.fetch_add(1, Ordering::SeqCst);
    let (begin, piece) = answer(&String::from_utf8_lossy(&head));
    let mut next = begin.as_bytes();
    while !next.is_empty() && socket.write_all(next).await.is_ok() {
        counts.sent.fetch_add(next.len() as u64, Ordering::SeqCst);
        next = &piece;
    }
    socket.shutdown().await.ok();
}
