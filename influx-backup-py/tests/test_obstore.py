"""Stores of obstore as places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import influx_backup as ib
import pytest
from minio import Minio
from obstore.store import AzureStore, GCSStore, LocalStore, MemoryStore, S3Store
from test_round_trip import files

NAME = "n1"


@pytest.fixture
def s3(minio: Minio, request: pytest.FixtureRequest) -> Any:
    """Makes a store of MinIO, with a prefix of the test's own."""

    def s3(bucket: str, prefix: str, **options: Any) -> S3Store:
        keys: dict[str, Any] = {} if options else {"access_key_id": minio.key, "secret_access_key": minio.secret}
        return S3Store(
            bucket,
            prefix=f"{request.node.name}/{prefix}",
            endpoint=minio.endpoint,
            region="us-east-1",
            client_options={"allow_http": True},
            **keys,
            **options,
        )

    return s3


def keys(store: S3Store | LocalStore) -> dict[str, bytes]:
    """Every object of a store, by its key."""
    listed = [meta["path"] for batch in store.list() for meta in batch]
    return {key: store.get(key).bytes().to_bytes() for key in listed}


def upload(directory: Path, store: S3Store) -> None:
    for key, data in files(directory).items():
        store.put(key, data)


def test_s3_is_source_repository_and_target(s3: Any, core: Path) -> None:
    source, vault, target = s3("prod", "data"), s3("vault", "backups"), s3("prod", "restored")
    upload(core, source)

    repository = ib.Repository(vault)
    report = repository.backup(source, name=NAME, derived="include")
    assert report.status == "complete" and report.passes[0].copiers == {"stream": report.objects}
    assert repository.verify(NAME, level="bytes").ok
    assert f"{NAME}/_influx_backup/manifest.json" in keys(vault), "the prefix of the store is the top"

    repository.restore(repository.plan_restore(NAME, target), target)
    assert ib.certify(target).is_proven
    assert keys(target) == keys(source) == files(core)


def test_a_store_is_the_location_of_its_url(s3: Any, minio: Minio, request: pytest.FixtureRequest) -> None:
    location = ib.Location(s3("vault", "a/b"))
    assert str(location) == f"s3://vault/{request.node.name}/a/b"
    assert location == ib.Location(str(location), options=minio.options)
    assert (location.provider, location.identity.provider) == ("s3", "s3")
    assert minio.secret not in f"{location!r}{location.identity.to_json()}"


def test_credentials_that_a_function_gives(s3: Any, minio: Minio, core: Path) -> None:
    asked = []

    def credentials() -> dict[str, Any]:
        asked.append(1)
        return {"access_key_id": minio.key, "secret_access_key": minio.secret, "expires_at": None}

    store = s3("vault", "backups", credential_provider=credentials)
    assert ib.Repository(store).backup(core, name=NAME).status == "complete"
    assert asked


def test_a_local_store_is_a_directory(core: Path, tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    vault, target = LocalStore(tmp_path / "backups"), LocalStore(tmp_path / "restored", mkdir=True)
    assert ib.Location(vault) == ib.Location(tmp_path / "backups")
    repository = ib.Repository(vault)
    report = repository.backup(LocalStore(core), name=NAME, derived="include")
    assert "stream" not in report.passes[0].copiers, "it is copied as a directory is"
    repository.restore(NAME, target)
    assert files(tmp_path / "restored") == files(core)


def test_a_local_store_without_a_directory_is_the_whole_file_system() -> None:
    assert ib.Location(LocalStore()) == ib.Location("/")


def test_other_stores_have_their_urls() -> None:
    azure = AzureStore("container", account_name="account", account_key="aGVsbG8=", prefix="p")
    assert str(ib.Location(azure)) == "az://container/p" and ib.Location(azure).provider == "azure"
    google = GCSStore("bucket", prefix="q")
    assert str(ib.Location(google)) == "gs://bucket/q" and ib.Location(google).provider == "gcs"


def test_a_store_in_memory_is_refused(core: Path) -> None:
    with pytest.raises(TypeError, match="no MemoryStore"):
        ib.Repository(MemoryStore())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="no MemoryStore"):
        ib.discover(MemoryStore())  # type: ignore[arg-type]


@pytest.mark.parametrize("place", [5, None, b"/data", object(), ["/data"]])
def test_what_is_no_place_is_a_type_error(place: Any) -> None:
    with pytest.raises(TypeError, match="a place is a str, a path, a Location or a store of obstore"):
        ib.Location(place)


def test_options_go_with_a_url(s3: Any) -> None:
    with pytest.raises(TypeError, match="options"):
        ib.Repository(s3("vault", "x"), options={"aws_region": "eu-central-1"})
