"""What `progress=` shows: on a terminal, elsewhere, with `rich` and `tqdm`, and to a callable."""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import logging
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import influx_backup as ib
import pytest
from influx_backup import progress
from rich.console import Console

COPYING = {"phase": "copying", "pass": 1, "objects": 41, "total_objects": 164, "bytes": 256, "total_bytes": 1024}
LINE = "pass 1, copying: 41 of 164 objects, 256 B of 1.0 KiB (25 %), 0.0 s"


def event(**values: object) -> ib.Event:
    """A `ProgressEvent`, by default one of a copy of which a quarter is done."""
    kind = {"event": "progress", **COPYING, **values}
    return ib.Event.from_json(json.dumps({"seq": 1, "at": "2026-01-01T00:00:00Z", **kind}))


class Terminal:
    """A terminal, which keeps what is written to it."""

    def __init__(self, columns: int) -> None:
        self.master, self.slave = pty.openpty()
        os.set_blocking(self.master, False)
        self.resize(columns)

    def resize(self, columns: int) -> None:
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def written(self) -> str:
        written = b""
        with contextlib.suppress(BlockingIOError):
            while read := os.read(self.master, 1 << 16):
                written += read
        return written.decode()

    @contextlib.contextmanager
    def recorded(self) -> Iterator[list[str]]:
        """Takes what is written while a job runs: a terminal that is not read blocks the writer in the end."""
        parts: list[str] = []
        ended = threading.Event()

        def record() -> None:
            while not ended.wait(0.02):
                parts.append(self.written())

        thread = threading.Thread(target=record)
        thread.start()
        try:
            yield parts
        finally:
            ended.set()
            thread.join()
            parts.append(self.written())


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """A terminal as standard error of the module: `sys.stderr` itself is pytest's."""
    made = Terminal(100)
    stderr = os.fdopen(made.slave, "w")
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=stderr))
    monkeypatch.setenv("TERM", "xterm-256color")
    yield made
    for close in (stderr.close, lambda: os.close(made.master)):
        with contextlib.suppress(OSError):
            close()


def shown(written: str) -> list[str]:
    """The lines that a terminal showed one after another."""
    assert written.count("\n") == 0 and re.sub(r"\r[^\r\x1b]*\x1b\[K", "", written) == ""
    return re.findall(r"\r([^\r\x1b]*)\x1b\[K", written)


def test_a_terminal_shows_a_bar_that_is_gone_at_the_end(terminal: Terminal) -> None:
    with progress.listener(True) as listen:
        listen(event())
        assert shown(terminal.written()) == [f"[{'=' * 6}>{' ' * 18}] {LINE}"]
        listen(event(bytes=1024, objects=164))
        assert shown(terminal.written())[0].startswith(f"[{'=' * 25}] pass 1, copying: 164 of 164")
        listen(event(total_objects=0, total_bytes=0, listed=7000, phase="listing"))
        assert shown(terminal.written())[0].startswith(f"[>{' ' * 24}] pass 1, listing: 7000 objects listed")
    assert shown(terminal.written()) == [""]


@pytest.mark.parametrize("columns", [1, 2, 20, 61, 200])
def test_a_bar_fits_its_terminal(terminal: Terminal, columns: int) -> None:
    with progress.terminal_bar() as listen:
        listen(event())
        terminal.resize(columns)
        terminal.written()
        listen(event())
        (line,) = shown(terminal.written())
    assert len(line) == min(columns - 1, len(f"[{'':30}] {LINE}"))


def test_a_terminal_that_does_not_tell_its_width_has_eighty_columns(terminal: Terminal) -> None:
    terminal.resize(0)
    with progress.terminal_bar() as listen:
        listen(event())
    assert len(shown(terminal.written())[0]) == 79


def test_the_bar_is_gone_after_a_failure(terminal: Terminal, core: Path, repository: ib.Repository) -> None:
    with pytest.raises(ib.UsageError), progress.listener(True) as listen:
        listen(event())
        repository.backup(core, name="a/../b")
    assert shown(terminal.written())[-1] == ""


def test_a_job_shows_a_bar(terminal: Terminal, core: Path, repository: ib.Repository) -> None:
    with terminal.recorded() as parts:
        repository.backup(core, name="n1", progress=True)
    *lines, last = shown("".join(parts))
    assert all(line.startswith("[") for line in lines) and "(100 %)" in lines[-1] and last == ""


def test_a_bar_has_no_color(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    with progress.listener(True) as listen:
        listen(event())
    assert not re.search(r"\x1b\[[0-9;]*m", terminal.written())


def test_a_dumb_terminal_and_a_pipe_have_lines(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(progress, "_LOG_EVERY", 0)
    caplog.set_level(logging.INFO)
    monkeypatch.setenv("TERM", "dumb")
    with progress.listener(True) as listen:
        listen(event())
    assert terminal.written() == ""
    pipe = io.StringIO()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=pipe))
    monkeypatch.setenv("TERM", "xterm")
    with progress.listener(True) as listen:
        listen(event())
    assert pipe.getvalue() == ""


def test_of_two_bars_the_first_is_drawn(terminal: Terminal) -> None:
    with progress.terminal_bar() as second:
        with progress.terminal_bar() as first:
            first(event())
            thread = threading.Thread(target=second, args=[event(bytes=512)])
            thread.start()
            thread.join()
            assert ["(25 %)" in line for line in shown(terminal.written())] == [True]
        second(event(bytes=512))
        drawn = shown(terminal.written())
    assert drawn[0] == "" and "(50 %)" in drawn[1]


