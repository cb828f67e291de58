"""Situations in which an error is raised for real: a function for each code, by the code."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlparse

import influx_backup as ib


@dataclass(frozen=True)
class Scratch:
    """Clusters and a repository that are only read, and an empty directory for all else."""

    core: Path
    enterprise: Path
    committed: ib.Repository
    tmp: Path

    @property
    def data(self) -> Path:
        """A copy of `core`, to be damaged."""
        return copy_of(self.core, self.tmp / "data")

    @property
    def repository(self) -> ib.Repository:
        """A repository in a directory that does not exist yet."""
        return ib.Repository(self.tmp / "backups")


Situation = Callable[[Scratch], object]

SITUATIONS: dict[str, Situation] = {}


def raises(code: str) -> Callable[[Situation], Situation]:
    """Marks a function that brings an error about."""

    def add(situation: Situation) -> Situation:
        assert code not in SITUATIONS, code
        SITUATIONS[code] = situation
        return situation

    return add


def path_of(location: ib.Location, key: str = "") -> Path:
    """Where a location, or an object in it, lies in the file system."""
    return Path(unquote(urlparse(str(location)).path)) / key


def copy_of(source: Path, target: Path) -> Path:
    shutil.copytree(source, target, dirs_exist_ok=True)
    return target


def first(directory: Path, pattern: str) -> Path:
    """The first file below a directory that matches."""
    return min(directory.rglob(pattern))


class Meddler:
    """A copier that does something before the first copy of an object whose key has `part`, and leaves copying to the next."""

    def __init__(self, deed: Callable[[ib.CopyRequest], object], part: str) -> None:
        self.deed: Callable[[ib.CopyRequest], object] | None = deed
        self.part = part

    def copy(self, request: ib.CopyRequest, context: ib.CopyContext) -> None:
        if self.deed and self.part in request.source_key:
            deed, self.deed = self.deed, None
            deed(request)
        raise ib.Unsupported


def before_a_copy(deed: Callable[[ib.CopyRequest], object], part: str = "") -> list[Meddler | ib.NativeCopier]:
    """The native copiers, and something that is done before one of them copies."""
    return [Meddler(deed, part), *ib.default_copiers()]


def stop(request: ib.CopyRequest) -> None:
    """What ends a run."""
    raise InterruptedError


def raised_within(run: Callable[[], object]) -> None:
    """Raises what a copier raised within a run."""
    try:
        run()
    except ib.InfluxBackupError as error:
        assert error.__cause__ is not None, error
        raise error.__cause__


from . import backups, copies, places, restores, sources, stores  # noqa: F401
