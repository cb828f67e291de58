"""`python -m influx_backup` and the script `influx-backup`: they do what the native program does."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import sysconfig
import termios
import time
from pathlib import Path

import influx_backup as ib
import pytest
from conftest import PROGRAM, not_run
from situations.stores import EXPRESS, broken_session

SCRIPT = [str(Path(sysconfig.get_path("scripts")) / "influx-backup")]
STARTS = {"module": PROGRAM, "script": SCRIPT}
SHELLS = ["bash", "zsh", "fish"]


def run(*arguments: object, program: list[str] = PROGRAM) -> subprocess.CompletedProcess[str]:
    """Runs the program to its end."""
    return subprocess.run([*program, *map(str, arguments)], capture_output=True, text=True, timeout=30, check=False)


@pytest.fixture
def native(request: pytest.FixtureRequest) -> list[str]:
    """The native program, as cargo builds it."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", Path(__file__).parents[2] / "target"))
    program = target / "debug" / "influx-backup"
    if not program.is_file():
        not_run(request, f"no native program in {program}: run `cargo build --features cli` first")
    return [str(program)]


@pytest.fixture(params=STARTS)
def start(request: pytest.FixtureRequest) -> list[str]:
    """Both ways to start the program."""
    program = STARTS[request.param]
    if not Path(program[0]).is_file():
        not_run(request, f"no script in {program[0]}: install the wheel")
    return program


def test_a_panic_is_one_document(start: list[str]) -> None:
    with broken_session() as options:
        given = [word for name, value in options.items() for word in ("--source-option", f"{name}={value}")]
        ended = run("list", EXPRESS, *given, "--json", program=start)
    assert ended.returncode == 1, ended.stderr
    assert json.loads(ended.stdout)["error"]["code"] == "internal"


def test_verbs_and_exit_codes(start: list[str], core: Path, tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    taken = run("backup", core, backups, "--name", "n1", "--json", program=start)
    assert taken.returncode == 0, taken.stderr
    assert json.loads(taken.stdout)["status"] == "complete"
    assert run("verify", backups / "n1", "--level", "bytes", program=start).returncode == 0
    assert run("backup", core, backups, "--name", "n1", program=start).returncode == 5
    assert run("backup", core, program=start).returncode == 2
    assert run("restore", backups / "n1", tmp_path / "restored", program=start).returncode == 0
    assert ib.certify(tmp_path / "restored").is_proven


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["backup", "--help"],
        [],
        ["bakup"],
        ["backup", "--nam", "x"],
        ["list", "/no/such/repository"],
        ["list", "/no/such/repository", "--json"],
        ["discover", "{core}"],
        ["discover", "{core}", "--json"],
        ["certify", "{core}"],
        ["verify", "{n1}"],
        ["list", "{backups}"],
        ["list", "{backups}", "--json"],
        *(["completions", shell] for shell in SHELLS),
    ],
    ids=" ".join,
)
def test_answers_messages_and_codes_are_those_of_the_native_program(
    arguments: list[str], native: list[str], core: Path, committed: ib.Repository
) -> None:
    places = {"core": core, "backups": committed.location, "n1": committed.location / "n1"}
    arguments = [argument.format(**places) for argument in arguments]
    installed = run(*arguments)
    other = run(*arguments, program=native)
    assert (installed.returncode, installed.stdout, installed.stderr) == (other.returncode, other.stdout, other.stderr)


def test_json_shows_errors(tmp_path: Path) -> None:
    shown = run("discover", tmp_path, "--json")
    assert (shown.returncode, json.loads(shown.stdout)["error"]["code"]) == (5, "no-cluster")


@pytest.mark.parametrize("shell", SHELLS)
def test_completions(shell: str, start: list[str]) -> None:
    shown = run("completions", shell, program=start)
    assert shown.returncode == 0 and "influx-backup" in shown.stdout and "plan" in shown.stdout


def test_a_path_that_is_no_text(start: list[str], tmp_path: Path) -> None:
    place = os.fsencode(tmp_path) + b"/\xff"
    os.mkdir(place)
    shown = subprocess.run([*start, "discover", place], capture_output=True, timeout=30, check=False)
    assert shown.returncode in (2, 5) and b"Traceback" not in shown.stderr


def in_terminal(command: list[str], columns: int, environment: dict[str, str] | None = None) -> tuple[int, str]:
    """Runs a command in a terminal of this width, and returns its exit code and what the terminal got."""
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe(command[0], command, {**os.environ, "TERM": "xterm", **(environment or {})})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    shown = b""
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # The terminal is gone with its last program.
            break
        if not part:
            break
        shown += part
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), shown.decode()


@pytest.mark.parametrize("columns", [60, 120])
def test_help_on_a_terminal_is_that_of_the_native_program(columns: int, native: list[str], start: list[str]) -> None:
    installed = in_terminal([*start, "backup", "--help"], columns)
    assert installed == in_terminal([*native, "backup", "--help"], columns)
    assert installed[0] == 0 and "\x1b[" in installed[1], "with colors"


