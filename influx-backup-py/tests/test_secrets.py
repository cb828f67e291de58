"""Secrets are in no error, no report and no log, also where a store repeats what it was sent."""

from __future__ import annotations

import base64
import logging
import threading
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import influx_backup as ib
import pytest

MARK = "l34kl34kl34k"


class Echo(BaseHTTPRequestHandler):
    """Answers each request with an error that has all of it."""

    def do_GET(self) -> None:
        sent = f"{self.path} {self.headers}".replace("<", "").replace("&", "")
        body = f"<Error><Code>Forbidden</Code><Message>{sent}</Message><Token>{MARK}</Token></Error>".encode()
        self.send_response(403)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_PUT = do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def echo() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def stores(endpoint: str) -> list[tuple[str, dict[str, str]]]:
    key = base64.b64encode(MARK.ljust(32, "x").encode()).decode()
    s3 = {"aws_endpoint": endpoint, "aws_allow_http": "true", "aws_access_key_id": "k"}
    azure = {"azure_endpoint": endpoint, "azure_allow_http": "true", "azure_storage_account": "a"}
    google = {"google_base_url": endpoint, "google_allow_http": "true"}
    return [
        ("s3://bucket/p", {**s3, "aws_secret_access_key": f"{MARK}/", "aws_session_token": MARK}),
        ("az://container/p", {**azure, "azure_storage_access_key": key}),
        ("az://container/p", {**azure, "azure_storage_sas_token": f"sv=1&sig={MARK}%2F"}),
        ("gs://bucket/p", {**google, "google_bearer_token": MARK}),
        (f"s3://k:{MARK}@bucket", s3),
        (f"s3://bucket?X-Amz-Signature={MARK}", s3),
        ("s3://bucket", {**s3, "aws_endpoint": f"http://k:{MARK}@127.0.0.1:9"}),
        ("s3://bucket", {**s3, "proxy_url": f"ftp://k:{MARK}@127.0.0.1:9"}),
        ("gs://bucket", {**google, "google_service_account_key": f'{{"private_key": "{MARK}"'}),
    ]


def test_no_error_and_no_log_has_a_secret(echo: str, caplog: pytest.LogCaptureFixture) -> None:
    encoded = base64.b64encode(MARK.encode()).decode()
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="influx_backup")
    for url, options in stores(echo):
        with pytest.raises(ib.InfluxBackupError) as raised:
            location = ib.Location(url, options=options)
            assert MARK not in f"{location}{location!r}{location.identity.to_json()}"
            ib.discover(location)
        error = raised.value
        shown = f"{error}{error!r}{error.report.to_json()}{''.join(traceback.format_exception_only(error))}"
        assert MARK not in shown and encoded not in shown, url.split(":")[0]
    assert caplog.records and MARK not in caplog.text and encoded not in caplog.text
