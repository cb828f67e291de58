"""The options of every verb, with the names of the core. None is required: each has its default.

Durations are `timedelta`, texts such as `"90s"` or seconds; sizes are bytes or texts such as `"256MiB"`. Options that
contradict each other, or a value that cannot be used, raise `UsageError` or `ValueError` before anything is done; a name that
is no option raises `TypeError`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, Protocol, TypedDict, Union

if TYPE_CHECKING:
    from ._native import Location

__all__ = [
    "AbandonOptions",
    "BackupOptions",
    "CertifyOptions",
    "DiscoverOptions",
    "Duration",
    "GenerateOptions",
    "Limits",
    "ListOptions",
    "Ownership",
    "Passes",
    "Place",
    "RestoreOptions",
    "RestoreRunOptions",
    "Retry",
    "Size",
    "Store",
    "VerifyOptions",
]


class Store(Protocol):
    """A store that obstore, or another library with pyo3-object_store, made. Its prefix is the top of the place."""

    @property
    def prefix(self) -> object:
        """What comes before every key."""
        ...


Place = Union[str, "os.PathLike[str]", "Location", Store]
"""A path, a URL (`s3://…`, `az://…`, `gs://…`, `file://…`), a `Location`, or a store of obstore."""

Duration = timedelta | str | float
"""A `timedelta`, a text such as `"90s"`, or seconds."""

Size = int | str
"""Bytes, or a text such as `"256MiB"`."""


class Retry(TypedDict, total=False):
    """How failed requests are tried again: exponential backoff with full jitter, for minutes rather than seconds."""

    initial_backoff: Duration
    """The longest first wait. It doubles after each failure. Default: 200 ms."""

    max_backoff: Duration
    """The longest wait. Default: 20 s."""

    max_elapsed: Duration
    """How long one object is tried: no attempt begins later. Default: 5 minutes.

    More than six minutes only helps against a source that is away: where the repository of a backup, or the target of a
    restore, is, the run ends with `lease-not-renewed` by then.
    """

    max_outage: Duration | None
    """How long a store may be away, refusing connections or silent, before a copy fails: no attempt begins later.

    A store that asks to slow down is not away. Default, `None`: a backup waits as long as `max_elapsed`, which also says how
    much is of use; all others wait 25 s.
    """


class Limits(TypedDict, total=False):
    """How many resources a run uses: a backup, a restore, a verification or a certification."""

    bandwidth: Size | None
    """How many bytes are moved per second, by all workers together, at least 1. Default, `None`: no limit."""

    concurrency: int
    """How many objects are copied, or verified, concurrently, at least 1. Default: 16.

    Listings and deletions have budgets of their own, 16 each.
    """

    durability: Literal["durable", "relaxed"]
    """Whether files are on disk before a stage counts as done. Without effect where nothing is written.

    - `durable` (default): on disk.
    - `relaxed`: left to the operating system: after power loss files may be empty.
    """

    memory: Size
    """How many bytes of objects are held in memory, by all workers together, at least 1. Default: 256 MiB."""

    retry: Retry
    """How often, and for how long, a failed request is tried again."""

    stall_timeout: Duration
    """How long a connection may move nothing before it counts as stalled; more than 0. Default: 1 minute.

    A store may answer nothing for as long before a copy is given up. At most half of `retry.max_outage`, so that one stalled
    connection is tried again. In all but a backup that is 12.5 s, unless `max_outage` is set as well.
    """


class Passes(TypedDict, total=False):
    """When a backup stops trying to close its certificate."""

    max_passes: int
    """The highest number of passes, at least 1. Default: 10."""

    time_limit: Duration
    """After this time no further pass begins. One that is running ends normally. Default: 1 day."""


class Ownership(TypedDict, total=False):
    """Owner and permissions of restored files. Files only; object stores know none."""

    modes: str
    """Permissions: `inherit`, `as-made`, `FILES` or `FILES:DIRECTORIES` in octal digits, such as `"0640"`.

    Directories can be entered where files can be read, if they are not given. Default: `inherit`, those of the target
    directory, files without the execute bits. `as-made`, also `process_default`: as the system makes them.
    """

    owner: str
    """User and group: `inherit`, `as-made`, `USER` or `USER:GROUP`, each by name or number.

    Default: `inherit`, those of the target directory, as a container's volume needs it. `as-made`, also `process_default`: as
    the system makes them.
    """


class DiscoverOptions(TypedDict, total=False):
    """Which cluster, and which of its nodes."""

    cluster_id: str | None
    """The cluster id, where it is known (Enterprise). Default, `None`: it is looked for."""

    excluded_nodes: Sequence[str]
    """Nodes to exclude from the backup. Default: none."""

    node_ids: Sequence[str]
    """The ids of all nodes of the cluster, where they are known. Default: none, they are looked for."""

    query_only: Sequence[str]
    """Nodes that store nothing. Default: none."""


class CertifyOptions(TypedDict, total=False):
    """How a tree is certified."""

    discover: DiscoverOptions
    """Which cluster, and which of its nodes, where the location holds no backup."""

    expect_sha256: str | None
    """SHA-256 of the backup's root manifest, in hex, as the report of the backup gave it. Default: `None`, any.

    Another backup under its name, or an altered one, raises (`untrusted-backup`), and so does one without a checksum of some
    object.
    """

    limits: Limits
    """How many resources to use."""

    trust: str | None
    """A public key of minisign: its line of base64, or the text of its file. Default: `None`.

    A backup that this key has not signed as it is now raises (`untrusted-backup`).
    """


class BackupOptions(TypedDict, total=False):
    """How a backup is taken."""

    absence_tolerance: Literal["strict", "lenient"]
    """What to do when most live Parquet files are gone from the source.

    Core: `dbs` is empty under live references, or lacks more than half of them. Enterprise, where compaction supersedes files:
    `dbs` of a node was emptied while the backup ran.

    - `strict` (default): a violation: a volume is probably not mounted.
    - `lenient`: a finding: the caller knows that retention removed them.
    """

    derived: Literal["exclude", "include"]
    """Whether `table-snapshots/`, `db-indices/` and `table-index-conversion-completed` are copied: all three or none.

    - `exclude` (default): not copied, as documented: InfluxDB makes them again, and a 3.3.0 server did not start with them.
    - `include`: copied.
    """

    digest: Literal["none", "blake3"]
    """The cryptographic digest that objects get in the manifest, where their bytes pass through this process.

    Verification of bytes and restores compare it. The CRC-64/NVME, which every such object has, finds accidents but no forger.

    - `none` (default): none.
    - `blake3`: BLAKE3.
    """

    limits: Limits
    """How many resources to use."""

    name: str | None
    """The backup's name, that of a directory. Default, `None`: `backup-YYYYMMDD-HHMMSS` in UTC."""

    on_corrupt: Literal["fail", "record"]
    """What to do with corrupt objects in the source.

    - `fail` (default): raise (`corrupt-source`) where one stops a server or loses rows.
    - `record`: copy them as they are and record them; the backup is `degraded` where a clause is violated.
    """

    on_existing: Literal["refuse", "resume"]
    """What to do with an unfinished backup of this name.

    - `refuse` (default): raise (`backup-unfinished`).
    - `resume`: objects that are finished are not copied again. Needs a `name`.
    """

    on_unreadable: Literal["refuse", "record"]
    """What to do with objects in the source that cannot be read, or are archived.

    - `refuse` (default): raise (`object-unreadable`, `object-archived`).
    - `record`: leave them out and record them; the backup is `degraded`, and its certificate names them (`C6`).
    """

    on_violation: Literal["fail", "degrade"]
    """What to do when clauses of the certificate are violated at the end.

    - `fail` (default): raise `NotConsistentError` and commit nothing.
    - `degrade`: commit a backup marked `degraded`, with the violated clauses.
    """

    passes: Passes
    """When to stop trying to close the certificate."""

    sign: str | None
    """The text of a file of a secret key of minisign, which signs the root manifest. It is never written or shown. Default: `None`."""

    sign_password: str | None
    """The password of that key, where it has one. It is never written or shown. Default: `None`."""

    stop_timeout: Duration
    """How long each server may take to stop, where there is an orchestrator. Default: 10 minutes."""

    takeover: Literal["after_timeout", "immediately"]
    """When an unfinished backup may be taken over from another process; only with `on_existing="resume"`.

    - `after_timeout` (default): after ten minutes without a heartbeat, or where its holder gave it up.
    - `immediately`: at once: the caller knows that the other process is no longer running.
    """


