"""Code of the caller: progress, copiers, orchestrators."""

from __future__ import annotations

import os
import shutil
import traceback
from pathlib import Path
from urllib.parse import unquote, urlparse

import influx_backup as ib
import pytest


def path_of(location: object, key: str) -> Path:
    """Where an object of a file store lies."""
    return Path(unquote(urlparse(str(location)).path)) / key


class Mine:
    """Copies WAL and leaves the rest to the next copier."""

    def __init__(self) -> None:
        self.copied: list[str] = []

    def copy(self, request: ib.CopyRequest, context: ib.CopyContext) -> None:
        if "/wal/" not in request.source_key:
            raise ib.Unsupported("only WAL")
        target = path_of(request.target, request.target_key)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + "#1")
        shutil.copy2(path_of(request.source, request.source_key), part)
        request.check_lease()
        os.replace(part, target)
        context.moved(request.size)
        self.copied.append(request.source_key)


class MineAsync(Mine):
    """The same as a coroutine."""

    async def copy(self, request: ib.CopyRequest, context: ib.CopyContext) -> None:  # type: ignore[override]
        super().copy(request, context)


@pytest.mark.parametrize("copier", [Mine(), MineAsync()], ids=["sync", "async"])
def test_own_copiers_chain_with_the_native_ones(copier: Mine, core: Path, repository: ib.Repository) -> None:
    report = repository.backup(core, name="n1", copier=[copier, *ib.default_copiers()])
    (done,) = report.passes
    assert done.copiers[type(copier).__name__] == len(copier.copied) > 0
    assert sum(done.copiers.values()) == report.objects > len(copier.copied)
    assert repository.verify("n1", level="bytes").ok


async def test_an_async_copier_runs_in_the_event_loop(core: Path, repository: ib.Repository) -> None:
    copier = MineAsync()
    report = await repository.backup_async(core, name="n1", copier=[copier, *ib.default_copiers()])
    assert report.passes[0].copiers["MineAsync"] == len(copier.copied)


class Failing:
    """Fails as a broken program would."""

    def copy(self, request: ib.CopyRequest, context: ib.CopyContext) -> None:
        raise KeyError("mine")


def test_what_a_copier_raises_is_the_cause(core: Path, repository: ib.Repository) -> None:
    with pytest.raises(ib.InfluxBackupError) as raised:
        repository.backup(core, name="n1", copier=Failing())
    assert raised.value.code == "copier-failed"
    cause = raised.value.__cause__
    assert isinstance(cause, KeyError)
    assert traceback.extract_tb(cause.__traceback__)[-1].line == 'raise KeyError("mine")'


def test_what_a_callback_raises_comes_back(core: Path, repository: ib.Repository) -> None:
    def fail(event: ib.Event) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError) as raised:
        repository.backup(core, name="n1", progress=fail)
    assert raised.traceback[-1].name == "fail"


class Servers:
    """Stands for the servers of a cluster."""

    def __init__(self) -> None:
        self.running = {"compactor01", "ingester01", "ingester02"}
        self.calls: list[str] = []

    def stop(self, node: ib.Node) -> None:
        self.calls.append(f"stop {node.id}")
        self.running.discard(node.id)

    def stopped(self, node: ib.Node) -> bool:
        return node.id not in self.running

    def start(self, node: ib.Node) -> None:
        self.calls.append(f"start {node.id}")
        self.running.add(node.id)


def test_an_orchestrator_stops_and_starts(enterprise: Path, repository: ib.Repository, tmp_path: Path) -> None:
    target = tmp_path / "restored"
    repository.backup(enterprise, name="n1")
    repository.restore(repository.plan_restore("n1", target))
    servers = Servers()
    plan = repository.plan_restore("n1", target, policy="replace")
    report = repository.restore(plan, orchestrator=servers)
    assert report.started == ("ingester01", "ingester02", "compactor01")
    assert servers.calls[3:] == ["start ingester01", "start ingester02", "start compactor01"]
    assert sorted(servers.calls[:3]) == ["stop compactor01", "stop ingester01", "stop ingester02"]


def test_what_an_orchestrator_raises_is_the_cause(enterprise: Path, repository: ib.Repository) -> None:
    class Broken(Servers):
        def stop(self, node: ib.Node) -> None:
            raise KeyError(node.id)

    with pytest.raises(ib.OrchestratorError) as raised:
        repository.backup(enterprise, name="n1", orchestrator=Broken())
    assert isinstance(raised.value.__cause__, KeyError)


@pytest.mark.xfail(strict=True, reason="src/copier.rs: an object without `copy` is iterated before it is looked at")
def test_what_is_no_copier_is_named(core: Path, repository: ib.Repository) -> None:
    with pytest.raises(TypeError, match="copier"):
        repository.backup(core, copier=object())  # type: ignore[arg-type]


@pytest.mark.xfail(
    strict=True, raises=ib.OrchestratorError, reason="an object without the methods is taken as an orchestrator"
)
def test_what_is_no_orchestrator_is_refused(core: Path, repository: ib.Repository) -> None:
    with pytest.raises(TypeError, match="orchestrator"):
        repository.backup(core, orchestrator=5)  # type: ignore[arg-type]
