"""Stores that answer with an error, or not at all."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import influx_backup as ib
from in_process_s3 import SILENCE, Server, serving

from . import Scratch, raises

SOON: ib.options.Retry = {"initial_backoff": "10ms", "max_elapsed": "3s"}
"""Tries again for a short time, and waits as long as usual for each answer: a slow machine answers late."""

SECRET = "a-secret-key"


def bucket(endpoint: str, **others: object) -> ib.Location:
    options = {
        "aws_endpoint": endpoint,
        "aws_allow_http": "true",
        "aws_access_key_id": "an-access-key",
        "aws_secret_access_key": SECRET,
        "aws_region": "us-east-1",
        **others,
    }
    return ib.Location("s3://bucket", options=options)


def answering(status: int, scratch: Scratch) -> None:
    """Certifies a cluster whose store lists its objects, and answers with this status when one is read."""

    def fails(key: str) -> int | None:
        return status if key.endswith(".wal") else None

    with serving(scratch.core, fails) as endpoint:
        ib.certify(bucket(endpoint), limits={"retry": SOON})


for code, status in {
    "object-exists": 409,
    "object-changed": 412,
    "no-space": 507,
    "throttled": 503,
    "store-unsupported": 501,
    "invalid-store-request": 400,
    "store-error": 500,
    "store-rejected": 418,
}.items():
    raises(code)(partial(answering, status))


@raises("stalled")
def a_store_that_sends_nothing(scratch: Scratch) -> None:
    def fails(key: str) -> int | None:
        return SILENCE if key.endswith(".parquet") else None

    with serving(scratch.core, fails) as endpoint:
        limits: ib.options.Limits = {"retry": SOON, "stall_timeout": "4s"}
        scratch.repository.backup(bucket(endpoint), limits=limits)


@raises("unreachable")
def a_port_where_nothing_listens(scratch: Scratch) -> None:
    ib.certify(bucket("http://127.0.0.1:9"), limits={"retry": SOON})


@raises("no-credentials")
def a_store_without_credentials_on_a_machine_that_has_none(scratch: Scratch) -> None:
    options = {"aws_metadata_endpoint": "http://127.0.0.1:9", "aws_region": "us-east-1"}
    ib.certify(ib.Location("s3://bucket", options=options), limits={"retry": SOON})


TLS = Path(__file__).parent / "tls"
CERTIFICATE = (TLS / "certificate.pem", TLS / "key.pem")


class ExpressHandler(BaseHTTPRequestHandler):
    """A proxy that answers as S3 Express, whose sessions have a line break in their token: object_store panics."""

    protocol_version = "HTTP/1.1"

    def do_CONNECT(self) -> None:
        self.send_response(200)
        self.end_headers()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*CERTIFICATE)
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(SESSION)))
        self.end_headers()
        self.wfile.write(SESSION)

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


SESSION = (
    b"<CreateSessionResult><Credentials><SessionToken>a\nb</SessionToken><SecretAccessKey>s</SecretAccessKey>"
    b"<AccessKeyId>a</AccessKeyId><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></CreateSessionResult>"
)

EXPRESS = "s3://bucket--use1-az1--x-s3"


@contextmanager
def broken_session() -> Iterator[dict[str, str]]:
    """Options with which a request to `EXPRESS` panics in object_store."""
    server = Server(("127.0.0.1", 0), ExpressHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield {
            "aws_s3_express": "true",
            "aws_access_key_id": "an-access-key",
            "aws_secret_access_key": SECRET,
            "aws_region": "us-east-1",
            "aws_proxy_url": f"http://127.0.0.1:{server.server_port}",
            "aws_allow_invalid_certificates": "true",
        }
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@raises("internal")
def a_session_that_object_store_panics_over(scratch: Scratch) -> None:
    with broken_session() as options:
        ib.certify(ib.Location(EXPRESS, options=options))


@raises("untrusted-certificate")
def a_certificate_that_nothing_vouches_for(scratch: Scratch) -> None:
    with serving(scratch.core, lambda key: None, tls=CERTIFICATE) as endpoint:
        ib.certify(bucket(endpoint), limits={"retry": SOON})
