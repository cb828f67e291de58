"""A store that speaks S3 in this process: it serves a directory as a bucket, to be read, and fails where it is told to."""

from __future__ import annotations

import contextlib
import hashlib
import ssl
import threading
from collections.abc import Callable, Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

Answer = Callable[[str, str], int | None]
"""The status with which a request fails, by its method and key; `None`: it is answered."""


SILENCE = 0
"""In the place of a status: the request is answered, and its bytes never come."""


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    directory: Path
    fails: Answer
    silent: threading.Event
    """Ends the silence."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        key = unquote(url.path).removeprefix("/bucket").lstrip("/")
        query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        if (status := self.fails(self.command, key)) is not None:
            self.fail(status)
        elif "list-type" in query:
            self.answer(200, self.listing(query.get("prefix", ""), query.get("delimiter", "")))
        else:
            self.read(self.directory / key)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET

    def fail(self, status: int) -> None:
        if status == SILENCE:
            self.answer(200, b"", {"Content-Length": "9999", "ETag": '"x"', "Last-Modified": formatdate(usegmt=True)})
            self.silent.wait(30)
            self.close_connection = True
        else:
            self.answer(status, b"<Error><Code>Planned</Code><Message>as planned</Message></Error>")

    def read(self, path: Path) -> None:
        if not path.is_file():
            self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
            return
        data = path.read_bytes()
        headers = {"ETag": etag(data), "Last-Modified": formatdate(path.stat().st_mtime, usegmt=True)}
        if span := self.headers.get("Range"):
            start, _, end = span.removeprefix("bytes=").partition("-")
            first = int(start) if start else len(data) - int(end)
            last = int(end) if start and end else len(data) - 1
            headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
            self.answer(206, data[first : last + 1], headers)
        else:
            self.answer(200, data, headers)

    def listing(self, prefix: str, delimiter: str) -> bytes:
        keys = sorted(str(path.relative_to(self.directory)) for path in self.directory.rglob("*") if path.is_file())
        objects, directories = [], set()
        for key in (key for key in keys if key.startswith(prefix)):
            head, found, _ = key.removeprefix(prefix).partition(delimiter) if delimiter else (key, "", "")
            if found:
                directories.add(prefix + head + delimiter)
                continue
            path = self.directory / key
            modified = formatdate(path.stat().st_mtime, usegmt=True)
            objects.append(contents(key, path.read_bytes(), modified))
        common = (f"<CommonPrefixes><Prefix>{escape(it)}</Prefix></CommonPrefixes>" for it in sorted(directories))
        return f"<ListBucketResult>{''.join(objects)}{''.join(common)}</ListBucketResult>".encode()

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.rfile.read(length)
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


def contents(key: str, data: bytes, modified: str) -> str:
    time = "2026-01-02T03:04:05.000Z"
    return (
        f"<Contents><Key>{escape(key)}</Key><LastModified>{time}</LastModified>"
        f"<ETag>{escape(etag(data))}</ETag><Size>{len(data)}</Size></Contents>"
    )


@contextlib.contextmanager
def serving(directory: Path, fails: Answer, tls: tuple[Path, Path] | None = None) -> Iterator[str]:
    """The endpoint of such a store, as long as it runs. `tls` is its certificate and key."""
    silent = threading.Event()
    attributes = {"directory": directory, "fails": staticmethod(fails), "silent": silent}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Serving", (Handler,), attributes))
    server.daemon_threads = True
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        silent.set()
        server.shutdown()
        thread.join()
        server.server_close()
