"""Jobs of asyncio, threads, Ctrl-C and fork."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import influx_backup as ib
import pytest

SLOW = {"bandwidth": "64KiB", "concurrency": 1}
"""Limits that a backup of the generated cluster needs minutes with."""


async def test_a_job_is_awaited_and_iterated(core: Path, repository: ib.Repository) -> None:
    job = repository.backup_async(core, name="n1")
    events = [event async for event in job]
    assert [event.seq for event in events] == sorted({event.seq for event in events})
    assert isinstance(events[-1], ib.Finished) and events[-1].error is None
    assert (await job).status == "complete" and job.is_finished
    assert await job is await job
    assert (await ib.certify_async(core)).holds and len(await repository.list_async()) == 1


async def test_cancelling_the_task_cancels_the_job(core: Path, repository: ib.Repository) -> None:
    job = repository.backup_async(core, name="n1", limits=SLOW)
    task = asyncio.ensure_future(job._wait())
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


async def test_a_dropped_job_is_cancelled_unless_it_is_detached(core: Path, repository: ib.Repository) -> None:
    dropped = repository.backup_async(core, name="dropped", limits=SLOW)
    detached = repository.backup_async(core, name="detached").detach()
    seen = dropped._native
    del dropped, detached
    gc.collect()
    async with asyncio.timeout(2) if sys.version_info >= (3, 11) else _no_limit():
        while not seen.is_finished:
            await asyncio.sleep(0.01)
        while ("detached", "complete") not in [(it.name, it.state) for it in await repository.list_async()]:
            await asyncio.sleep(0.05)


class _no_limit:
    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


def test_event_loops_one_after_another(core: Path) -> None:
    async def holds() -> bool:
        return (await ib.certify_async(core)).holds

    assert [asyncio.run(holds()) for _ in range(3)] == [True, True, True]


def test_threads(core: Path, tmp_path: Path) -> None:
    def back_up(number: int) -> str:
        return ib.Repository(tmp_path / str(number)).backup(core, name="n1").status

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(back_up, range(4))) == ["complete"] * 4


def test_the_interpreter_is_free_meanwhile(core: Path, repository: ib.Repository) -> None:
    turns = 0
    is_over = threading.Event()

    def turn() -> None:
        nonlocal turns
        while not is_over.wait(0.01):
            turns += 1

    thread = threading.Thread(target=turn)
    thread.start()
    repository.backup(core, name="n1", limits={"bandwidth": "4MiB"})
    is_over.set()
    thread.join()
    assert turns > 10


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


def test_after_a_fork_the_error_says_what_to_do(core: Path) -> None:
    script = f"""
import os, influx_backup as ib
ib.discover({str(core)!r})
if os.fork() == 0:
    try: ib.discover({str(core)!r})
    except RuntimeError as error: print(error, flush=True)
    os._exit(0)
os.wait()
"""
    printed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=True
    ).stdout
    assert "spawn" in printed and "forkserver" in printed


def rss() -> int:
    """Resident memory of this process, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_hundred_runs_leave_no_memory_and_no_thread(core: Path) -> None:
    def run(times: int) -> None:
        for _ in range(times):
            assert ib.certify(core, progress=lambda event: None).holds
        gc.collect()

    run(20)
    threads, memory = len(os.listdir("/proc/self/task")), rss()
    run(100)
    assert len(os.listdir("/proc/self/task")) <= threads
    assert rss() - memory < 8 << 20, "80 KiB a run, less than one certificate"
