"""Processes, interpreters and threads: fork, sub-interpreters, the end of the interpreter, memory."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import importlib
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import influx_backup as ib
import pytest
from influx_backup.options import Limits

SLOW: Limits = {"bandwidth": "64KiB", "concurrency": 1}
"""Limits that a backup of the generated cluster needs minutes with."""


def python(script: str, timeout: float = 30) -> subprocess.CompletedProcess[str]:
    """Runs a script in an interpreter of its own."""
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=timeout, check=False)


def test_after_a_fork_the_error_says_what_to_do(core: Path) -> None:
    script = f"""
import os, sys, influx_backup as ib
ib.discover({str(core)!r})
if os.fork() == 0:
    try: ib.discover({str(core)!r})
    except RuntimeError as error: print(error, flush=True)
    sys.exit(0)
print(os.wait()[1], ib.discover({str(core)!r}).edition)
"""
    ended = python(script)
    assert "`spawn` or `forkserver`" in ended.stdout, ended.stderr
    assert ended.stdout.endswith("0 core\n"), "both processes end well, and the parent goes on"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_job_that_runs_survives_a_fork_in_the_parent_alone(core: Path, tmp_path: Path) -> None:
    script = f"""
import asyncio, os, influx_backup as ib
async def main():
    job = ib.Repository({str(tmp_path / "backups")!r}).backup_async({str(core)!r}, name="n1")
    child = os.fork()
    if child == 0:
        try: await job
        except RuntimeError as error: print("child:", "forked" in str(error), flush=True)
        del job
        os._exit(0)
    os.waitpid(child, 0)
    print("parent:", (await job).status)
asyncio.run(main())
"""
    ended = python(script)
    assert ended.stdout == "child: True\nparent: complete\n", ended.stderr


@pytest.mark.parametrize(("method", "printed"), [("fork", "RuntimeError"), ("spawn", "core"), ("forkserver", "core")])
def test_methods_of_multiprocessing(method: str, printed: str, core: Path, tmp_path: Path) -> None:
    script = tmp_path / "processes.py"
    script.write_text(f"""
import multiprocessing, influx_backup as ib
def work(place):
    try: return ib.discover(place).edition
    except RuntimeError as error: return type(error).__name__
if __name__ == "__main__":
    ib.discover({str(core)!r})
    with multiprocessing.get_context({method!r}).Pool(2) as pool:
        print(*pool.map(work, [{str(core)!r}] * 2))
""")
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", str(script)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout) == (0, f"{printed} {printed}\n"), ended.stderr


@pytest.mark.parametrize("first", ["main", "sub"])
def test_a_sub_interpreter_is_refused(first: str, core: Path) -> None:
    """Also where the main interpreter imports it later, or never."""
    name = next((name for name in ("_interpreters", "_xxsubinterpreters") if _exists(name)), None)
    assert name, "CPython has one of them"
    script = f"""
import {name} as interpreters
if {first!r} == "main": import influx_backup
try: own = interpreters.create("legacy")
except TypeError: own = interpreters.create()
told = interpreters.run_string(own, '''
try: import influx_backup
except ImportError as error: print(error, flush=True)
''')
if told is not None: print(told)
interpreters.destroy(own)
import influx_backup as ib
print(ib.discover({str(core)!r}).edition)
"""
    ended = python(script)
    refused, works = ended.stdout.splitlines()
    assert "cannot be imported in a sub-interpreter" in refused and works == "core", ended.stderr


def _exists(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


def test_a_detached_job_ends_with_the_interpreter(core: Path, repository: ib.Repository) -> None:
    script = f"""
import asyncio, time, influx_backup as ib
async def main():
    ib.Repository({str(repository.location)!r}).backup_async({str(core)!r}, name="n1", limits={SLOW!r}).detach()
    await asyncio.sleep(0.3)
asyncio.run(main())
print(time.time(), flush=True)
"""
    ended = python(script)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert time.time() - float(ended.stdout) < 2
    assert repository.backup(core, name="n1", on_existing="resume").status == "complete"


def test_a_thread_of_a_daemon_ends_with_the_interpreter(core: Path, repository: ib.Repository) -> None:
    script = f"""
import threading, time, influx_backup as ib
def work():
    ib.Repository({str(repository.location)!r}).backup({str(core)!r}, name="n1", limits={SLOW!r})
threading.Thread(target=work, daemon=True).start()
time.sleep(0.5)
print(time.time(), flush=True)
"""
    ended = python(script)
    assert ended.returncode == 0, ended.stderr
    assert time.time() - float(ended.stdout) < 2
    assert repository.backup(core, name="n1", on_existing="resume").status == "complete"


@pytest.mark.parametrize("wait", ["time.sleep(60)", "await asyncio.sleep(60)"])
def test_a_copier_that_hangs_does_not_keep_the_interpreter(wait: str, core: Path, repository: ib.Repository) -> None:
    script = f"""