class RestoreOptions(TypedDict, total=False):
    """What a restore does: all that its plan is made with and its hash covers."""

    check: Literal["auto", "listing", "structure", "checksums", "bytes"]
    """How much of the backup is read before the first write.

    Presence and size of every object are always checked, and every copy is compared with the manifest, in every case.

    - `auto` (default): `bytes` where the restore changes data that the target holds, so that a damaged backup is found while
      that data is still whole; `structure` where there is no data to lose. The first reads the backup twice: choose
      `checksums` or `structure` where that takes too long.
    - `listing`: nothing: an altered object is found when it is copied, and the boot guard stays.
    - `structure`: everything but Parquet and the compactor's files, against its checksum.
    - `checksums`: everything: by the checksum that the backup's store gives, and by reading what it has none for.
    - `bytes`: everything, by reading it.
    """

    expect_sha256: str | None
    """SHA-256 of the backup's root manifest, in hex, as the report of the backup gave it. Default: `None`, any.

    Another backup under its name, or an altered one, raises (`untrusted-backup`), and so does one without a checksum of some
    object.
    """

    extra_nodes: Literal["refuse", "delete", "keep"]
    """What to do with nodes that the target has and the backup lacks.

    - `refuse` (default): raise (`extra-nodes`).
    - `delete`: delete their component directories; only with `policy="replace"`.
    - `keep`: keep them; only with the policies `replace` and `overlay`.
    """

    licenses: Literal["auto", "restore", "exclude"]
    """Which license files are restored.

    Before 3.10 a license is bound to the store (endpoint, bucket and region; account and container; exact path) and to the
    cluster id; from 3.10 it is portable.

    - `auto` (default): those that are valid at the target.
    - `restore`: all of them.
    - `exclude`: none; those that the target has stay.
    """

    linked_directories: Literal["refuse", "follow"]
    """What to do with directories of the target that are links to others, such as `wal` on a volume of its own (files only).

    - `refuse` (default): raise (`link`).
    - `follow`: write and delete where they lead.
    """

    on_catalog_mismatch: Literal["refuse", "replace"]
    """What to do with a target of the same ids whose catalog has another uuid: a cluster that was set up again.

    - `refuse` (default): raise (`target-foreign`).
    - `replace`: replace it.
    """

    on_degraded: Literal["refuse", "accept"]
    """What to do with a backup that was committed although its certificate was violated.

    - `refuse` (default): raise (`degraded-backup`).
    - `accept`: restore it.
    """

    ownership: Ownership
    """Owner and permissions of the files (files only)."""

    policy: Literal["empty", "replace", "overlay"]
    """What to do with what the target holds.

    - `empty` (default): refuse a target that holds anything of the cluster.
    - `replace`: exact state: what is not in the backup is deleted below the component directories of InfluxDB. Other entries
      stay and are named.
    - `overlay`: copy over what is there; drop only what InfluxDB derives, and catalog logs that would lose their root. What
      is newer at the target stays and may undo the restore.
    """

    trust: str | None
    """A public key of minisign: its line of base64, or the text of its file. Default: `None`.

    A backup that this key has not signed as it is now raises (`untrusted-backup`).
    """


