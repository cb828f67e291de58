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
    """Finds the cluster at a location: edition, ids, nodes, catalog."""
    return run(_native.discover(source, options), progress)


def discover_async(source: Place, **options: Unpack[DiscoverOptions]) -> Job[Cluster]:
    """`discover` for asyncio."""
    return Job(_native.discover(source, options))


def certify(source: Place, *, progress: ProgressOption = None, **options: Unpack[CertifyOptions]) -> Certificate:
    """Judges whether any tree restores: `is_proven` says so."""
    return run(_native.certify(source, options), progress)


def certify_async(source: Place, **options: Unpack[CertifyOptions]) -> Job[Certificate]:
    """`certify` for asyncio."""
    return Job(_native.certify(source, options))
