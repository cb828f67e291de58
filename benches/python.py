"""What Python costs: the import, and backups, checks and restores beside those of the native program.

Usage: python benches/python.py PROGRAM [--files N] [--runs N]

The three run in turn, so that what else the machine does concerns all of them; the medians are printed. Each run is a process
of its own, from its start to its end.
"""

from __future__ import annotations

import argparse
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

# The same work as `backup`, `verify` and `restore` of the program, which show what happens as well.
LIBRARY = """
import sys
import influx_backup as ib

events = 0

def count(event):
    global events
    events += 1

verb, data, backups, target = sys.argv[1:]
repository = ib.Repository(backups)
match verb:
    case "backup":
        repository.backup(data, name="n", progress=count)
    case "verify":
        repository.verify("n", level="bytes", progress=count)
    case "restore":
        repository.restore(repository.plan_restore("n", target), progress=count)
assert events
"""


def cost(command: list[str | Path]) -> tuple[float, float]:
    """Seconds that a command takes: by the clock, and of the processors."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    took = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime


def import_times(runs: int) -> list[float]:
    """Milliseconds that `import influx_backup` takes, and `import asyncio` for comparison, as Python measures them."""

    def once(module: str) -> float:
        command = [sys.executable, "-X", "importtime", "-c", f"import {module}"]
        shown = subprocess.run(command, check=True, capture_output=True, text=True).stderr
        (microseconds,) = re.findall(rf"^import time: +\d+ \| +(\d+) \| {module}$", shown, re.MULTILINE)
        return int(microseconds) / 1000

    once("influx_backup")
    return [median(once(module) for _ in range(runs)) for module in ("influx_backup", "asyncio")]


def commands(program: Path, verb: str, places: tuple[Path, Path, Path]) -> dict[str, list[str | Path]]:
    """The three ways to do the same."""
    data, backups, target = places
    arguments: dict[str, list[str | Path]] = {
        "backup": ["backup", data, backups, "--name", "n"],
        "verify": ["verify", backups / "n", "--level", "bytes"],
        "restore": ["restore", backups / "n", target],
    }
    return {
        "native program": [program, *arguments[verb]],
        "python -m influx_backup": [sys.executable, "-m", "influx_backup", *arguments[verb]],
        "Repository of Python": [sys.executable, "-c", LIBRARY, verb, *places],
    }


def compare(program: Path, directory: Path, data: Path, runs: int) -> None:
    """Prints a line for each verb and each way."""
    ways = list(commands(program, "backup", (data, data, data)))
    for verb in ("backup", "verify", "restore"):
        costs: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
        for run in range(runs + 1):
            for way in ways[run % 3 :] + ways[: run % 3]:
                backups, target = directory / "backups", directory / "restored"
                if verb == "backup":
                    shutil.rmtree(backups, ignore_errors=True)
                shutil.rmtree(target, ignore_errors=True)
                one = cost(commands(program, verb, (data, backups, target))[way])
                # The first fills the cache of the system.
                if run:
                    costs[way].append(one)
        native = [median(one) for one in zip(*costs[ways[0]], strict=True)]
        for way in ways:
            took = [median(one) for one in zip(*costs[way], strict=True)]
            more = [f"{(it / base - 1) * 100:+5.1f} %" for it, base in zip(took, native, strict=True)]
            print(
                f"{verb:8} {way:24} {took[0]:6.2f} s {more[0]}   processors {took[1]:6.2f} s {more[1]}",
                flush=True,
            )


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path, help="the native program, built with the profile of the wheel")
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=7)
    given = parser.parse_args()
    here, asyncio = import_times(20)
    print(f"import influx_backup: {here:.1f} ms (import asyncio: {asyncio:.1f} ms)", flush=True)
    with tempfile.TemporaryDirectory(prefix="influx-backup-bench.") as directory:
        data = Path(directory) / "data"
        # A snapshot of two nodes is fourteen files.
        snapshots = str(given.files // 14)
        made = [given.program, "generate", data, "--snapshots", snapshots, "--file-size", "16KiB"]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
        files = [path for path in data.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        print(f"{len(files):,} files, {size / 2**20:,.0f} MiB, medians of {given.runs}", flush=True)
        compare(given.program.resolve(), Path(directory), data, given.runs)


if __name__ == "__main__":
    main()
