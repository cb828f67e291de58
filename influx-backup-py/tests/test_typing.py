"""What type checkers say about the package, and about programs that use it."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import influx_backup

HERE = Path(__file__).parent
PROJECT = HERE.parent
PACKAGE = Path(influx_backup.__file__).parent
MYPY = ("mypy", "--strict", "--no-error-summary", "--show-error-codes", f"--config-file={PROJECT / 'pyproject.toml'}")


def environment() -> Mapping[str, str]:
    """Type checkers find what is installed by themselves, and nothing else."""
    installed = PACKAGE.parent.name in ("site-packages", "dist-packages")
    # Stand-ins for schedulers that are not installed.
    places = [HERE / "schedulers", HERE] if installed else [HERE / "schedulers", HERE, PACKAGE.parent]
    return {**os.environ, "MYPYPATH": os.pathsep.join(map(str, places))}


def run(*command: str) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-m", *command]
    return subprocess.run(arguments, cwd=HERE, env=environment(), capture_output=True, text=True, check=False)


def passes(*command: str) -> None:
    ended = run(*command)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_mypy_accepts_the_package() -> None:
    passes(*MYPY, "-p", "influx_backup")


def test_the_stub_of_the_native_module_is_right() -> None:
    allowed = ("--allowlist", str(PROJECT / "stubtest.txt"))
    passes(
        "mypy.stubtest", "--concise", "--mypy-config-file", str(PROJECT / "pyproject.toml"), *allowed, "influx_backup"
    )


def test_pyright_accepts_the_package_and_a_right_program() -> None:
    passes("pyright", "--pythonpath", sys.executable, str(PACKAGE), str(HERE / "typing" / "right.py"))


def test_mypy_accepts_a_right_program() -> None:
    passes(*MYPY, str(HERE / "typing" / "right.py"))


def test_mypy_accepts_the_scripts_for_operators_and_their_tests() -> None:
    scripts = sorted((PROJECT.parent / "examples" / "python").glob("*.py"))
    assert scripts
    passes(*MYPY, *map(str, scripts), str(HERE / "test_examples.py"), str(HERE / "schedulers"))


def test_mypy_finds_every_mistake() -> None:
    program = HERE / "typing" / "wrong.py"
    lines = enumerate(program.read_text().splitlines(), 1)
    marked = {number: mark.group(1) for number, line in lines if (mark := re.search(r"# error: (\S+)$", line))}
    found = re.findall(r"wrong\.py:(\d+): error: .*\[([\w-]+)\]$", run(*MYPY, str(program)).stdout, re.MULTILINE)
    assert marked
    assert {int(number): code for number, code in found} == marked


def test_pyright_finds_every_mistake() -> None:
    program = HERE / "typing" / "wrong.py"
    lines = enumerate(program.read_text().splitlines(), 1)
    marked = {number for number, line in lines if "# error: " in line}
    found = re.findall(
        r"wrong\.py:(\d+):\d+ - error", run("pyright", "--pythonpath", sys.executable, str(program)).stdout
    )
    assert {int(number) for number in found} == marked
