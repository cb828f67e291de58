"""MinIO, which speaks S3, as a process."""

from __future__ import annotations

import contextlib
import os
import random
import secrets
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BUCKETS = ("prod", "vault")
START = 60.0
"""Seconds in which the server has to answer."""


@dataclass(frozen=True)
class Minio:
    """A running server with two empty buckets, and what is needed to use it."""

    endpoint: str
    key: str
    secret: str

    @property
    def options(self) -> dict[str, str]:
        """The options of a store, as InfluxDB names them."""
        return {
            "aws_endpoint": self.endpoint,
            "aws_allow_http": "true",
            "aws_region": "us-east-1",
            "aws_access_key_id": self.key,
            "aws_secret_access_key": self.secret,
        }

    @property
    def environment(self) -> dict[str, str]:
        """The same in the environment."""
        return {name.upper(): value for name, value in self.options.items()}


def program() -> Path | None:
    """The server in the cache that `.ci/servers` fills, or one on the path."""
    cache = os.environ.get("INFLUX_BACKUP_CACHE") or Path.home() / ".cache" / "influx-backup"
    cached = Path(cache) / "servers" / "bin" / "minio"
    if cached.is_file():
        return cached
    found = shutil.which("minio")
    return Path(found) if found else None


def free_port() -> int:
    """Below the range from which systems give a port to whoever asks for any, so that no other process gets it."""
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as free, contextlib.suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port


def answers(endpoint: str) -> bool:
    """Whether requests are served: one without credentials is denied then."""
    try:
        urllib.request.urlopen(endpoint, timeout=5)
    except urllib.error.HTTPError as error:
        return error.code == 403
    except OSError:
        return False
    return True


@contextlib.contextmanager
def serving(program: Path, directory: Path) -> Iterator[Minio]:
    """A server on a free port, with its data in a directory, as long as the block runs."""
    for bucket in BUCKETS:
        (directory / bucket).mkdir(parents=True)
    address = f"127.0.0.1:{free_port()}"
    server = Minio(f"http://{address}", secrets.token_hex(8), secrets.token_hex(20))
    environment = {
        **os.environ,
        "MINIO_ROOT_USER": server.key,
        "MINIO_ROOT_PASSWORD": server.secret,
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
    }
    command = [
        str(program),
        "server",
        str(directory),
        "--address",
        address,
        "--console-address",
        "127.0.0.1:0",
        "--quiet",
    ]
    log = directory.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        until = time.monotonic() + START
        while not answers(server.endpoint):
            assert process.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        yield server
    finally:
        process.terminate()
        process.wait()
