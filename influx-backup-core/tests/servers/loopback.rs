//! A server inside the test binary, on a thread with a runtime of its own, so that it serves the tests of every runtime.

use std::error::Error;
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::mpsc;
use std::thread::JoinHandle;

use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::HttpService;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;

/// A socket of this address, which no other process and no unrelated server of this one is given while it is kept, also
/// when there is no listener: connections are refused then. More of these may have the same address.
pub(crate) fn socket_at(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("an option of sockets");
    socket.set_reuseport(true).expect("an option of sockets");
    socket.bind(address).expect("a port on loopback");
    socket
}

/// Listens from now on.
pub(crate) fn listener_of(socket: TcpSocket) -> TcpListener {
    socket.listen(1024).expect("a listener")
}

/// Ends a listener at once. Closing it would not be enough: a process that is being started has all that is open here, until
/// it runs its program.
pub(crate) fn end(listener: TcpListener) {
    let socket = OwnedFd::from(listener.into_std().expect("a socket"));
    std::net::TcpStream::from(socket).shutdown(Shutdown::Both).expect("it listens");
}

/// A listener on a free loopback port and the thread that serves it; ends on drop.
#[derive(Debug)]
pub(crate) struct Loopback {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Loopback {
    /// Runs the future that `serve` makes of the listener.
    pub(crate) fn run<F>(serve: impl FnOnce(TcpListener) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + 'static,
    {
        let (tell, told) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let listener = listener_of(socket_at((Ipv4Addr::LOCALHOST, 0).into()));
                tell.send(listener.local_addr().expect("the address of a listener")).expect("the starter waits");
                tokio::select! {
                    () = serve(listener) => {}
                    _ = stopped => {}
                }
            });
        });
        let address = told.recv().expect("the address of the server");
        Self { address, stop: Some(stop), thread: Some(thread) }
    }

    /// Serves HTTP/1.1 by a service made on the server's thread.
    pub(crate) fn http<S, B>(service: impl FnOnce() -> S + Send + 'static) -> Self
    where
        S: HttpService<Incoming, ResBody = B> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        Self::run(|listener| async move {
            let service = service();
            while let Ok((socket, _)) = listener.accept().await {
                // Head and body are two writes: without this the second waits 40 ms for the client's delayed acknowledgement.
                socket.set_nodelay(true).ok();
                // A connection that breaks is the client's to notice.
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service.clone()));
            }
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}
