"""The wheel as `pip` sees it: what is in it, what it says of itself, and that it needs nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from email.message import Message
from email.parser import Parser
from importlib.metadata import version
from pathlib import Path

import influx_backup
import pytest

PROJECT = Path(__file__).parents[1]
SOURCES = PROJECT / "python"
VERSION = version("influx-backup")


@pytest.fixture(scope="module")
def wheel() -> Path:
    """The wheel that is tested, which `make test` names."""
    named = os.environ.get("INFLUX_BACKUP_WHEEL")
    if not named:
        pytest.skip("no wheel is named in INFLUX_BACKUP_WHEEL: pass the tests by `make test`")
    return Path(named)


def text(wheel: Path, name: str) -> str:
    """A file of the directory `*.dist-info`."""
    with zipfile.ZipFile(wheel) as archive:
        (path,) = (path for path in archive.namelist() if re.fullmatch(rf"[^/]*\.dist-info/{name}", path))
        return archive.read(path).decode()


@pytest.fixture
def metadata(wheel: Path) -> Message:
    """What the package says of itself."""
    return Parser().parsestr(text(wheel, "METADATA"))


def test_what_is_tested_is_the_installed_wheel(wheel: Path) -> None:
    assert Path(influx_backup.__file__).is_relative_to(sys.prefix)
    assert not Path(influx_backup.__file__).is_relative_to(PROJECT / "python")


def test_it_is_for_every_python_from_3_10_on_this_platform(wheel: Path) -> None:
    assert re.fullmatch(r"influx_backup-\d+\.\d+\.\d+-cp310-abi3-\w+\.whl", wheel.name)
    if sys.platform == "linux":
        assert "-manylinux_2_" in wheel.name, "a tag of `linux` is refused by PyPI"


def test_it_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = [re.sub(r"^influx_backup-[^/]*\.dist-info", "info", name) for name in archive.namelist()]
    sources = [path for path in SOURCES.rglob("*") if path.suffix in (".py", ".pyi", ".typed")]
    package = {path.relative_to(SOURCES).as_posix() for path in sources} | {"influx_backup/_native.abi3.so"}
    assert {"influx_backup/py.typed", "influx_backup/_native.pyi"} <= package
    info = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE-APACHE", "licenses/LICENSE-MIT"}
    boms = {name for name in names if re.fullmatch(r"info/sboms/.*\.json", name)}
    assert set(names) - boms == package | {f"info/{name}" for name in info}
    assert len(names) == len(set(names))


def test_it_says_what_it_is(metadata: Message) -> None:
    assert (metadata["Name"], metadata["Requires-Python"]) == ("influx-backup", ">=3.10")
    assert metadata["Version"] == VERSION
    assert metadata["License-Expression"] == "MIT OR Apache-2.0"
    assert metadata["Description-Content-Type"].startswith("text/markdown")
    assert metadata.get_payload().strip() == (PROJECT / "README.md").read_text().strip()  # type: ignore[union-attr]
    assert set(metadata.get_all("Classifier", [])) >= {
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Rust",
        "Typing :: Typed",
    }


def test_it_needs_nothing_but_what_an_extra_names(metadata: Message) -> None:
    extras = metadata.get_all("Provides-Extra", [])
    assert sorted(extras) == ["rich", "tqdm"]
    needs = [re.sub(r"[\s'\"]", "", need) for need in metadata.get_all("Requires-Dist", [])]
    assert sorted(needs) == [f"{extra};extra=={extra}" for extra in sorted(extras)]


def test_it_brings_the_program(wheel: Path) -> None:
    assert "influx-backup=influx_backup.__main__:main" in text(wheel, "entry_points.txt").replace(" ", "").splitlines()


def test_it_installs_into_an_empty_environment_without_network_and_compiler(wheel: Path, tmp_path: Path) -> None:
    def run(*command: str | Path) -> str:
        bare = {"PATH": "/nonexistent", "HOME": str(tmp_path)}
        ended = subprocess.run(command, cwd=tmp_path, env=bare, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    environment = tmp_path / "environment"
    run(sys.executable, "-m", "venv", "--without-pip", environment)
    python = environment / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--only-binary", ":all:", wheel)
    modules = sorted(f"influx_backup.{path.stem}" for path in (SOURCES / "influx_backup").glob("[a-z]*.py"))
    assert "influx_backup.progress" in modules
    run(python, "-I", "-W", "error", "-c", f"import {', '.join(modules)}")
    assert run(environment / "bin" / "influx-backup", "--version") == f"influx-backup {VERSION}\n"
    assert run(python, "-m", "influx_backup", "--version") == f"influx-backup {VERSION}\n"
