"""`Repository`: a location that holds backups. What is done with them is a method of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from . import _native
from ._native import (
    Backup,
    BackupPlan,
    BackupReport,
    BackupSummary,
    Cluster,
    Leftover,
    Location,
    RepositoryMarker,
    RestorePlan,
    RestoreReport,
    VerifyReport,
)
from .copiers import Copier, NativeCopier
from .jobs import Job, ProgressOption, run, running_loop
from .orchestrators import Orchestrator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Unpack

    from .options import (
        BackupOptions,
        DiscoverOptions,
        Place,
        RestoreOptions,
        RestoreRunOptions,
        VerifyOptions,
    )

    _CopierOption = Copier | Sequence[Copier | NativeCopier] | None

    class _Backup(BackupOptions, DiscoverOptions):
        pass


class Repository:
    """A location that holds backups, each in a directory of its own.

    It may be empty or not exist yet: the first backup makes it. Making the object contacts the store once; in an event loop,
    await `Repository.open_async`. Each verb has a form that waits, `repo.backup(…)`, and one for asyncio,
    `repo.backup_async(…)`, which returns a `Job`.

        >>> repo = Repository("s3://vault/nightly", options={"aws_region": "eu-central-1"})

    `options` are those of the store, by the names that InfluxDB and object_store use; the environment (`AWS_…`, `AZURE_…`,
    `GOOGLE_…`) is their default.
    """

    _native: _native.Repository

    def __init__(self, place: Place, *, options: Mapping[str, object] | None = None) -> None:
        self._native = _native.Repository(_located(place, options))

    @classmethod
    async def open_async(cls, place: Place, *, options: Mapping[str, object] | None = None) -> Repository:
        """Opens a repository without blocking the event loop."""
        import asyncio

        return await asyncio.to_thread(cls, place, options=options)

    @property
    def location(self) -> Location:
        """Where it is."""
        return self._native.location

    def marker(self) -> RepositoryMarker | None:
        """The marker of the repository, or `None` where nothing was backed up to it yet."""
        return self._native.marker()

    def __repr__(self) -> str:
        return f"Repository({str(self.location)!r})"

    def plan_backup(
        self, source: Place | Cluster, *, progress: ProgressOption = None, **options: Unpack[_Backup]
    ) -> BackupPlan:
        """What a backup of this cluster would copy now, from one listing of it. Nothing is written."""
        return run(_native.plan_backup(self._native, source, options), progress)

    def plan_backup_async(self, source: Place | Cluster, **options: Unpack[_Backup]) -> Job[BackupPlan]:
        """`plan_backup` for asyncio."""
        return Job(_native.plan_backup(self._native, source, options))

    def backup(
        self,
        source: Place | Cluster,
        *,
        progress: ProgressOption = None,
        copier: _CopierOption = None,
        orchestrator: Orchestrator | None = None,
        **options: Unpack[_Backup],
    ) -> BackupReport:
        """Takes a backup of the cluster at `source`, which may be running, and proves that it restores."""
        return run(_native.backup(self._native, source, options, copier, orchestrator, None), progress)

    def backup_async(
        self,
        source: Place | Cluster,
        *,
        copier: _CopierOption = None,
        orchestrator: Orchestrator | None = None,
        **options: Unpack[_Backup],
    ) -> Job[BackupReport]:
        """`backup` for asyncio."""
        loop = running_loop()
        return Job(_native.backup(self._native, source, options, copier, orchestrator, loop))

    def plan_restore(
        self, name: str, target: Place, *, progress: ProgressOption = None, **options: Unpack[RestoreOptions]
    ) -> RestorePlan:
        """What a restore of a backup would do at `target`. Nothing is written: a dry run ends here."""
        return run(_native.plan_restore(self._native, name, target, options), progress)

    def plan_restore_async(self, name: str, target: Place, **options: Unpack[RestoreOptions]) -> Job[RestorePlan]:
        """`plan_restore` for asyncio."""
        return Job(_native.plan_restore(self._native, name, target, options))

    def restore(
        self,
        plan: RestorePlan,
        target: Place | None = None,
        *,
        progress: ProgressOption = None,
        copier: _CopierOption = None,
        orchestrator: Orchestrator | None = None,
        **options: Unpack[RestoreRunOptions],
    ) -> RestoreReport:
        """Does what a plan says, and nothing else: raises `PlanChangedError` where that has changed meanwhile."""
        return run(_native.restore(self._native, plan, target, options, copier, orchestrator, None), progress)

    def restore_async(
        self,
        plan: RestorePlan,
        target: Place | None = None,
        *,
        copier: _CopierOption = None,
        orchestrator: Orchestrator | None = None,
        **options: Unpack[RestoreRunOptions],
    ) -> Job[RestoreReport]:
        """`restore` for asyncio."""
        loop = running_loop()
        return Job(_native.restore(self._native, plan, target, options, copier, orchestrator, loop))

    def list(self, *, progress: ProgressOption = None) -> tuple[BackupSummary, ...]:
        """Every backup and what else lies here, sorted by name."""
        return run(_native.list(self._native), progress)

    def list_async(self) -> Job[tuple[BackupSummary, ...]]:
        """`list` for asyncio."""
        return Job(_native.list(self._native))

    def get(self, name: str, *, progress: ProgressOption = None) -> Backup:
        """Opens a committed backup and checks its object list."""
        return run(_native.get(self._native, name), progress)

    def get_async(self, name: str) -> Job[Backup]:
        """`get` for asyncio."""
        return Job(_native.get(self._native, name))

    def verify(self, name: str, *, progress: ProgressOption = None, **options: Unpack[VerifyOptions]) -> VerifyReport:
        """Verifies a committed backup; what is wrong is in the report, and `ok` is false."""
        return run(_native.verify(self._native, name, options), progress)

    def verify_async(self, name: str, **options: Unpack[VerifyOptions]) -> Job[VerifyReport]:
        """`verify` for asyncio."""
        return Job(_native.verify(self._native, name, options))

    def leftovers(self, *, progress: ProgressOption = None) -> tuple[Leftover, ...]:
        """What attempts that ended without a commit left here, sorted by name."""
        return run(_native.leftovers(self._native), progress)

    def leftovers_async(self) -> Job[tuple[Leftover, ...]]:
        """`leftovers` for asyncio."""
        return Job(_native.leftovers(self._native))

    def remove(self, leftover: Leftover, *, progress: ProgressOption = None) -> None:
        """Deletes a leftover, as far as it still is one."""
        run(_native.remove(self._native, leftover), progress)

    def remove_async(self, leftover: Leftover) -> Job[None]:
        """`remove` for asyncio."""
        return Job(_native.remove(self._native, leftover))


def _located(place: Place, options: Mapping[str, object] | None) -> Place:
    if options is None:
        return place
    if isinstance(place, (str, os.PathLike)):
        return Location(place, options=options)
    raise TypeError("options of a store go with a path or a URL; a Location has its own")
