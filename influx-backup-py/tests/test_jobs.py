"""Jobs of asyncio, threads, Ctrl-C and fork."""

from __future__ import annotations

import asyncio
import gc
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import influx_backup as ib
import pytest
from influx_backup import testing as ib_testing
from influx_backup.options import Limits
from situations.stores import EXPRESS, broken_session

SLOW: Limits = {"bandwidth": "64KiB", "concurrency": 1}
"""Limits that a backup of the generated cluster needs minutes with."""


async def test_a_job_is_awaited_and_iterated(core: Path, repository: ib.Repository) -> None:
    job = repository.backup_async(core, name="n1")
    events = [event async for event in job]
    assert [event.seq for event in events] == sorted({event.seq for event in events})
    assert isinstance(events[-1], ib.Finished) and events[-1].error is None
    assert (await job).status == "complete" and job.is_finished
    assert await job is await job
    assert (await ib.certify_async(core)).holds and len(await repository.list_async()) == 1


async def test_a_panic_ends_its_job_alone(core: Path) -> None:
    with broken_session() as options:
        job = ib.certify_async(ib.Location(EXPRESS, options=options))
        events = [event async for event in job]
        with pytest.raises(ib.InternalError) as raised:
            await job
    last = events[-1]
    assert isinstance(last, ib.Finished) and last.error and last.error.code == raised.value.code == "internal"
    assert any("panicked" in cause for cause in raised.value.report.causes)
    assert (await ib.certify_async(core)).holds


async def test_cancelling_the_task_cancels_the_job(core: Path, repository: ib.Repository) -> None:
    job = repository.backup_async(core, name="n1", limits=SLOW)
    task = asyncio.ensure_future(job.wait())
    await asyncio.sleep(0.3)
    task.cancel()
    began = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert job.is_finished and time.monotonic() - began < 1
    report = await repository.backup_async(core, name="n1", on_existing="resume")
    assert report.status == "complete"


async def test_a_job_can_be_cancelled(core: Path, repository: ib.Repository) -> None:
    job = repository.backup_async(core, name="n1", limits=SLOW)
    job.cancel()
    with pytest.raises(ib.CancelledError) as cancelled:
        await job
    assert cancelled.value.code == "cancelled"


async def test_a_dropped_job_is_cancelled(core: Path, repository: ib.Repository) -> None:
    job = repository.backup_async(core, name="n1", limits=SLOW)
    while job.progress.bytes == 0:
        await asyncio.sleep(0.01)
    with pytest.raises(ib.BackupInProgressError):
        await repository.backup_async(core, name="n1", on_existing="resume")
    del job
    gc.collect()
    await asyncio.sleep(1)
    assert (await repository.backup_async(core, name="n1", on_existing="resume")).status == "complete"


async def test_a_detached_job_goes_on(core: Path, repository: ib.Repository) -> None:
    repository.backup_async(core, name="n1", limits={"bandwidth": "4MiB"}).detach()
    gc.collect()
    began = time.monotonic()
    while [backup.state for backup in await repository.list_async()] != ["complete"]:
        assert time.monotonic() - began < 20
        await asyncio.sleep(0.05)


def test_event_loops_one_after_another(core: Path) -> None:
    async def holds() -> bool:
        return (await ib.certify_async(core)).holds

    assert [asyncio.run(holds()) for _ in range(3)] == [True, True, True]


def test_event_loops_in_two_threads(core: Path, tmp_path: Path) -> None:
    async def back_up(number: int) -> tuple[str, str]:
        job = ib.Repository(tmp_path / str(number)).backup_async(core, name="n1")
        async for event in job:
            assert isinstance(event, ib.Event)
        return (await job).status, threading.current_thread().name

    with ThreadPoolExecutor(2) as threads:
        ended = list(threads.map(lambda number: asyncio.run(back_up(number)), range(2)))
    assert [status for status, _ in ended] == ["complete"] * 2 and len({thread for _, thread in ended}) == 2


def test_a_job_may_be_awaited_in_another_loop(core: Path) -> None:
    async def start() -> ib.Job[ib.Cluster]:
        return ib.discover_async(core)

    async def finish(job: ib.Job[ib.Cluster]) -> ib.Cluster:
        return await job

    assert asyncio.run(finish(asyncio.run(start()))).edition == "core"


VERBS_ASYNC: dict[str, Callable[[Path, Path], object]] = {
    "discover": lambda core, tmp: ib.discover_async(core),
    "certify": lambda core, tmp: ib.certify_async(core),
    "backup": lambda core, tmp: ib.Repository(tmp / "backups").backup_async(core, name="n1"),
    "list": lambda core, tmp: ib.Repository(tmp / "backups").list_async(),
}


