"""Clusters, recordings and servers that the tests share."""

from __future__ import annotations

import os
import signal
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import influx_backup as ib
import pytest
from influx_backup.testing import generate
from minio import Minio, serving
from minio import program as minio_program

IS_CI = os.environ.get("CI") == "true"
PROGRAM = [sys.executable, "-m", "influx_backup"]

Unpack = Callable[[str], Path]


def pytest_configure() -> None:
    """Has signals arrive in what tests start, where this process ignores them: after `nohup`, or as a job of a shell script.

    A program that is started inherits that they are ignored, and not that they are handled.
    """
    for number, handler in [(signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, lambda *_: None)]:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


def not_run(request: pytest.FixtureRequest, missing: str, explicit: bool = False) -> None:
    """Skips a test whose means are missing, with a line that `make test` counts. Where CI is true that is a failure."""
    if IS_CI or explicit:
        pytest.fail(missing)
    name, place = request.node.name, request.node.path.name
    print(f"not run: {name} ({place}): {missing}", file=sys.__stderr__, flush=True)
    pytest.skip(missing)


@pytest.fixture(scope="session")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cluster of InfluxDB 3 Core. Tests only read it."""
    data = tmp_path_factory.mktemp("core") / "data"
    generate(data, edition="core")
    return data


@pytest.fixture(scope="session")
def enterprise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cluster of InfluxDB 3 Enterprise: two ingesters and a compactor. Tests only read it."""
    data = tmp_path_factory.mktemp("enterprise") / "data"
    generate(data)
    return data


@pytest.fixture
def repository(tmp_path: Path) -> ib.Repository:
    """A repository in an empty directory."""
    return ib.Repository(tmp_path / "backups")


@pytest.fixture(scope="session")
def committed(core: Path, tmp_path_factory: pytest.TempPathFactory) -> ib.Repository:
    """A repository with the backup `n1` of `core`. Tests only read it."""
    repository = ib.Repository(tmp_path_factory.mktemp("committed") / "backups")
    repository.backup(core, name="n1")
    return repository


def recordings() -> Path:
    """The directory of the recorded servers, which lies beside the repository: found as the tests in Rust find it."""
    named = os.environ.get("INFLUX_BACKUP_FIXTURES")
    return Path(named) if named else Path(__file__).parents[3] / "shared" / "fixtures"


@pytest.fixture
def unpack(request: pytest.FixtureRequest, tmp_path: Path) -> Unpack:
    """Unpacks a recorded server by its name."""
    directory = recordings()
    if not (directory / "expected.json").is_file():
        explicit = "INFLUX_BACKUP_FIXTURES" in os.environ
        not_run(request, f"no recordings in {directory}: set INFLUX_BACKUP_FIXTURES to their directory", explicit)

    def unpack(name: str) -> Path:
        target = tmp_path / name
        with tarfile.open(directory / f"{name}.tar.gz") as archive:
            archive.extractall(target)
        return target

    return unpack


@pytest.fixture(scope="session")
def running_minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Minio | None]:
    """MinIO, as long as tests run; `None` where there is no such program."""
    if (program := minio_program()) is None:
        yield None
        return
    with serving(program, tmp_path_factory.mktemp("minio") / "data") as server:
        yield server


@pytest.fixture
def minio(request: pytest.FixtureRequest, running_minio: Minio | None) -> Minio:
    """MinIO with the buckets `prod` and `vault`: each test has a prefix of its own in them."""
    if running_minio is None:
        not_run(request, "minio is missing, get it with .ci/servers")
        raise AssertionError
    return running_minio
