"""`Repository`: a location that holds backups. What is done with them is a method of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, overload

from . import _native
from ._callbacks import OwnLoop
from ._native import (
    Backup,
    BackupPlan,
    BackupReport,
    BackupSummary,
    Certificate,
    Cluster,
    Leftover,
    Location,
    RepositoryMarker,
    RestorePlan,
    RestoreReport,
    VerifyReport,
)
from .copiers import Copier, NativeCopier
from .jobs import Job, ProgressOption, run, running_loop, start
from .orchestrators import Orchestrator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Unpack

    from .options import (
        BackupOptions,
        CertifyOptions,
        DiscoverOptions,
        ListOptions,
        Place,
        RestoreOptions,
        RestoreRunOptions,
        VerifyOptions,
    )

    _CopierOption = Copier | Sequence[Copier | NativeCopier] | None

    class _Backup(BackupOptions, DiscoverOptions):
        pass

    class _Restore(RestoreOptions, RestoreRunOptions):
        pass


class Repository:
    """A location that holds backups, each in a directory of its own.

    It may be empty or not exist yet: the first backup makes it. Making the object contacts the store once; in an event loop,
    await `Repository.open_async`. Each verb has a form that waits, `repo.backup(…)`, and one for asyncio,
    `repo.backup_async(…)`, which returns a `Job`.

        >>> repo = Repository("s3://vault/nightly", options={"aws_region": "eu-central-1"})

    Args:
        place: A path, a URL, a `Location`, or a store of obstore.
        options: Options of the store, by the names that InfluxDB and object_store use; the environment (`AWS_…`, `AZURE_…`,
            `GOOGLE_…`) is their default. Only with a path or a URL.

    Raises:
        UsageError: A place or an option that cannot be used; a place that is a cluster or a backup, or lies inside one.
        RefusedError: The repository needs a newer release (`unsupported-format`).
        StoreError: The store failed.
    """

    __slots__ = ("_native",)

    _native: _native.Repository

    def __init__(self, place: Place, *, options: Mapping[str, object] | None = None) -> None:
        self._native = _native.Repository(_located(place, options))

    @classmethod
    async def open_async(cls, place: Place, *, options: Mapping[str, object] | None = None) -> Repository:
        """Opens a repository without blocking the event loop. Arguments and errors are those of `Repository(…)`."""
        import asyncio

        return await asyncio.to_thread(cls, place, options=options)

    @property
    def location(self) -> Location:
        """Where it is."""
        return self._native.location

    def marker(self) -> RepositoryMarker | None:
        """The marker of the repository, or `None` where nothing was backed up to it yet.

        Raises:
            RefusedError: It cannot be used, and no backup can be added (`damaged-marker`), or it needs a newer release
                (`unsupported-format`).
            StoreError: The store failed.
        """
        return self._native.marker()

    def __repr__(self) -> str:
        return f"Repository({str(self.location)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Repository) and self.location == other.location

    def __hash__(self) -> int:
        return hash(self.location)

    def __reduce__(self) -> tuple[object, ...]:
        return Repository, (self.location,)

    def plan_backup(
        self, source: Place | Cluster, *, progress: ProgressOption = None, **options: Unpack[_Backup]
    ) -> BackupPlan:
        """What a backup of this cluster would copy now, from one listing of it. Nothing is written.

            >>> print(repo.plan_backup("/var/lib/influxdb3/data"))

        Arguments and errors are those of `backup`, as far as they can be told before anything is copied.
        """
        return run(progress, self._native.plan_backup, source, options)

    def plan_backup_async(self, source: Place | Cluster, **options: Unpack[_Backup]) -> Job[BackupPlan]:
        """`plan_backup` for asyncio."""
        return start(self._native.plan_backup, source, options)

    def backup(
        self,
        source: Place | Cluster,
        *,
        progress: ProgressOption = None,
        object_events: bool = False,
        copier: _CopierOption = None,
        orchestrator: Orchestrator | None = None,
        **options: Unpack[_Backup],
    ) -> BackupReport:
        """Takes a backup of a cluster, which may be running, and proves that it restores.

            >>> report = repo.backup("s3://prod", name="monday", limits={"bandwidth": "100MiB"}, progress=True)
            >>> print(report.status)
            complete

        Ctrl-C stops it within a second. A backup that was stopped is resumed with its name and `on_existing="resume"`.

        Args:
            source: The cluster, or where it lies: a path, a URL, a `Location`, or a store of obstore.
            progress: `True` for a bar on a terminal and log lines elsewhere, a callable for each event, or one of
                `influx_backup.progress`.
            object_events: Sends the events `Vanished`, `Changed`, `Retry` and `Deleted` too, one for each object concerned.
            copier: A `Copier`, or several that are asked in turn. Default: `default_copiers()`.
            orchestrator: Stops the servers before the backup and starts them again after it; one that does not start is in
                `todos` of the report. Default: they keep running.
            **options: `BackupOptions`, and with a place as the source `DiscoverOptions`, of `influx_backup.options`: `name`,
                `on_existing`, `on_violation`, `on_corrupt`, `on_unreadable`, `passes`, `limits`, `takeover`, `derived`, `digest`,
                `sign`, `sign_password`, `absence_tolerance`, `stop_timeout`; `cluster_id`, `node_ids`, `query_only`, `excluded_nodes`.

        Returns:
            What was done, with the certificate of the backup.

        Raises:
            UsageError: Options contradict one another, or the source is a finished backup.
            NotFoundError: There is no cluster at the source (`no-cluster`).
            BackupExistsError: The name is taken.
            BackupInProgressError: Another process writes this backup.
            RefusedError: A backup of this name is unfinished (`backup-unfinished`); there are several clusters; source and
                repository lie inside one another.
            NotConsistentError: The certificate did not close, and `certificate` says what is missing; or the source is corrupt
                (`corrupt-source`). Nothing was committed.
            StoreError: A store failed for longer than `limits` allow.
            OrchestratorError: The orchestrator or a copier of the caller failed.
            TypeError: A keyword that is no option.
            ValueError: The value of an option that cannot be used.
        """
        with OwnLoop() as loop:
            return run(progress, self._native.backup, source, options, object_events, copier, orchestrator, loop)

    def backup_async(
        self,
        source: Place | Cluster,
        *,
        object_events: bool = False,
        copier: _CopierOption = None,
        orchestrator: Orchestrator | None = None,
        **options: Unpack[_Backup],
    ) -> Job[BackupReport]:
        """`backup` for asyncio."""
        loop = running_loop()
        return start(self._native.backup, source, options, object_events, copier, orchestrator, loop)

    def plan_restore(
        self, name: str, target: Place, *, progress: ProgressOption = None, **options: Unpack[RestoreOptions]
    ) -> RestorePlan:
        """What a restore of a backup would do at a target. Nothing is written: a dry run ends here.

            >>> plan = repo.plan_restore("monday", "/var/lib/influxdb3/data", policy="replace")
            >>> print(plan)
            >>> plan.deletions
            ()

        Args:
            name: The backup's name.
            target: Where to restore to: a path, a URL, a `Location`, or a store of obstore.
            progress: `True` for a bar on a terminal and log lines elsewhere, a callable for each event, or one of
                `influx_backup.progress`.
            **options: `RestoreOptions` of `influx_backup.options`: `policy`, `extra_nodes`, `on_catalog_mismatch`,
                `on_degraded`, `ownership`, `linked_directories`, `licenses`, `check`, `expect_sha256`, `trust`.

        Raises:
            UsageError: Options contradict one another, or an owner that this machine does not know.
            NotFoundError: There is no backup of this name (`backup-not-found`).
            TargetNotEmptyError: The target holds data, and `policy` is `empty`.
            RestoreInProgressError: Another process restores to the target.
            RestoreUnfinishedError: The target has an unfinished restore of another backup.
            RefusedError: The target is another cluster (`target-foreign`), or has nodes that the backup lacks (`extra-nodes`);
                the backup is degraded (`degraded-backup`); target and repository lie inside one another.
            NotConsistentError: The backup is damaged.
            StoreError: A store failed.
        """
        return run(progress, self._native.plan_restore, name, target, options)

    def plan_restore_async(self, name: str, target: Place, **options: Unpack[RestoreOptions]) -> Job[RestorePlan]:
        """`plan_restore` for asyncio."""
        return start(self._native.plan_restore, name, target, options)

    @overload
    def restore(
        self,
        what: RestorePlan,
        target: Place | None = None,
        *,
        progress: ProgressOption = None,
        approved_hash: str | None = None,
        object_events: bool = False,
        copier: _CopierOption = None,
        orchestrator: Orchestrator | None = None,
        **options: Unpack[RestoreRunOptions],
    ) -> RestoreReport: ...

    @overload
    def restore(
        self,
        what: str,
        target: Place,
        *,
        progress: ProgressOption = None,
        approved_hash: str | None = None,
        object_events: bool = False,
        copier: _CopierOption = None,
        orchestrator: Orchestrator | None = None,
        **options: Unpack[_Restore],
    ) -> RestoreReport: ...

    def restore(
        self,
        what: RestorePlan | str,
        target: Place | None = None,
        *,
        progress: ProgressOption = None,
        approved_hash: str | None = None,
        object_events: bool = False,
        copier: _CopierOption = None,
        orchestrator: Orchestrator | None = None,
        **options: Unpack[_Restore],
    ) -> RestoreReport:
        """Does what a plan says and nothing else, or restores a backup by its name.

            >>> repo.restore(plan, servers_stopped=True, progress=True)
            >>> repo.restore("monday", "/var/lib/influxdb3/data", policy="replace", servers_stopped=True)

        No server starts on the target before the restore has ended: a boot guard is there as long. Ctrl-C stops it within a
        second. A restore that was stopped is resumed with the same arguments and `on_unfinished="resume"`.

        Args:
            what: What `plan_restore` returned, and the caller approves; or the name of a backup, of which nothing is approved.
            target: Where to restore to: a path, a URL, a `Location`, or a store of obstore. With a plan it is not given, unless
                the store of the target needs options, as all but local files do: a plan holds none, so that it can be shown.
            progress: `True` for a bar on a terminal and log lines elsewhere, a callable for each event, or one of
                `influx_backup.progress`.
            approved_hash: The `hash` of a plan that was approved: with a name, nothing is done that is not in that plan.
            object_events: Sends the events `Vanished`, `Changed`, `Retry` and `Deleted` too, one for each object concerned.
            copier: A `Copier`, or several that are asked in turn. Default: `default_copiers()`.
            orchestrator: Stops the servers first and starts them again at the end; one that does not start is in `todos` of
                the report. A plan that was made while they ran is seldom still true once they are stopped.
            **options: `RestoreRunOptions` of `influx_backup.options`: `servers_stopped`, `on_unfinished`, `limits`,
                `takeover`, `stop_timeout`. With a name `RestoreOptions` too, as `plan_restore` takes them.

        Raises:
            UsageError: The target is not that of the plan.
            NotFoundError: There is no backup of this name (`backup-not-found`).
            PlanChangedError: The restore would do what is not in the plan.
            TargetNotEmptyError: The target holds data, and `policy` is `empty`.
            RestoreInProgressError: Another process restores to this target.
            RestoreUnfinishedError: The target has an unfinished restore: resume or abandon it.
            RefusedError: Servers may run: neither an orchestrator nor `servers_stopped=True` was given.
            NotConsistentError: The backup is damaged.
            StoreError: A store failed for longer than `limits` allow; too little space.
            OrchestratorError: The orchestrator or a copier of the caller failed.
        """
        with OwnLoop() as loop:
            return run(
                progress,
                self._native.restore,
                what,
                target,
                options,
                approved_hash,
                object_events,
                copier,
                orchestrator,
                loop,
            )

    @overload
    def restore_async(
        self,
        what: RestorePlan,
        target: Place | None = None,
        *,
        approved_hash: str | None = None,
        object_events: bool = False,
        copier: _CopierOption = None,
        orchestrator: Orchestrator | None = None,
        **options: Unpack[RestoreRunOptions],
    ) -> Job[RestoreReport]: ...

    @overload
    def restore_async(
        self,
        what: str,
        target: Place,
        *,
        approved_hash: str | None = None,
        object_events: bool = False,
        copier: _CopierOption = None,
        orchestrator: Orchestrator | None = None,
        **options: Unpack[_Restore],
    ) -> Job[RestoreReport]: ...

    def restore_async(
        self,
        what: RestorePlan | str,
        target: Place | None = None,
        *,
        approved_hash: str | None = None,
        object_events: bool = False,
        copier: _CopierOption = None,
        orchestrator: Orchestrator | None = None,
        **options: Unpack[_Restore],
    ) -> Job[RestoreReport]:
        """`restore` for asyncio."""
        loop = running_loop()
        return start(
            self._native.restore, what, target, options, approved_hash, object_events, copier, orchestrator, loop
        )

    def list(self, *, progress: ProgressOption = None, **options: Unpack[ListOptions]) -> tuple[BackupSummary, ...]:
        """Every backup and what else lies here, sorted by name. One that cannot be read keeps no other from the list.

            >>> [backup.name for backup in repo.list() if backup.state == "complete"]
            ['monday']

        Args:
            progress: `True` for a bar on a terminal and log lines elsewhere, a callable for each event, or one of
                `influx_backup.progress`.
            **options: `ListOptions` of `influx_backup.options`: `trust`.

        Raises:
            StoreError: The repository itself cannot be listed.
        """
        return run(progress, self._native.list, options)

    def list_async(self, **options: Unpack[ListOptions]) -> Job[tuple[BackupSummary, ...]]:
        """`list` for asyncio."""
        return start(self._native.list, options)

    def get(self, name: str, *, progress: ProgressOption = None) -> Backup:
        """Opens a committed backup and checks its object list.

        Raises:
            NotFoundError: There is no backup of this name (`backup-not-found`).
            NotConsistentError: It is damaged (`damaged-backup`).
            RefusedError: It needs a newer release (`unsupported-format`).
        """
        return run(progress, self._native.get, name)

    def get_async(self, name: str) -> Job[Backup]:
        """`get` for asyncio."""
        return start(self._native.get, name)

    def verify(self, name: str, *, progress: ProgressOption = None, **options: Unpack[VerifyOptions]) -> VerifyReport:
        """Verifies a committed backup. What is wrong does not raise: it is in the report, and `ok` is false.

            >>> report = repo.verify("monday", level="bytes", sample_percent=5)
            >>> report.ok
            True

        Args:
            name: The backup's name.
            progress: `True` for a bar on a terminal and log lines elsewhere, a callable for each event, or one of
                `influx_backup.progress`.
            **options: `VerifyOptions` of `influx_backup.options`: `level`, `sample_percent`, `expect_sha256`, `trust`, `limits`.

        Raises:
            UsageError: Options contradict one another.
            NotFoundError: There is no backup of this name (`backup-not-found`).
            NotConsistentError: Its own files are damaged (`damaged-backup`).
            StoreError: The store failed.
        """
        return run(progress, self._native.verify, name, options)

    def verify_async(self, name: str, **options: Unpack[VerifyOptions]) -> Job[VerifyReport]:
        """`verify` for asyncio."""
        return start(self._native.verify, name, options)

    def certify(self, name: str, *, progress: ProgressOption = None, **options: Unpack[CertifyOptions]) -> Certificate:
        """Makes the certificate of a backup again, from the bytes it has now. What is wrong with it does not raise.

            >>> repo.certify("monday").is_proven
            True

        Args:
            name: The backup's name.
            progress: `True` for a bar on a terminal and log lines elsewhere, a callable for each event, or one of
                `influx_backup.progress`.
            **options: `CertifyOptions` of `influx_backup.options`: `expect_sha256`, `trust`, `limits`; `discover` has no effect on a
                backup.

        Raises:
            NotFoundError: There is no backup of this name (`backup-not-found`).
            NotConsistentError: Its own files are damaged (`damaged-backup`).
            StoreError: The store failed.
        """
        return run(progress, self._native.certify, name, options)

    def certify_async(self, name: str, **options: Unpack[CertifyOptions]) -> Job[Certificate]:
        """`certify` for asyncio."""
        return start(self._native.certify, name, options)

    def leftovers(self, *, progress: ProgressOption = None) -> tuple[Leftover, ...]:
        """What attempts that ended without a commit left here, sorted by name. What is being written now is not among it.

        Raises:
            StoreError: The store failed. On S3 it takes the right `s3:ListBucketMultipartUploads`, on Google
                `storage.multipartUploads.list`.
        """
        return run(progress, self._native.leftovers)

    def leftovers_async(self) -> Job[tuple[Leftover, ...]]:
        """`leftovers` for asyncio."""
        return start(self._native.leftovers)

    def remove(self, leftover: Leftover, *, progress: ProgressOption = None, object_events: bool = False) -> None:
        """Deletes a leftover, as far as it still is one. It can be cancelled, and done again.

        Args:
            leftover: What `leftovers` returned.
            progress: `True` for a bar on a terminal and log lines elsewhere, a callable for each event, or one of
                `influx_backup.progress`.
            object_events: Sends the event `Deleted` too, one for each object.

        Raises:
            BackupInProgressError: The backup was resumed since.
            BackupExistsError: The backup was finished since.
            StoreError: The store failed.
        """
        run(progress, self._native.remove, leftover, object_events)

    def remove_async(self, leftover: Leftover, *, object_events: bool = False) -> Job[None]:
        """`remove` for asyncio."""
        return start(self._native.remove, leftover, object_events)


def _located(place: Place, options: Mapping[str, object] | None) -> Place:
    return place if options is None else Location(place, options=options)
