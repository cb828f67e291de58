"""`python -m influx_backup`: exit codes, `--json`, closed pipes, Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import influx_backup as ib
import pytest

PROGRAM = [sys.executable, "-m", "influx_backup"]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs the program to its end."""
    return subprocess.run([*PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=30, check=False)


def test_verbs_and_exit_codes(core: Path, tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    taken = run("backup", core, backups, "--name", "n1", "--json")
    assert taken.returncode == 0, taken.stderr
    assert json.loads(taken.stdout)["status"] == "complete"
    assert run("verify", backups / "n1", "--level", "bytes").returncode == 0
    assert run("backup", core, backups, "--name", "n1").returncode == 5
    assert run("backup", core).returncode == 2
    assert run("restore", backups / "n1", tmp_path / "restored").returncode == 0
    assert ib.certify(tmp_path / "restored").is_proven


def test_json_shows_errors(tmp_path: Path) -> None:
    shown = run("discover", tmp_path, "--json")
    assert (shown.returncode, json.loads(shown.stdout)["error"]["code"]) == (5, "no-cluster")


def test_a_closed_pipe_is_no_traceback(core: Path) -> None:
    with subprocess.Popen(
        [*PROGRAM, "certify", str(core)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as it:
        assert it.stdout and it.stderr
        it.stdout.close()
        shown = it.stderr.read()
    assert "Traceback" not in shown and "panicked" not in shown


@pytest.mark.xfail(
    strict=True, reason="Python's own handler of SIGINT raises KeyboardInterrupt when the program has ended"
)
def test_ctrl_c_is_130(core: Path, tmp_path: Path) -> None:
    slow = [*PROGRAM, "backup", str(core), str(tmp_path / "backups"), "--name", "n1", "--bandwidth", "64KiB"]
    with subprocess.Popen(slow, stderr=subprocess.PIPE, text=True) as process:
        while not (tmp_path / "backups" / "n1").exists():
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        _, shown = process.communicate(timeout=10)
    assert process.returncode == 130 and time.monotonic() - began < 1.5
    assert "Traceback" not in shown
