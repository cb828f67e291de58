"""Stores that answer with an error, or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import influx_backup as ib
from in_process_s3 import SILENCE, serving

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


@contextmanager
def broken_token(directory: Path) -> Iterator[dict[str, str]]:
    """Options of a bucket whose credentials a service gives with a line break in the token: object_store panics."""
    directory.mkdir(exist_ok=True)
    (directory / "authorization").write_text("an-authorization")
    credentials = {"AccessKeyId": "a", "SecretAccessKey": SECRET, "Token": "a\nb", "Expiration": "2099-01-01T00:00:00Z"}
    (directory / "credentials").write_text(json.dumps(credentials))
    with serving(directory, lambda key: None) as endpoint:
        yield {
            "aws_container_credentials_full_uri": f"{endpoint}/credentials",
            "aws_container_authorization_token_file": str(directory / "authorization"),
            "aws_endpoint": endpoint,
            "aws_allow_http": "true",
            "aws_region": "us-east-1",
        }


@raises("internal")
def a_service_whose_token_object_store_panics_over(scratch: Scratch) -> None:
    with broken_token(scratch.tmp / "service") as options:
        ib.certify(ib.Location("s3://bucket", options=options))


TLS = Path(__file__).parent / "tls"


@raises("untrusted-certificate")
def a_certificate_that_nothing_vouches_for(scratch: Scratch) -> None:
    with serving(scratch.core, lambda key: None, tls=(TLS / "certificate.pem", TLS / "key.pem")) as endpoint:
        ib.certify(bucket(endpoint), limits={"retry": SOON})
