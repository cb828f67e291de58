"""Backup and restore on S3, as MinIO speaks it."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

import influx_backup as ib
import pytest
from conftest import PROGRAM
from minio import Minio
from obstore.store import S3Store
from proxy import dying_proxy
from test_every_error import assert_is_whole
from test_round_trip import files

NAME = "n1"


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """A prefix that no other test has."""
    return str(request.node.name)


@pytest.fixture
def vault(minio: Minio, prefix: str) -> ib.Repository:
    """A repository on S3, whose store keeps a checksum of each object."""
    options = {**minio.options, "aws_checksum_algorithm": "crc64nvme"}
    return ib.Repository(f"s3://vault/{prefix}", options=options)


@pytest.fixture
def prod(minio: Minio, prefix: str, core: Path, tmp_path: Path) -> ib.Location:
    """The cluster `core` on S3."""
    location = ib.Location(f"s3://prod/{prefix}", options=minio.options)
    repository = ib.Repository(tmp_path / "upload")
    repository.backup(core, name=NAME, derived="include")
    repository.restore(NAME, location)
    return location


def test_files_to_s3_and_back(vault: ib.Repository, core: Path, tmp_path: Path) -> None:
    report = vault.backup(core, name=NAME, derived="include")
    assert report.status == "complete" and report.certificate.is_proven
    assert [(it.name, it.state, it.objects) for it in vault.list()] == [(NAME, "complete", report.objects)]

    checked = vault.verify(NAME, level="checksums")
    assert checked.ok and checked.confirmed == report.objects and checked.unconfirmed == 0
    assert vault.verify(NAME, level="bytes").read == report.objects
    assert vault.certify(NAME).is_proven
    assert ib.certify(vault.get(NAME).location).is_proven

    vault.restore(vault.plan_restore(NAME, tmp_path / "restored"))
    assert files(tmp_path / "restored") == files(core)


def test_s3_to_s3_is_copied_by_the_store(
    vault: ib.Repository, prod: ib.Location, minio: Minio, prefix: str, core: Path, tmp_path: Path
) -> None:
    report = vault.backup(prod, name=NAME, derived="include")
    (done,) = report.passes
    bulk = len(list(core.rglob("*.parquet")))
    assert done.copiers == {"server-side": bulk, "stream": report.objects - bulk} and done.refused == {}
    target = ib.Location(f"s3://prod/{prefix}-restored", options=minio.options)
    vault.restore(vault.plan_restore(NAME, target), target)
    assert ib.certify(target).is_proven

    vault.restore(NAME, tmp_path / "restored")
    assert files(tmp_path / "restored") == files(core), "nothing was lost on the way"


async def test_jobs_of_asyncio(vault: ib.Repository, prod: ib.Location) -> None:
    job = vault.backup_async(prod, name=NAME)
    kinds = [event.kind async for event in job]
    assert kinds[-1] == "finished" and "committed" in kinds
    assert (await job).status == "complete"
    assert (await vault.verify_async(NAME, level="checksums")).ok


def test_damage_on_s3_is_found(vault: ib.Repository, core: Path, minio: Minio, prefix: str) -> None:
    vault.backup(core, name=NAME)
    assert vault.verify(NAME, level="checksums").ok
    _, parquet = max((record.size, record.key) for record in vault.get(NAME).objects if record.key.endswith(".parquet"))
    store = S3Store("vault", prefix=f"{prefix}/{NAME}", config=minio.options)  # type: ignore[arg-type]
    damaged = bytearray(store.get(parquet).bytes().to_bytes())
    damaged[7] ^= 1
    store.put(parquet, bytes(damaged))
    report = vault.verify(NAME, level="bytes")
    assert [(problem.code, problem.key) for problem in report.problems] == [("wrong-bytes", parquet)] and not report.ok


def test_wrong_credentials_are_denied(minio: Minio, prefix: str, core: Path) -> None:
    options = {**minio.options, "aws_secret_access_key": "not-the-secret-at-all"}
    with pytest.raises(ib.AccessDeniedError) as denied:
        ib.Repository(f"s3://vault/{prefix}", options=options).backup(core)
    assert isinstance(denied.value, PermissionError) and not denied.value.retryable
    assert "not-the-secret-at-all" not in f"{denied.value}{denied.value.report.to_json()}"


def test_a_missing_bucket_is_named(minio: Minio, core: Path) -> None:
    with pytest.raises(FileNotFoundError, match="s3://nowhere") as missing:
        ib.discover(ib.Location("s3://nowhere", options=minio.options))
    assert isinstance(missing.value, ib.NotFoundError) and missing.value.code == "location-not-found"


def test_a_store_that_goes_away_at_the_commit(vault: ib.Repository, core: Path, minio: Minio, prefix: str) -> None:
    address = minio.endpoint.removeprefix("http://")
    with dying_proxy(address, f"PUT /vault/{prefix}/{NAME}/_influx_backup/manifest.json".encode()) as endpoint:
        through = ib.Repository(f"s3://vault/{prefix}", options={**minio.options, "aws_endpoint": endpoint})
        with pytest.raises(ib.StoreError) as raised:
            through.backup(core, name=NAME)
    assert_is_whole(raised.value, "commit-unconfirmed", minio.secret)
    assert vault.verify(NAME, level="bytes").ok, "the manifest was stored"


@pytest.fixture
def environment(minio: Minio, monkeypatch: pytest.MonkeyPatch) -> None:
    """The options of MinIO in the environment."""
    for name, value in minio.environment.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("environment")
def test_options_come_from_the_environment(prefix: str, core: Path) -> None:
    repository = ib.Repository(f"s3://vault/{prefix}")
    assert repository.backup(core, name=NAME).status == "complete"
    listed = subprocess.run([*PROGRAM, "list", f"s3://vault/{prefix}"], capture_output=True, text=True, check=True)
    assert NAME in listed.stdout


@pytest.mark.usefixtures("environment")
def test_given_options_win(minio: Minio, prefix: str, core: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-the-secret-at-all")
    with pytest.raises(ib.AccessDeniedError):
        ib.Repository(f"s3://vault/{prefix}").backup(core)
    options = {"aws_access_key_id": minio.key, "aws_secret_access_key": minio.secret}
    assert ib.Repository(f"s3://vault/{prefix}", options=options).backup(core).status == "complete"


def test_a_plan_of_json_is_restored_with_the_options_of_its_target(
    vault: ib.Repository, core: Path, minio: Minio, prefix: str
) -> None:
    vault.backup(core, name=NAME)
    target = ib.Location(f"s3://prod/{prefix}", options=minio.options)
    written = vault.plan_restore(NAME, target).to_json()
    assert minio.secret not in written and minio.key not in written
    report = vault.restore(ib.RestorePlan.from_json(written), target)
    assert report.target == str(target)


def test_leftovers_on_s3_are_removed(vault: ib.Repository, core: Path) -> None:
    def stop(event: ib.Event) -> None:
        raise KeyError("stop")

    with contextlib.suppress(KeyError):
        vault.backup(core, name=NAME, progress=stop)
    for leftover in vault.leftovers():
        vault.remove(leftover)
    assert vault.leftovers() == ()


def test_a_bucket_that_is_missing_is_not_found(minio: Minio, prod: ib.Location) -> None:
    place = f"s3://missing/{NAME}"
    missing = ib.Location(place, options=minio.options)
    for verb in (
        lambda: ib.discover(missing),
        lambda: ib.Repository(missing).list(),
        lambda: ib.Repository(missing).backup(prod, name=NAME),
        lambda: ib.inspect(missing),
    ):
        with pytest.raises(FileNotFoundError) as wrong:
            verb()
        assert isinstance(wrong.value, ib.NotFoundError)
        assert (wrong.value.code, wrong.value.location) == ("location-not-found", place)
