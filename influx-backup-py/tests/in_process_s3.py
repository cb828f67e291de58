"""A store that speaks S3 in this process: it serves a directory as a bucket, and fails where it is told to.

What is written it holds in memory. It knows no conditional writes, as some stores of one's own, and says so.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape, unescape

Fails = Callable[[str], int | None]
"""The status with which requests for a key fail; `None`: they are answered."""

SILENCE = 0
"""In the place of a status: the request is answered, and its bytes never come."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    objects: dict[str, bytes]
    fails: Fails
    ended: threading.Event

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        key = self.key()
        query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        status = self.fails(key)
        if status == SILENCE:
            self.answer(200, b"", {"Content-Length": "9999", **headers_of(b"")})
            self.wfile.flush()
            self.ended.wait()
            self.close_connection = True
        elif status is not None:
            self.answer(status, b"<Error><Code>Planned</Code></Error>")
        elif "list-type" in query:
            self.answer(200, self.listing(query.get("prefix", ""), query.get("delimiter", "")))
        elif key in self.objects:
            self.read(self.objects[key])
        else:
            self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

    do_HEAD = do_GET

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "If-None-Match" in self.headers:
            self.answer(501, b"<Error><Code>NotImplemented</Code></Error>")
        else:
            self.objects[self.key()] = data
            self.answer(200, b"", headers_of(data))

    def do_DELETE(self) -> None:
        self.objects.pop(self.key(), None)
        self.answer(204, b"")

    def do_POST(self) -> None:
        """Deletes many objects at once, the only POST that is sent to it."""
        keys = re.findall("<Key>(.*?)</Key>", self.rfile.read(int(self.headers["Content-Length"])).decode())
        for key in map(unescape, keys):
            self.objects.pop(key, None)
        self.answer(200, "".join(["<DeleteResult>", *map(deleted, keys), "</DeleteResult>"]).encode())

    def key(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix("/bucket").lstrip("/")

    def read(self, data: bytes) -> None:
        if span := self.headers.get("Range"):
            start, _, end = span.removeprefix("bytes=").partition("-")
            first = int(start) if start else len(data) - int(end)
            last = int(end) if start and end else len(data) - 1
            of_range = {"Content-Range": f"bytes {first}-{last}/{len(data)}"}
            self.answer(206, data[first : last + 1], {**headers_of(data), **of_range})
        else:
            self.answer(200, data, headers_of(data))

    def listing(self, prefix: str, delimiter: str) -> bytes:
        listed, directories = [], set()
        for key in (key for key in sorted(self.objects) if key.startswith(prefix)):
            head, found, _ = key.removeprefix(prefix).partition(delimiter or "\0")
            if found:
                directories.add(f"<CommonPrefixes><Prefix>{escape(prefix + head)}/</Prefix></CommonPrefixes>")
            else:
                listed.append(entry(key, self.objects[key]))
        return f"<ListBucketResult>{''.join(listed)}{''.join(sorted(directories))}</ListBucketResult>".encode()

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def etag(data: bytes) -> str:
    return f'"{hashlib.md5(data).hexdigest()}"'


def headers_of(data: bytes) -> dict[str, str]:
    return {"ETag": etag(data), "Last-Modified": "Fri, 02 Jan 2026 03:04:05 GMT"}


def deleted(key: str) -> str:
    return f"<Deleted><Key>{key}</Key></Deleted>"


def entry(key: str, data: bytes) -> str:
    return (
        f"<Contents><Key>{escape(key)}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>"
        f"<ETag>{escape(etag(data))}</ETag><Size>{len(data)}</Size></Contents>"
    )


class Server(ThreadingHTTPServer):
    """Takes all connections that come at once."""

    daemon_threads = True
    request_queue_size = 128


@contextlib.contextmanager
def serving(directory: Path, fails: Fails, tls: tuple[Path, Path] | None = None) -> Iterator[str]:
    """The endpoint of such a store, as long as the block runs. `tls` is its certificate and key."""
    objects = {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    ended = threading.Event()
    attributes = {"objects": objects, "fails": staticmethod(fails), "ended": ended}
    server = Server(("127.0.0.1", 0), type("Handler", (Handler,), attributes))
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
