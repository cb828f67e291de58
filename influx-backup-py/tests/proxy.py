"""A proxy that dies when it sees a request."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

CHUNK = 1 << 16


def end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


class Proxy:
    """Passes bytes on, both ways, until `last` is among those of a request. That is passed on too; nothing is
    after it: each connection ends at once. The port is kept, so that no other server gets it."""

    def __init__(self, address: str, last: bytes) -> None:
        host, port = address.split(":")
        self.server, self.last = (host, int(port)), last
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.open: list[socket.socket] = []
        self.seen = threading.Event()
        self.dead = threading.Event()

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                if self.dead.is_set():
                    client.close()
                    continue
                server = socket.create_connection(self.server)
                self.open += [client, server]
                threading.Thread(target=self.requests, args=(client, server), daemon=True).start()
                threading.Thread(target=self.answers, args=(server, client), daemon=True).start()

    def requests(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(CHUNK):
                server.sendall(data)
                if self.last in data:
                    self.seen.set()
            server.shutdown(socket.SHUT_WR)

    def answers(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(CHUNK):
                if self.seen.is_set():
                    self.die()
                client.sendall(data)

    def die(self) -> None:
        self.dead.set()
        for one in self.open:
            end(one)


@contextlib.contextmanager
def dying_proxy(address: str, last: bytes) -> Iterator[str]:
    """The endpoint of such a proxy, before the server with this address."""
    proxy = Proxy(address, last)
    thread = threading.Thread(target=proxy.accept)
    thread.start()
    try:
        yield f"http://127.0.0.1:{proxy.port}"
    finally:
        proxy.die()
        end(proxy.listener)
        thread.join()
