"""Backup, list, verify, plan, restore and certify, on files."""

from __future__ import annotations

from datetime import timezone
from pathlib import Path

import influx_backup as ib
import pytest


def files(directory: Path) -> dict[str, bytes]:
    """Every file below a directory, by its path there."""
    found = (path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): path.read_bytes() for path in found}


@pytest.mark.parametrize("edition", ["core", "enterprise"])
def test_a_cluster_comes_back(
    edition: str, request: pytest.FixtureRequest, repository: ib.Repository, tmp_path: Path
) -> None:
    data = request.getfixturevalue(edition)
    before = files(data)
    target = tmp_path / "restored"

    report = repository.backup(data, name="n1")
    assert (report.name, report.status, report.certificate.is_proven) == ("n1", "complete", True)
    assert report.committed.tzinfo == timezone.utc and report.began <= report.committed
    assert [(it.name, it.state, it.objects) for it in repository.list()] == [("n1", "complete", report.objects)]
    assert repository.get("n1").sha256 == report.manifest_sha256
    verified = repository.verify("n1", level="bytes")
    assert verified.ok and verified.read == report.objects

    plan = repository.plan_restore("n1", target)
    assert not target.exists() or not files(target), "a plan writes nothing"
    restored = repository.restore(plan)
    assert restored.objects == report.objects
    assert ib.certify(target).is_proven
    derived = ("/table-snapshots/", "/db-indices/", "/table-index-conversion-completed")
    kept = {name: data for name, data in before.items() if not any(kind in f"/{name}" for kind in derived)}
    assert files(target) == kept
    assert files(data) == before, "the source is only read"


def test_a_restore_replaces_what_was_damaged(committed: ib.Repository, tmp_path: Path) -> None:
    target = tmp_path / "restored"
    committed.restore(committed.plan_restore("n1", target))
    whole = files(target)
    newer = next(path for path in whole if "/wal/" in path)
    (target / newer).with_name("00000009999.wal").write_bytes(b"newer")

    plan = committed.plan_restore("n1", target, policy="replace")
    assert any(key.endswith("00000009999.wal") for key in plan.deletions)
    with pytest.raises(ib.RefusedError) as refused:
        committed.restore(plan)
    assert refused.value.code == "servers-not-stopped"
    committed.restore(plan, servers_stopped=True)
    assert files(target) == whole


def test_the_caller_says_that_servers_are_stopped(committed: ib.Repository, tmp_path: Path) -> None:
    target = tmp_path / "restored"
    committed.restore(committed.plan_restore("n1", target))
    plan = committed.plan_restore("n1", target, policy="replace")
    assert committed.restore(plan, servers_stopped=True).objects == plan.objects


def test_a_dry_run_is_text(committed: ib.Repository, core: Path, tmp_path: Path) -> None:
    text = str(committed.plan_restore("n1", tmp_path / "restored"))
    assert text.startswith("Restore of ") and "from backup n1 to file://" in text
    assert "0 objects are overwritten, 0 deleted" in text
    plan = committed.plan_backup(core)
    assert f"plan {plan.hash}" in str(plan) and "WAL fence" in str(plan)


def test_verify_says_what_is_wrong(core: Path, repository: ib.Repository) -> None:
    repository.backup(core, name="n1")
    backup = Path(str(repository.location).removeprefix("file://")) / "n1"
    parquet = next(backup.rglob("*.parquet"))
    damaged = bytearray(parquet.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    parquet.write_bytes(damaged)
    report = repository.verify("n1", level="bytes")
    assert not report.ok
    assert [(it.code, it.severity) for it in report.problems] == [("wrong-bytes", "error")]


def test_leftovers_are_removed(core: Path, repository: ib.Repository) -> None:
    def stop(event: ib.Event) -> None:
        raise KeyError("stop")

    with pytest.raises(KeyError):
        repository.backup(core, name="n1", progress=stop)
    (leftover,) = repository.leftovers()
    assert (leftover.name, leftover.kind) == ("n1", "unfinished")
    repository.remove(leftover)
    assert repository.leftovers() == ()


def test_a_report_names_recovery_points(core: Path, repository: ib.Repository) -> None:
    report = repository.backup(core, name="n1")
    assert all(point.reached and point.reached.tzinfo for point in report.recovery_points.values())
