"""The verbs that need no repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import _native
from ._native import Certificate, Cluster
from .jobs import Job, ProgressOption, run

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .options import CertifyOptions, DiscoverOptions, Place


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
    return run(_native.discover(source, options), progress)


def discover_async(source: Place, **options: Unpack[DiscoverOptions]) -> Job[Cluster]:
    """`discover` for asyncio."""
    return Job(_native.discover(source, options))


def certify(source: Place, *, progress: ProgressOption = None, **options: Unpack[CertifyOptions]) -> Certificate:
    """Judges whether a tree restores: a backup, a copy that a script made, or a cluster that is stopped.

        >>> certify("/var/lib/influxdb3/restored").is_proven
        True

    A violated clause does not raise: it is in the certificate.

    Args:
        source: A path, a URL, a `Location`, or a store of obstore.
        progress: `True` for a bar on a terminal and log lines elsewhere, a callable for each event, or one of
            `influx_backup.progress`.
        **options: `CertifyOptions` of `influx_backup.options`: `discover`, `limits`.

    Raises:
        UsageError: A place or a limit that cannot be used.
        NotFoundError: There is no cluster (`no-cluster`).
        StoreError: The store failed.
    """
    return run(_native.certify(source, options), progress)


def certify_async(source: Place, **options: Unpack[CertifyOptions]) -> Job[Certificate]:
    """`certify` for asyncio."""
    return Job(_native.certify(source, options))