class RestoreRunOptions(TypedDict, total=False):
    """How a restore runs. No plan covers it: it may differ from run to run of the same plan."""

    limits: Limits
    """How many resources to use."""

    on_unfinished: Literal["refuse", "resume"]
    """What to do with an unfinished restore at the target.

    - `refuse` (default): raise `RestoreUnfinishedError`.
    - `resume`: resume it, under its own policy, if it restores the same backup.
    """

    servers_stopped: bool | Literal["not_confirmed", "confirmed_by_caller"]
    """Whether the caller has stopped the servers of the target. Default: `False` (`not_confirmed`): without an orchestrator
    only an empty target is restored. `True` is `confirmed_by_caller`.

    An orchestrator takes precedence: it stops the servers and starts them again, regardless of this value.
    """

    stop_timeout: Duration
    """How long each server may take to stop, where there is an orchestrator. Default: 10 minutes."""

    takeover: Literal["after_timeout", "immediately"]
    """When the target may be taken over from another process that restores to it.

    - `after_timeout` (default): after ten minutes without a heartbeat, or where its holder gave it up.
    - `immediately`: at once: the caller knows that the other process is no longer running.
    """


class ListOptions(TypedDict, total=False):
    """How the backups of a repository are listed."""

    trust: str | None
    """A public key of minisign: its line of base64, or the text of its file. Default: `None`.

    A backup that this key has not signed is `untrusted`.
    """


class VerifyOptions(TypedDict, total=False):
    """How a backup is verified."""

    expect_sha256: str | None
    """SHA-256 of the backup's root manifest, in hex, as the report of the backup gave it. Default: `None`, any.

    Another backup under its name, or an altered one, raises (`untrusted-backup`), and so does one without a checksum of some
    object.
    """

    level: Literal["listing", "structure", "checksums", "bytes"]
    """How deep to look.

    - `listing`: presence and size of every object: one listing.
    - `structure` (default): that, and the certificate again from the backup's own bytes. No Parquet file is read.
    - `checksums`: that, and the checksum that the store gives for each object on HEAD, where the manifest has the same kind.
      What could not be compared is counted.
    - `bytes`: the structure, and the bytes of objects against their checksums.
    """

    limits: Limits
    """How many resources to use."""

    sample_percent: int
    """At the level `bytes`: how many percent of the objects are read, from 1 to 100. Default: 100.

    They are chosen at random; at least one.
    """

    trust: str | None
    """A public key of minisign: its line of base64, or the text of its file. Default: `None`.

    A backup that this key has not signed as it is now raises (`untrusted-backup`).
    """


class AbandonOptions(TypedDict, total=False):
    """How a restore is abandoned."""

    takeover: Literal["after_timeout", "immediately"]
    """When the target may be taken over from another process that restores to it.

    - `after_timeout` (default): after ten minutes without a heartbeat, or where its holder gave it up.
    - `immediately`: at once: the caller knows that the other process is no longer running.
    """


class GenerateOptions(TypedDict, total=False):
    """What `influx_backup.testing.generate` writes."""

    edition: Literal["core", "enterprise"]
    """Which InfluxDB 3. Default: `enterprise`."""

    nodes: int
    """How many nodes hold data (Enterprise). Default: 2."""

    snapshots: int
    """How many snapshots each node has taken. Default: 10."""

    file_size: Size
    """How long each Parquet file is. Default: 64 KiB."""

    catalog: Literal["v1", "v2", "v3"]
    """The generation of the catalog. Default: `v3`."""

    seed: int
    """Another seed: other ids and sizes. Default: 0."""
