"""The options of every verb, with the names of the core. All are optional.

Durations are `timedelta`, texts such as `"90s"` or seconds; sizes are bytes or texts such as `"256MiB"`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Union

if TYPE_CHECKING:
    from ._native import Location

__all__ = [
    "AbandonOptions",
    "BackupOptions",
    "DiscoverOptions",
    "Duration",
    "Limits",
    "Ownership",
    "Passes",
    "Place",
    "RestoreOptions",
    "RestoreRunOptions",
    "Retry",
    "Size",
    "VerifyOptions",
]

Place = Union[str, "os.PathLike[str]", "Location", Any]
"""A path, a URL (`s3://…`, `az://…`, `gs://…`, `file://…`), a `Location`, or a store of obstore."""

Duration = Union[timedelta, str, int]
"""A `timedelta`, a text such as `"90s"`, or whole seconds."""

Size = Union[int, str]
"""Bytes, or a text such as `"256MiB"`."""


class Retry(TypedDict, total=False):
    """How failures are repeated."""

    initial_backoff: Duration
    max_backoff: Duration
    max_elapsed: Duration
    max_outage: Duration | None


class Limits(TypedDict, total=False):
    """How many resources to use."""

    bandwidth: Size | None
    concurrency: int
    durability: Literal["durable", "relaxed"]
    memory: Size
    retry: Retry
    stall_timeout: Duration


class Passes(TypedDict, total=False):
    """When a backup gives up."""

    max_passes: int
    time_limit: Duration


class Ownership(TypedDict, total=False):
    """Who owns what is restored to files."""

    modes: str
    owner: str


class DiscoverOptions(TypedDict, total=False):
    """Which cluster, and which of its nodes."""

    cluster_id: str | None
    excluded_nodes: Sequence[str]
    node_ids: Sequence[str]
    query_only: Sequence[str]


class BackupOptions(TypedDict, total=False):
    """How a backup is taken."""

    absence_tolerance: Literal["strict", "lenient"]
    derived: Literal["exclude", "include"]
    limits: Limits
    name: str | None
    on_corrupt: Literal["fail", "record"]
    on_existing: Literal["refuse", "resume"]
    on_violation: Literal["fail", "degrade"]
    passes: Passes
    stop_timeout: Duration
    takeover: Literal["after_timeout", "immediately"]


class RestoreOptions(TypedDict, total=False):
    """What a restore does."""

    check: Literal["auto", "listing", "structure", "checksums", "bytes"]
    extra_nodes: Literal["refuse", "delete", "keep"]
    licenses: Literal["auto", "restore", "exclude"]
    on_catalog_mismatch: Literal["refuse", "replace"]
    on_degraded: Literal["refuse", "accept"]
    ownership: Ownership
    policy: Literal["empty", "replace", "overlay"]


class RestoreRunOptions(TypedDict, total=False):
    """How a restore runs."""

    limits: Limits
    on_unfinished: Literal["refuse", "resume"]
    servers_stopped: bool
    stop_timeout: Duration
    takeover: Literal["after_timeout", "immediately"]


class VerifyOptions(TypedDict, total=False):
    """How a backup is verified."""

    level: Literal["listing", "structure", "checksums", "bytes"]
    limits: Limits
    sample_percent: int


class AbandonOptions(TypedDict, total=False):
    """How a restore is abandoned."""

    takeover: Literal["after_timeout", "immediately"]
