"""The verbs that need no repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import _native
from ._native import AbandonReport, Backup, Certificate, Cluster, Inventory, Target, VerifyReport
from .jobs import Job, ProgressOption, run, start

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .options import AbandonOptions, CertifyOptions, DiscoverOptions, Place, VerifyOptions


def discover(source: Place, *, progress: ProgressOption = None, **options: Unpack[DiscoverOptions]) -> Cluster:
    """Finds the cluster at a location: edition, ids, nodes, catalog.

        >>> cluster = discover("/var/lib/influxdb3/data")
        >>> cluster.description.edition
        'core'

    Args:
        source: A path, a URL, a `Location`, or a store of obstore.
        progress: `True` for a bar on a terminal and log lines elsewhere, a callable for each event, or one of
            `influx_backup.progress`.
        **options: `DiscoverOptions` of `influx_backup.options`: `cluster_id`, `node_ids`, `query_only`, `excluded_nodes`.

    Raises:
        UsageError: A place that cannot be used.
        NotFoundError: There is no cluster (`no-cluster`), or a given id has no objects (`unknown-id`).
        RefusedError: There are several clusters, or the catalog cannot say which nodes belong to it: name them.
        StoreError: The store failed.
    """
    return run(progress, _native.discover, source, options)


def discover_async(source: Place, **options: Unpack[DiscoverOptions]) -> Job[Cluster]:
    """`discover` for asyncio."""
    return start(_native.discover, source, options)


def inventory(cluster: Cluster, *, progress: ProgressOption = None) -> Inventory:
    """Lists a cluster once: every object, in the order of listings that a backup uses.

        >>> inventory(discover("/var/lib/influxdb3/data")).objects
        217

    Raises:
        NotFoundError: The location is gone.
        StoreError: The store failed.
    """
    return run(progress, _native.inventory, cluster)


def inventory_async(cluster: Cluster) -> Job[Inventory]:
    """`inventory` for asyncio."""
    return start(_native.inventory, cluster)


def certify(
    source: Place | Cluster | Backup, *, progress: ProgressOption = None, **options: Unpack[CertifyOptions]
) -> Certificate:
    """Judges whether a tree restores: a backup, a copy that a script made, or a cluster that is stopped.

        >>> certify("/var/lib/influxdb3/restored").is_proven
        True

    A violated clause does not raise: it is in the certificate.

    Args:
        source: A path, a URL, a `Location`, or a store of obstore; a `Cluster`; a `Backup`.
        progress: `True` for a bar on a terminal and log lines elsewhere, a callable for each event, or one of
            `influx_backup.progress`.
        **options: `CertifyOptions` of `influx_backup.options`: `discover`, `limits`; of a backup `expect_sha256`, `trust`.

    Raises:
        UsageError: A place or a limit that cannot be used.
        NotFoundError: There is no cluster (`no-cluster`).
        StoreError: The store failed.
    """
    return run(progress, _native.certify, source, options)


def certify_async(source: Place | Cluster | Backup, **options: Unpack[CertifyOptions]) -> Job[Certificate]:
    """`certify` for asyncio."""
    return start(_native.certify, source, options)


def verify(
    backup: Place | Backup, *, progress: ProgressOption = None, **options: Unpack[VerifyOptions]
) -> VerifyReport:
    """Verifies the backup at a place. What is wrong does not raise: it is in the report, and `ok` is false.

        >>> verify("/backups/monday", level="bytes").ok
        True

    Args:
        backup: A path, a URL, a `Location`, or a store of obstore; a `Backup`.
        progress: `True` for a bar on a terminal and log lines elsewhere, a callable for each event, or one of
            `influx_backup.progress`.
        **options: `VerifyOptions` of `influx_backup.options`: `level`, `sample_percent`, `expect_sha256`, `trust`,
            `limits`.

    Raises:
        UsageError: Options contradict one another.
        NotFoundError: There is no backup at the place (`backup-not-found`).
        NotConsistentError: Its own files are damaged (`damaged-backup`).
        StoreError: The store failed.
    """
    return run(progress, _native.verify, backup, options)


def verify_async(backup: Place | Backup, **options: Unpack[VerifyOptions]) -> Job[VerifyReport]:
    """`verify` for asyncio."""
    return start(_native.verify, backup, options)


def inspect(target: Place, *, progress: ProgressOption = None) -> Target:
    """Looks at what is at the place that a backup would be restored to. Nothing is written.

        >>> inspect("/var/lib/influxdb3/data").unfinished is None
        True

    Raises:
        UsageError: A place that cannot be used.
        StoreError: The store failed.
    """
    return run(progress, _native.inspect, target)


def inspect_async(target: Place) -> Job[Target]:
    """`inspect` for asyncio."""
    return start(_native.inspect, target)


def abandon(
    target: Place, *, progress: ProgressOption = None, object_events: bool = False, **options: Unpack[AbandonOptions]
) -> AbandonReport:
    """Undoes an unfinished restore that has overwritten and deleted nothing: the target is as it was.

    Args:
        target: Where the restore was begun: a path, a URL, a `Location`, or a store of obstore.
        progress: `True` for a bar on a terminal and log lines elsewhere, a callable for each event, or one of
            `influx_backup.progress`.
        object_events: Sends the event `Deleted` too, one for each object.
        **options: `AbandonOptions` of `influx_backup.options`: `takeover`.

    Raises:
        NotFoundError: There is no unfinished restore (`no-restore`).
        RefusedError: It has changed what was there before (`cannot-abandon`): resume it.
        RestoreInProgressError: Another process restores to the target.
        StoreError: The store failed.
    """
    return run(progress, _native.abandon, target, options, object_events)


def abandon_async(
    target: Place, *, object_events: bool = False, **options: Unpack[AbandonOptions]
) -> Job[AbandonReport]:
    """`abandon` for asyncio."""
    return start(_native.abandon, target, options, object_events)