@pytest.mark.parametrize("verb", VERBS_ASYNC)
def test_a_job_needs_an_event_loop(verb: str, core: Path, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no event loop runs here: call it in a coroutine"):
        VERBS_ASYNC[verb](core, tmp_path)
    assert not (tmp_path / "backups").exists(), "nothing was started"


async def test_a_second_loop_gets_what_the_first_left(core: Path, repository: ib.Repository) -> None:
    job = repository.backup_async(core, name="n1")
    first = [await anext(job) for _ in range(2)]
    rest = [event async for event in job]
    assert [event.seq for event in [*first, *rest]] == list(range(1, rest[-1].seq + 1))
    assert isinstance(rest[-1], ib.Finished)
    assert [event async for event in job] == []


async def test_who_waits_for_an_event_cancels_the_job_by_being_cancelled(core: Path, repository: ib.Repository) -> None:
    job = repository.backup_async(core, name="n1", limits=SLOW)

    async def follow() -> None:
        async for _ in job:
            pass

    following = asyncio.create_task(follow())
    await asyncio.sleep(0.3)
    began = time.monotonic()
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    assert job.is_finished and time.monotonic() - began < 2
    with pytest.raises(ib.CancelledError):
        await job
    assert repository.backup(core, name="n1", on_existing="resume").status == "complete"


async def test_a_wait_that_is_closed_ends_quietly(core: Path, repository: ib.Repository) -> None:
    job = repository.backup_async(core, name="n1", limits=SLOW)
    async for event in job:
        if isinstance(event, ib.ProgressEvent):
            break
    while True:
        wait = job.__anext__()
        try:
            wait.send(None)
        except StopIteration:  # An event was there.
            continue
        wait.close()
        break
    await asyncio.sleep(0.5)
    assert not job.is_finished


async def test_a_task_group_takes_a_job(core: Path, repository: ib.Repository) -> None:
    task = asyncio.create_task(repository.backup_async(core, name="n1").wait())
    assert (await task).status == "complete"


async def test_events_that_are_not_read_do_not_pile_up(core: Path, tmp_path: Path) -> None:
    """A restore that replaces 3,000 objects of another backup deletes them, with an event each."""
    target = tmp_path / "target"
    repository = ib.Repository(tmp_path / "backups")
    repository.backup(core, name="n1")
    repository.restore("n1", target)
    for number in range(3000):
        shutil.copy(next(target.rglob("*.parquet")), next(target.rglob("*.parquet")).with_name(f"{number}.parquet"))
    job = repository.restore_async("n1", target, policy="replace", servers_stopped=True, object_events=True)
    report = await job
    events = [event async for event in job]
    assert report.deleted == 3000 and len(events) < 3000
    (lagged,) = [event for event in events if isinstance(event, ib.Lagged)]
    assert lagged.missed + len(events) - 1 == events[-1].seq - 1 or lagged.missed > 0


async def test_two_tasks_await_one_job(core: Path, repository: ib.Repository) -> None:
    job = repository.backup_async(core, name="n1")
    first, second = await asyncio.gather(job, job)
    assert first is second


async def test_a_timeout_cancels_the_job(core: Path, repository: ib.Repository) -> None:
    job = repository.backup_async(core, name="n1", limits=SLOW)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(job, 0.3)
    assert job.is_finished
    with pytest.raises(ib.CancelledError):
        await job


@pytest.mark.parametrize("progress", [5, "bar", object()])
def test_what_is_no_progress_is_refused(
    progress: object, core: Path, repository: ib.Repository, tmp_path: Path
) -> None:
    with pytest.raises(TypeError, match="`progress` is True, a callable that takes an event, or a bar"):
        repository.backup(core, name="n1", progress=progress)  # type: ignore[arg-type]
    assert not (tmp_path / "backups").exists(), "nothing was started"


def test_ctrl_c_stops_within_a_second_and_can_be_resumed(core: Path, repository: ib.Repository) -> None:
    script = f"""
import influx_backup as ib
def listen(event):
    if event.kind == "stage_started": print("begun", flush=True)
try:
    ib.Repository({str(repository.location)!r}).backup({str(core)!r}, name="n1", limits={SLOW!r}, progress=listen)
except KeyboardInterrupt:
    print("interrupted")
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "begun\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        rest = process.stdout.read()
        assert process.wait(5) == 0 and time.monotonic() - began < 1
        assert rest.endswith("interrupted\n")
    assert repository.backup(core, name="n1", on_existing="resume").status == "complete"


def test_ctrl_c_stops_while_many_objects_are_copied(tmp_path: Path) -> None:
    """Thousands of small copies at once, instead of one that waits."""
    data = tmp_path / "data"
    assert len(ib_testing.generate(data, edition="core", snapshots=300).objects) > 600
    backups = tmp_path / "backups"
    script = f"""
import time, influx_backup as ib
def listen(event):
    if event.kind == "stage_started": print("begun", flush=True)
try:
    ib.Repository({str(backups)!r}).backup({str(data)!r}, name="n1", progress=listen)
except KeyboardInterrupt:
    print("interrupted")
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        rest = process.stdout.read()
        assert process.wait(5) == 0 and time.monotonic() - began < 1
    assert rest.endswith("interrupted\n")
    assert ib.Repository(backups).backup(data, name="n1", on_existing="resume").status == "complete"


def test_ctrl_c_of_asyncio_cancels_the_job(core: Path, repository: ib.Repository) -> None:
    script = f"""
import asyncio, influx_backup as ib
async def main():
    job = ib.Repository({str(repository.location)!r}).backup_async({str(core)!r}, name="n1", limits={SLOW!r})
    async for event in job:
        if event.kind == "stage_started": print("begun", flush=True)
try: asyncio.run(main())
except KeyboardInterrupt: print("interrupted")
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert process.stdout.read().endswith("interrupted\n")
        assert process.wait(5) == 0 and time.monotonic() - began < 2
    assert repository.backup(core, name="n1", on_existing="resume").status == "complete"