def test_the_bar_on_a_terminal_is_that_of_the_native_program(native: list[str], core: Path, tmp_path: Path) -> None:
    def drawn(program: list[str], columns: int) -> tuple[bool, bool]:
        """Whether a bar grows, and whether lines that are too long for the terminal are drawn over."""
        name = f"n{columns}{len(program)}"
        backup = ["backup", str(core), str(tmp_path / "backups"), "--name", name, "--bandwidth", "2MiB"]
        code, shown = in_terminal([*program, *backup], columns)
        assert code == 0, shown
        bars = {bar.count("=") for bar in re.findall(r"\[([=> ]{30})\] pass 1, copying", shown)}
        return len(bars) > 2, "\x1b[2A" in shown

    assert drawn(PROGRAM, 120) == drawn(native, 120) == (True, False)
    assert drawn(PROGRAM, 50) == drawn(native, 50) == (True, True)


def test_no_bar_where_nothing_looks(start: list[str], core: Path, tmp_path: Path) -> None:
    shown = run("backup", core, tmp_path / "backups", program=start)
    assert shown.returncode == 0 and "\x1b" not in shown.stdout + shown.stderr


def test_a_closed_pipe_is_no_traceback(start: list[str], core: Path) -> None:
    command = [*start, "certify", str(core)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as it:
        assert it.stdout and it.stderr
        it.stdout.close()
        shown = it.stderr.read()
    assert it.returncode == 0
    assert "Traceback" not in shown and "panicked" not in shown


def test_head_reads_one_line(start: list[str], native: list[str], committed: ib.Repository) -> None:
    def first(program: list[str]) -> subprocess.CompletedProcess[str]:
        script = '"$@" | head -n 1; echo "${PIPESTATUS[0]}"'
        command = ["bash", "-c", script, "bash", *program, "completions", "bash"]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)

    installed = first(start)
    other = first(native)
    assert (installed.stdout, installed.stderr) == (other.stdout, other.stderr)


def slow(program: list[str], core: Path, tmp_path: Path) -> subprocess.Popen[str]:
    """A backup that takes minutes, and has begun."""
    command = [*program, "backup", str(core), str(tmp_path / "backups"), "--name", "n1", "--bandwidth", "64KiB"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "backups" / "n1").exists():
        time.sleep(0.02)
    return process


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda sent: sent.name)
def test_signals_stop_it_in_good_order(sent: signal.Signals, start: list[str], core: Path, tmp_path: Path) -> None:
    with slow(start, core, tmp_path) as process:
        process.send_signal(sent)
        began = time.monotonic()
        _, shown = process.communicate(timeout=10)
    assert process.returncode == 130 and time.monotonic() - began < 1.5
    assert "Traceback" not in shown and "error [cancelled]" in shown
    backups = ib.Repository(tmp_path / "backups")
    assert backups.backup(core, name="n1", on_existing="resume").status == "complete"


def test_a_second_ctrl_c(start: list[str], core: Path, tmp_path: Path) -> None:
    with slow(start, core, tmp_path) as process:
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        _, shown = process.communicate(timeout=10)
    assert process.returncode == 130 and time.monotonic() - began < 1.5
    assert "Traceback" not in shown


def test_ctrl_c_is_that_of_the_native_program(native: list[str], core: Path, tmp_path: Path) -> None:
    ended: list[tuple[int, str]] = []
    for program in (PROGRAM, native):
        place = tmp_path / str(len(ended)) / "same"
        with slow(program, core, place) as process:
            process.send_signal(signal.SIGINT)
            _, shown = process.communicate(timeout=10)
        # How far each came is chance.
        shown = re.sub(r"^pass 1: .*\n", "", shown, flags=re.MULTILINE)
        ended.append((process.returncode, re.sub(r" after \d+ of \d+ objects", "", shown)))
    installed, other = ended
    assert installed == other


@pytest.mark.parametrize("stream", ["stdin", "stdout", "stderr"])
def test_a_stream_that_is_closed_from_the_start(stream: str, start: list[str], core: Path) -> None:
    number = ("stdin", "stdout", "stderr").index(stream)
    closed = "<&-" if number == 0 else f"{number}>&-"
    command = ["bash", "-c", f'"$@" {closed}', "bash", *start, "discover", str(core)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert "Traceback" not in ended.stdout + ended.stderr and "panicked" not in ended.stdout + ended.stderr
    assert ended.returncode == 0, ended.stderr


def test_help_needs_no_other_module() -> None:
    """The program starts as quickly as Python and the package do."""
    script = "import sys; sys.argv = ['x', '--version']; import influx_backup.__main__ as it; it.main(); "
    shown = run("-c", script + "print(*sorted(sys.modules))", program=[sys.executable])
    assert "asyncio" not in shown.stdout.split() and "logging" not in shown.stdout.split()