def test_bars_of_jobs_in_two_threads(terminal: Terminal, core: Path, tmp_path: Path) -> None:
    def back_up(name: str) -> None:
        reports.append(ib.Repository(tmp_path / "backups").backup(core, name=name, progress=True))

    reports: list[ib.BackupReport] = []
    threads = [threading.Thread(target=back_up, args=[name]) for name in ("n1", "n2")]
    with terminal.recorded() as parts:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert {report.name for report in reports} == {"n1", "n2"}
    assert shown("".join(parts))[-1] == ""


@pytest.mark.parametrize("how", ["hung up", "closed", "none"])
def test_a_terminal_that_is_gone_stops_no_job(
    terminal: Terminal, how: str, monkeypatch: pytest.MonkeyPatch, core: Path, repository: ib.Repository
) -> None:
    with progress.listener(True) as listen:
        listen(event())
        if how == "hung up":
            os.close(terminal.master)
        elif how == "closed":
            os.close(terminal.slave)
        else:
            monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=None))
        listen(event())
    assert repository.backup(core, name="n1", progress=True).status == "complete"


def test_a_closed_stream_is_no_terminal(monkeypatch: pytest.MonkeyPatch, core: Path, repository: ib.Repository) -> None:
    stream = io.StringIO()
    stream.close()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=stream))
    with progress.terminal_bar() as listen:
        listen(event())
    assert repository.backup(core, name="n1", progress=True).status == "complete"


def test_elsewhere_lines_are_logged_at_an_interval(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    now = 1000.0
    with progress.lines(clock=lambda: now) as listen:
        for seconds in (0, 59, 60, 61, 119, 120, 121):
            now = 1000.0 + seconds
            listen(event(elapsed_ms=seconds * 1000))
    assert [(record.name, record.levelname, record.getMessage()) for record in caplog.records] == [
        ("influx_backup", "INFO", LINE.replace("0.0 s", "60.0 s")),
        ("influx_backup", "INFO", LINE.replace("0.0 s", "120.0 s")),
    ]


def test_lines_go_to_the_logger_of_the_caller(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with progress.lines(logging.getLogger("nightly"), every=0) as listen:
        listen(event())
    assert [record.name for record in caplog.records] == ["nightly"]


def test_a_job_logs_lines(caplog: pytest.LogCaptureFixture, core: Path, repository: ib.Repository) -> None:
    caplog.set_level(logging.INFO)
    repository.backup(core, name="n1", progress=progress.lines(every=0))
    lines = [record.getMessage() for record in caplog.records if record.name == "influx_backup"]
    assert "(100 %)" in lines[-1]


def test_a_callable_gets_every_event(core: Path, repository: ib.Repository) -> None:
    events: list[ib.Event] = []
    report = repository.backup(core, name="n1", progress=events.append)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    *_, last, finished = events
    assert isinstance(last, ib.ProgressEvent) and last.progress.fraction == 1
    assert last.progress.objects == report.objects
    assert isinstance(finished, ib.Finished) and finished.error is None


def test_rich_shows_the_phase_and_how_much_is_done(core: Path, repository: ib.Repository) -> None:
    console = Console(file=io.StringIO(), record=True, force_terminal=True)
    with progress.rich_bar(console=console, auto_refresh=False) as listen:
        listen(event())
    assert re.search(r"copying\W.* 25%", console.export_text())
    with progress.rich_bar(console=console, auto_refresh=False) as listen:
        listen(event(total_objects=0, total_bytes=0, phase="listing"))
    assert "listing" in console.export_text()
    repository.backup(core, name="n1", progress=progress.rich_bar(console=console))
    assert re.search(r"\w+\W.* 100%", console.export_text())


def test_tqdm_shows_the_phase_and_how_much_is_done(core: Path, repository: ib.Repository) -> None:
    file = io.StringIO()
    with progress.tqdm_bar(file=file) as listen:
        listen(event(total_objects=0, total_bytes=0, listed=7000, phase="listing"))
        assert "listing: 7.00k objects" in file.getvalue()
        listen(event())
        assert re.search(r"copying:  25%.*256/1\.02k.*B/s", file.getvalue())
    file = io.StringIO()
    repository.backup(core, name="n1", progress=progress.tqdm_bar(file=file))
    assert "100%" in file.getvalue().split("\r")[-1]


def test_bars_end_with_a_job_that_fails(core: Path, committed: ib.Repository) -> None:
    console = Console(file=io.StringIO(), force_terminal=True)
    file = io.StringIO()
    for bar in (progress.rich_bar(console=console), progress.tqdm_bar(file=file)):
        with pytest.raises(FileExistsError):
            committed.backup(core, name="n1", progress=bar)
    shows_the_cursor = "\x1b[?25h"
    assert shows_the_cursor in console.file.getvalue()  # type: ignore[attr-defined]
    assert file.getvalue().endswith("\n")


@pytest.mark.parametrize("module", ["rich", "tqdm"])
def test_a_bar_without_its_module_names_the_extra(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (module, "rich.progress"):
        monkeypatch.setitem(sys.modules, name, None)
    bar = progress.rich_bar if module == "rich" else progress.tqdm_bar
    with pytest.raises(ImportError, match=module), bar():
        pass


def test_a_script_on_a_terminal_ends_with_what_it_prints_itself(core: Path, tmp_path: Path) -> None:
    terminal = Terminal(120)
    script = f"""
import influx_backup as ib
report = ib.Repository({str(tmp_path / "backups")!r}).backup({str(core)!r}, name="n1", progress=True)
print(report.status)
"""
    command = [sys.executable, "-c", script]
    environment = {**os.environ, "TERM": "xterm"}
    with terminal.recorded() as parts:
        ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=terminal.slave, env=environment, check=True)
    assert ended.stdout == b"complete\n"
    assert shown("".join(parts))[-1] == ""
