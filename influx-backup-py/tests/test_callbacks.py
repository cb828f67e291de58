"""Code of the caller: progress, copiers, orchestrators."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

import influx_backup as ib
import pytest
from situations import path_of


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


@pytest.mark.parametrize("answer", ["nonsense", 5, b"0123456789abcdef"])
def test_a_copier_that_returns_something_else_is_told_what_to_return(
    answer: object, core: Path, repository: ib.Repository
) -> None:
    class Wrong:
        def copy(self, request: ib.CopyRequest, context: ib.CopyContext) -> object:
            return answer

    with pytest.raises(ib.OrchestratorError) as wrong:
        repository.backup(core, name="n1", copier=Wrong())  # type: ignore[arg-type]
    expected = f"`copy` of Wrong returned {answer!r}: expected None, or the checksum of the copy as sixteen hex digits"
    assert isinstance(wrong.value.__cause__, TypeError) and str(wrong.value.__cause__) == expected


def test_no_copier_at_all_is_refused(core: Path, repository: ib.Repository) -> None:
    with pytest.raises(ValueError, match="`copier` is an empty list"):
        repository.backup(core, copier=[])
    assert repository.list() == ()


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


class Hangs:
    """Waits as long as it is let."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.ended = threading.Event()
        self.seen: list[str] = []


class HangsSync(Hangs):
    def copy(self, request: ib.CopyRequest, context: ib.CopyContext) -> None:
        self.began.set()
        while not context.is_cancelled:
            time.sleep(0.01)
        time.sleep(0.1)
        self.ended.set()


class HangsAsync(Hangs):
    async def copy(self, request: ib.CopyRequest, context: ib.CopyContext) -> None:
        self.began.set()
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.1)
            self.ended.set()


@pytest.mark.parametrize("copier", [HangsSync(), HangsAsync()], ids=["sync", "async"])
async def test_a_copier_is_told_that_its_job_is_cancelled(copier: Hangs, core: Path, repository: ib.Repository) -> None:
    job = repository.backup_async(core, name="n1", copier=copier)  # type: ignore[arg-type]
    await asyncio.to_thread(copier.began.wait, 10)
    job.cancel()
    with pytest.raises(ib.CancelledError):
        await job
    assert copier.ended.is_set(), "the job waits until it has cleaned up"
    assert (await repository.backup_async(core, name="n1", on_existing="resume")).status == "complete"