import asyncio, time, influx_backup as ib
class Hangs:
    {"async " if "await" in wait else ""}def copy(self, request, context): {wait}
async def main():
    ib.Repository({str(repository.location)!r}).backup_async({str(core)!r}, name="n1", copier=Hangs()).detach()
    await asyncio.sleep(0.5)
asyncio.run(main())
print(time.time(), flush=True)
"""
    ended = python(script)
    assert ended.returncode == 0, ended.stderr
    assert time.time() - float(ended.stdout) < 3


def test_no_job_is_started_while_the_interpreter_ends(core: Path) -> None:
    script = f"""
import atexit
def late():
    try: ib.discover({str(core)!r})
    except RuntimeError as error: print(error)
atexit.register(late)
import influx_backup as ib
"""
    assert "the interpreter is ending" in python(script).stdout


def test_eight_threads(core: Path, tmp_path: Path) -> None:
    def back_up(number: int) -> bool:
        repository = ib.Repository(tmp_path / str(number))
        assert repository.backup(core, name="n1", progress=lambda event: None).status == "complete"
        return repository.verify("n1").ok

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(back_up, range(8))) == [True] * 8


def test_the_interpreter_is_free_meanwhile(core: Path, repository: ib.Repository) -> None:
    turns = 0
    is_over = threading.Event()

    def turn() -> None:
        nonlocal turns
        while not is_over.wait(0.01):
            turns += 1

    thread = threading.Thread(target=turn)
    thread.start()
    began = time.monotonic()
    repository.backup(core, name="n1", limits={"bandwidth": "4MiB"})
    elapsed = time.monotonic() - began
    is_over.set()
    thread.join()
    assert turns > elapsed / 0.01 / 4


def rss() -> int:
    """Resident memory of this process, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class _Heap(ctypes.Structure):
    """`struct mallinfo2` of glibc."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    )


def in_use() -> int:
    """Bytes of the native heap that are in use; 0 where the C library does not tell."""
    mallinfo2 = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if mallinfo2 is None:
        return 0
    mallinfo2.restype = _Heap
    heap = mallinfo2()
    return int(heap.uordblks + heap.hblkhd)


def tasks() -> int:
    """Threads of this process, native ones too."""
    return len(os.listdir("/proc/self/task"))


def certify(core: Path, repository: ib.Repository) -> None:
    assert ib.certify(core, progress=lambda event: None).holds


def certify_async(core: Path, repository: ib.Repository) -> None:
    async def certify() -> None:
        job = ib.certify_async(core)
        assert [event async for event in job]
        assert (await job).holds

    asyncio.run(certify())


def cancel(core: Path, repository: ib.Repository) -> None:
    """Jobs that are dropped, one of them with events that nothing has read."""

    async def cancel() -> None:
        repository.backup_async(core, name="n1", on_existing="resume", limits=SLOW)
        job = ib.certify_async(core)
        await anext(job)
        del job

    asyncio.run(cancel())


def fail(core: Path, repository: ib.Repository) -> None:
    with pytest.raises(ib.InfluxBackupError):
        repository.get("missing")


def measure(run: str, core: str, place: str) -> None:
    """Runs something until a hundred runs need no more memory. Caches fill for some time; a leak never ends."""
    repository = ib.Repository(place)
    known, native = 0, 0
    windows: list[tuple[int, int, int]] = []
    while not windows or windows[-1][0] >= 50 or windows[-1][1] >= 100 << 10 or windows[-1][2] >= 4 << 20:
        assert len(windows) < 10, f"memory grows with each run (Python blocks, native heap, resident): {windows}"
        blocks, heap, memory = sys.getallocatedblocks(), in_use(), rss()
        for _ in range(100):
            globals()[run](Path(core), repository)
        gc.collect()
        windows.append((sys.getallocatedblocks() - blocks, in_use() - heap, rss() - memory))
        known = known or threading.active_count()
        native = native or tasks()
    assert threading.active_count() == known
    assert tasks() - native < 50, "threads that wait for files come and go, but none stays for each run"


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.parametrize("run", ["certify", "certify_async", "cancel", "fail"])
def test_a_hundred_runs_leave_no_memory_and_no_thread(run: str, core: Path, tmp_path: Path) -> None:
    """In a process of its own, as pytest keeps what is logged."""
    arguments = ", ".join(repr(str(it)) for it in (run, core, tmp_path / "backups"))
    script = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import {__name__} as it; it.measure({arguments})"
    ended = python(script, timeout=150)
    assert ended.returncode == 0, ended.stderr
