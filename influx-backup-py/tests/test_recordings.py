"""Recorded servers, and made-up clusters of every kind, are found, backed up, certified and restored byte for byte."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import influx_backup as ib
import pytest
from conftest import Unpack, recordings
from influx_backup.names import Generation
from influx_backup.testing import generate
from test_round_trip import files

TRACES = ["trace-3.3.0", "trace-3.6.0", "trace-3.10.1", "trace-3.10.1-wal-holes"]
STORES = ["core-3.3.0", "core-3.6.0", "core-3.10.1", "core-upgraded-3.3-3.6-3.10", "core-3.10.1-wal-hole"]


def expected(name: str) -> dict[str, Any]:
    """What a recording is known to hold."""
    of_store: dict[str, Any] = json.loads((recordings() / "expected.json").read_text())[name]
    return of_store


def whole(directory: Path) -> dict[str, bytes]:
    """The files of a cluster without those that a server makes again."""
    derived = ("/table-snapshots/", "/db-indices/", "/table-index-conversion-completed")
    return {name: data for name, data in files(directory).items() if not any(kind in f"/{name}" for kind in derived)}


def test_every_recording_is_tested() -> None:
    if (recordings() / "expected.json").is_file():
        assert sorted(json.loads((recordings() / "expected.json").read_text())) == sorted(STORES)


@pytest.mark.parametrize("name", STORES)
def test_a_recorded_server_is_discovered(name: str, unpack: Unpack) -> None:
    known = expected(name) if (data := unpack(name)) else {}
    description = ib.discover(data).description
    assert (description.edition, description.id) == (known["edition"], known["node"])
    assert [(node.id, node.roles) for node in description.nodes] == [(known["node"], ("data",))]
    states = {it.generation: it.state for it in description.catalogs}
    assert list(states) == list(known["catalogs"])
    assert [it for it, state in states.items() if state == "live"] == [known["catalog_generation"]]
    assert not (description.foreign or description.unknown or description.unclaimed_nodes or description.notes)
    assert sorted(
        meta.key for listing in ib.inventory(ib.discover(data)).listings for meta in listing.entries
    ) == sorted(files(data))


@pytest.mark.parametrize("name", STORES)
def test_a_recorded_server_comes_back(name: str, unpack: Unpack, repository: ib.Repository, tmp_path: Path) -> None:
    data, target = unpack(name), tmp_path / "restored"
    known, before = expected(name), files(data)

    report = repository.backup(data, name="n1")
    assert report.status == "complete" and len(report.passes) == 1, "a stopped store takes one pass"
    (point,) = report.certificate.recovery
    assert point.reached and point.reached.wal == known["recovery_wal"]
    assert point.guaranteed and point.guaranteed.snapshot == known["last_snapshot"]
    assert report.recovery_points[point.node].reached == point.reached.time
    assert repository.verify("n1", level="bytes").ok

    restored = repository.restore(repository.plan_restore("n1", target))
    assert restored.recovery_points == report.recovery_points
    assert files(target) == whole(data)
    assert files(data) == before, "the source is only read"

    assert repository.certify("n1").is_proven and ib.certify(repository.get("n1")).is_proven
    certificate = ib.certify(data)
    # Whether a number of the WAL was burned or lost only a run that looked for it can tell.
    assert certificate.holds and certificate.is_proven is ("wal-hole" not in name)


def replayed(trace: Path, data: Path, part: float) -> Path:
    """What a server had in its store after this part of a trace."""
    operations = [json.loads(line) for line in (trace / "ops.jsonl").read_text().splitlines()]
    for operation in operations[: int(len(operations) * part)]:
        path = data / operation["path"]
        if operation["op"] == "put":
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(trace / "blobs" / operation["blob"], path)
        else:
            path.unlink()
    return data


@pytest.mark.parametrize("part", [0.5, 1.0])
@pytest.mark.parametrize("name", TRACES)
def test_what_a_live_server_had_comes_back(
    name: str, part: float, unpack: Unpack, repository: ib.Repository, tmp_path: Path
) -> None:
    data, target = replayed(unpack(name), tmp_path / "data", part), tmp_path / "restored"
    assert repository.backup(data, name="n1").status == "complete"
    repository.restore("n1", target)
    assert files(target) == whole(data)
    assert ib.certify(target).holds


@pytest.mark.parametrize("edition", ["core", "enterprise"])
@pytest.mark.parametrize("catalog", ["v1", "v2", "v3"])
def test_a_made_up_cluster_comes_back(
    edition: Any, catalog: Generation, repository: ib.Repository, tmp_path: Path
) -> None:
    made = generate(tmp_path / "data", edition=edition, catalog=catalog, snapshots=3, file_size="2KiB", seed=5)
    data, target = tmp_path / "data", tmp_path / "restored"
    sizes = {name: len(content) for name, content in files(data).items()}
    assert made.objects == sizes and made.bytes == sum(sizes.values())
    cluster = ib.discover(data)
    assert (cluster.edition, cluster.id) == (edition, made.catalog_owner)
    assert {node.id for node in cluster.nodes} == set(made.registered)

    report = repository.backup(cluster, name="n1", derived="include")
    assert report.status == "complete" and report.objects == len(sizes)
    repository.restore("n1", target, licenses="restore")
    assert files(target) == files(data)
    certificate = ib.certify(target)
    assert certificate.is_proven and certificate.catalog_sequence == made.catalog_sequence
    assert all(certificate.recovery_points[node].reached for node in made.nodes)


def test_a_made_up_cluster_is_the_same_everywhere(tmp_path: Path) -> None:
    first, again, other = (
        generate(tmp_path / name, snapshots=2, file_size=512, seed=seed)
        for name, seed in [("a", 1), ("b", 1), ("c", 2)]
    )
    assert first == again != other
    assert files(tmp_path / "a") == files(tmp_path / "b") != files(tmp_path / "c")


def test_a_cluster_is_only_made_where_nothing_is(core: Path) -> None:
    with pytest.raises(ib.UsageError):
        generate(core)
    with pytest.raises(TypeError):
        generate(core, snapshot=3)  # type: ignore[call-arg]