@pytest.mark.parametrize("wait", ["time.sleep(60)", "await asyncio.sleep(60)"], ids=["sync", "async"])
def test_ctrl_c_waits_for_a_copier_for_less_than_a_second(wait: str, core: Path, repository: ib.Repository) -> None:
    script = f"""
import asyncio, time, influx_backup as ib
class Hangs:
    {"async " if "await" in wait else ""}def copy(self, request, context):
        print("begun", flush=True)
        {wait}
try: ib.Repository({str(repository.location)!r}).backup({str(core)!r}, name="n1", copier=Hangs(), limits={{"concurrency": 1}})
except KeyboardInterrupt: print("interrupted", flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert process.stdout.readline() == "interrupted\n"
        assert time.monotonic() - began < 1
        assert process.wait(5) == 0
    assert repository.backup(core, name="n1", on_existing="resume").status == "complete"


class OneLoop:
    """Has something that belongs to one event loop, as a client of HTTP does."""

    lock: asyncio.Lock

    def __init__(self) -> None:
        self.loops: set[int] = set()

    async def copy(self, request: ib.CopyRequest, context: ib.CopyContext) -> None:
        self.loops.add(id(asyncio.get_running_loop()))
        if len(self.loops) == 1 and not hasattr(self, "lock"):
            self.lock = asyncio.Lock()
        async with self.lock:
            await asyncio.sleep(0.001)
        raise ib.Unsupported("not mine")


def test_async_methods_of_a_call_that_waits_share_an_event_loop(core: Path, repository: ib.Repository) -> None:
    copier = OneLoop()
    before = threading.active_count()
    report = repository.backup(core, name="n1", copier=[copier, *ib.default_copiers()])
    assert report.status == "complete" and len(copier.loops) == 1
    assert threading.active_count() == before, "the thread of the loop has ended"


async def test_a_call_that_waits_works_inside_an_event_loop(core: Path, repository: ib.Repository) -> None:
    """As in a notebook, where a loop always runs."""
    copier = OneLoop()
    report = repository.backup(core, name="n1", copier=[copier, *ib.default_copiers()])
    assert report.status == "complete"


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit])
def test_what_ends_a_program_comes_back_as_it_is(
    raised: type[BaseException], core: Path, repository: ib.Repository
) -> None:
    class Ends:
        def copy(self, request: ib.CopyRequest, context: ib.CopyContext) -> None:
            raise raised

    class EndsAsync:
        async def copy(self, request: ib.CopyRequest, context: ib.CopyContext) -> None:
            raise raised

    def listen(event: ib.Event) -> None:
        raise raised

    with pytest.raises(raised):
        repository.backup(core, name="n1", copier=Ends())
    with pytest.raises(raised):
        repository.backup(core, name="n1", copier=EndsAsync(), on_existing="resume")
    with pytest.raises(raised):
        repository.backup(core, name="n2", progress=listen)
    assert repository.backup(core, name="n1", on_existing="resume").status == "complete"
    assert repository.backup(core, name="n2", on_existing="resume").status == "complete"


class FailingAsync:
    async def copy(self, request: ib.CopyRequest, context: ib.CopyContext) -> None:
        await asyncio.sleep(0)
        raise KeyError("mine")


async def test_what_a_coroutine_raises_is_the_cause(core: Path, repository: ib.Repository) -> None:
    with pytest.raises(ib.InfluxBackupError) as raised:
        await repository.backup_async(core, name="n1", copier=FailingAsync())
    cause = raised.value.__cause__
    assert raised.value.code == "copier-failed" and isinstance(cause, KeyError)
    assert traceback.extract_tb(cause.__traceback__)[-1].line == 'raise KeyError("mine")'


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_an_orchestrator_of_asyncio(
    is_async: bool, enterprise: Path, repository: ib.Repository, tmp_path: Path
) -> None:
    class Async:
        def __init__(self) -> None:
            self.servers = Servers()

        async def stop(self, node: ib.Node) -> None:
            self.servers.stop(node)

        async def stopped(self, node: ib.Node) -> bool:
            await asyncio.sleep(0)
            return self.servers.stopped(node)

        async def start(self, node: ib.Node) -> None:
            self.servers.start(node)

    orchestrator = Async()
    if is_async:
        report = await repository.backup_async(enterprise, name="n1", orchestrator=orchestrator)
    else:
        report = await asyncio.to_thread(repository.backup, enterprise, name="n1", orchestrator=orchestrator)
    assert report.status == "complete"
    assert [call.split()[0] for call in orchestrator.servers.calls] == ["stop"] * 3 + ["start"] * 3


def test_unsupported_with_no_other_copier_ends_the_run(core: Path, repository: ib.Repository) -> None:
    with pytest.raises(ib.InfluxBackupError) as raised:
        repository.backup(core, name="n1", copier=Mine())
    assert raised.value.code == "copy-unsupported"


@pytest.mark.parametrize(
    ("copier", "what"),
    [
        (object(), "has no method `copy`"),
        (5, "5 has no method `copy`"),
        ([Mine(), 5], "5 has no method `copy`"),
        ("mine", "'m' has no method `copy`"),
        (Mine, "is a class: give an instance of it"),
        ({"copy": 1}, "'copy' has no method `copy`"),
    ],
    ids=["object", "int", "list", "str", "class", "dict"],
)
def test_what_is_no_copier_is_refused(copier: object, what: str, core: Path, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"^`copier` is an object with the method `copy\(request, context\)`") as raised:
        ib.Repository(tmp_path / "backups").backup(core, copier=copier)  # type: ignore[arg-type]
    assert what in str(raised.value)
    assert not (tmp_path / "backups").exists(), "nothing was started"


@pytest.mark.parametrize(
    ("orchestrator", "what"),
    [(5, "5 has no method `stop`"), (object(), "has no method `stop`"), (Servers, "is a class")],
    ids=["int", "object", "class"],
)
def test_what_is_no_orchestrator_is_refused(orchestrator: object, what: str, core: Path, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"^`orchestrator` is an object with the methods `stop") as raised:
        ib.Repository(tmp_path / "backups").backup(core, orchestrator=orchestrator)  # type: ignore[arg-type]
    assert what in str(raised.value)
    assert not (tmp_path / "backups").exists(), "nothing was started"


@pytest.mark.parametrize("answer", ["active", 1, None, subprocess.CompletedProcess([], 3)])
def test_only_true_says_that_a_server_is_stopped(
    answer: object, core: Path, repository: ib.Repository, tmp_path: Path
) -> None:
    class Wrong:
        def stop(self, node: ib.Node) -> None: ...

        def stopped(self, node: ib.Node) -> object:
            return answer

        def start(self, node: ib.Node) -> None: ...

    repository.backup(core, name="n1")
    repository.restore("n1", tmp_path / "target")
    with pytest.raises(ib.OrchestratorError) as wrong:
        repository.restore("n1", tmp_path / "target", policy="replace", orchestrator=Wrong())  # type: ignore[arg-type]
    assert str(wrong.value.__cause__) == f"`stopped` returned {answer!r}: expected True or False"
    assert ib.inspect(tmp_path / "target").unfinished is None


def test_a_coroutine_is_no_progress(core: Path) -> None:
    async def follow(event: ib.Event) -> None: ...

    with pytest.raises(TypeError, match="cannot be a coroutine: iterate a job"):
        ib.certify(core, progress=follow)
