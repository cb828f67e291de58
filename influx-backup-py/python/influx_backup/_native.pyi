"""The native part of influx_backup: data as frozen classes, and each verb as a function that starts a job.

Data cannot be made or changed: verbs return it, and `from_json` reads it. Documents that are equal have equal hashes, and
can be pickled. Sizes are bytes, times are aware and in UTC, names of enums are those of `influx_backup.names`.

The classes `Job` and `Repository` and the functions of verbs are wrapped by those of the package.
"""

import asyncio
import builtins
import os
from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeAlias, TypeVar, final

from typing_extensions import disjoint_base

from ._callbacks import OwnLoop
from .copiers import Copier
from .names import (
    BackupState,
    BackupStatus,
    Basis,
    Category,
    Changes,
    CheckedBy,
    Clause,
    Component,
    CreateOnly,
    Edition,
    ExtraNodes,
    Generation,
    GenerationState,
    Group,
    Inodes,
    LeftoverKind,
    Phase,
    Policy,
    Provider,
    RestorePhase,
    Role,
    RootAction,
    RootContent,
    Severity,
    SkippedKind,
    SkipReason,
    StageKind,
    Synced,
    Times,
    Transfer,
    Transform,
    Verdict,
    VerifyLevel,
)
from .options import Place
from .orchestrators import Orchestrator

__all__ = [
    "ERROR_CODES",
    "FINDING_CODES",
    "AbandonReport",
    "Abilities",
    "AbsentRecord",
    "AbsentTable",
    "Backup",
    "BackupPlan",
    "BackupReport",
    "BackupSummary",
    "CatalogNode",
    "Certificate",
    "Certified",
    "Changed",
    "CheckStarted",
    "ClauseResult",
    "Cluster",
    "ClusterDescription",
    "Committed",
    "CopyContext",
    "CopyRequest",
    "Deleted",
    "ErrorReport",
    "Event",
    "Finding",
    "FindingEvent",
    "Finished",
    "FoundGeneration",
    "FoundRoot",
    "Generated",
    "GeneratedNode",
    "Guaranteed",
    "GuardReleased",
    "GuardSet",
    "Hint",
    "Identity",
    "Inventory",
    "Job",
    "Lagged",
    "LeaseHolder",
    "Leftover",
    "Listing",
    "Location",
    "Manifest",
    "NativeCopier",
    "Node",
    "NodeStarted",
    "NodeStopped",
    "ObjectMeta",
    "ObjectRecord",
    "PassFinished",
    "PassReport",
    "PassStarted",
    "Prefix",
    "Progress",
    "ProgressEvent",
    "Reached",
    "Recovery",
    "RecoveryPoint",
    "RecoveryTimes",
    "Repository",
    "RepositoryMarker",
    "RestorePlan",
    "RestoreReport",
    "Retry",
    "RootStep",
    "ServerReleases",
    "Skipped",
    "Stage",
    "StageFinished",
    "StageStarted",
    "Target",
    "UnfinishedRestore",
    "Vanished",
    "VerifyReport",
    "Version",
    "__version__",
    "_read",
    "abandon",
    "certify",
    "default_copiers",
    "discover",
    "generate",
    "inspect",
    "inventory",
    "run_program",
    "verify",
]

_T = TypeVar("_T")

# Places

@final
class Location:
    """Where objects live: a directory, or a bucket or container with an optional prefix.

    `place` is a path, a URL (`s3://…`, `az://…`, `gs://…`, `file://…`) or a store of obstore. `options` are those of the
    store, by the names that InfluxDB and object_store use; the environment (`AWS_…`, `AZURE_…`, `GOOGLE_…`) is their
    default. `str()` is the location as a URL or path, without credentials. No store is contacted.

    Raises `UsageError` for a place or an option that cannot be used.
    """

    def __new__(cls, place: Place, *, options: Mapping[str, object] | None = None) -> Location: ...
    @property
    def provider(self) -> Provider:
        """Which kind of store this is: `file`, `s3`, `azure`, `gcs` or `other`."""

    @property
    def identity(self) -> Identity:
        """Who keeps the objects, without any secret."""

    @property
    def name(self) -> str | None:
        """The last segment of the location; `None` at the top of a bucket or file system."""

    @property
    def parent(self) -> Location | None:
        """The location one segment above this one; `None` at the top of a bucket or file system."""

    def child(self, tail: str) -> Location:
        """The location `tail` below this one, also `location / tail`. Raises `RefusedError` for a name that climbs out."""

    def __contains__(self, other: Location, /) -> bool:
        """Whether `other` is this location or lies inside it, as far as their names show it."""

    def __truediv__(self, tail: str, /) -> Location:
        """The location `tail` below this one."""

    def __rtruediv__(self, value: Any, /) -> Any: ...

# Copiers

@final
class NativeCopier:
    """The copiers of the package, in their order. It goes into a chain: `copier=[Mine(), *default_copiers()]`."""

@final
class CopyRequest:
    """One object to move."""

    @property
    def source(self) -> Location:
        """Where the object lies."""

    @property
    def source_key(self) -> str:
        """Its key there."""

    @property
    def target(self) -> Location:
        """Where to copy it to."""

    @property
    def target_key(self) -> str:
        """Its key there."""

    @property
    def size(self) -> int:
        """How many bytes it has."""

    @property
    def crc64(self) -> str | None:
        """The checksum (CRC-64/NVME, sixteen hex digits) that it is expected to have, where that is known."""

    @property
    def e_tag(self) -> str | None:
        """The entity tag of the version to copy, where the store has them."""

    @property
    def transform(self) -> Transform:
        """What is done to the bytes on the way; raise `Unsupported` for what is not known."""

    @property
    def transfer(self) -> Transfer:
        """How the object may be moved: `any`, or `read_through`, which a copy by the store itself is not."""

    def check_lease(self) -> None:
        """To be called directly before each request that changes the target. Raises `LeaseLost` where another process may have
        taken it over.
        """

@final
class CopyContext:
    """What a copier may use besides the request."""

    @property
    def is_cancelled(self) -> bool:
        """Whether the copy is to stop: look at it now and then."""

    def moved(self, bytes: int) -> None:
        """Reports that this many bytes were moved."""

def default_copiers() -> builtins.list[NativeCopier]:
    """The copiers that a backup and a restore use unless told otherwise: to be put behind one's own."""

# Clusters

@final
class Identity:
    """Who keeps the objects of a location, without any secret."""

    @property
    def provider(self) -> Provider:
        """Which kind of store: `file`, `s3`, `azure`, `gcs` or `other`."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> Identity:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class Node:
    """One node of a cluster."""

    @property
    def id(self) -> str:
        """Its id, which is also its prefix. May contain `/`."""

    @property
    def roles(self) -> tuple[Role, ...]:
        """What it does, sorted."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> Node:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class FoundGeneration:
    """One generation of the catalog that the store has."""

    @property
    def generation(self) -> Generation:
        """Which one."""

    @property
    def state(self) -> GenerationState:
        """Whether it is the one that a server loads, or a frozen older one."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> FoundGeneration:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class CatalogNode:
    """A node that the catalog names."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def in_store(self) -> bool:
        """Whether the store has objects under it."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> CatalogNode:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class ClusterDescription:
    """What a manifest keeps of a cluster: all of it but the location's credentials."""

    @property
    def location(self) -> str:
        """The location as a URL."""

    @property
    def identity(self) -> Identity:
        """Who keeps the objects: what licenses were bound to before 3.10."""

    @property
    def edition(self) -> Edition:
        """Core or Enterprise."""

    @property
    def cluster_id(self) -> str | None:
        """The cluster id; `None` for Core."""

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes, sorted by id."""

    @property
    def catalogs(self) -> tuple[FoundGeneration, ...]:
        """The generations of the catalog found, oldest first."""

    @property
    def catalog_nodes(self) -> tuple[CatalogNode, ...] | None:
        """Node ids that the catalog names, or `None` where it cannot be read."""

    @property
    def excluded_nodes(self) -> tuple[str, ...]:
        """Node ids that the caller excluded by name."""

    @property
    def unclaimed_nodes(self) -> tuple[str, ...]:
        """Prefixes that look like nodes of this cluster, or of none, and are neither among its nodes nor excluded by
        name.
        """

    @property
    def licenses(self) -> tuple[str, ...]:
        """License files, by key."""

    @property
    def foreign(self) -> tuple[str, ...]:
        """Names that belong to no node and not to the cluster (the prefixes of other clusters, too): not copied."""

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names below a node or the cluster that this release does not know: copied and reported."""

    @property
    def notes(self) -> tuple[Finding, ...]:
        """What was found that stops nothing."""

    @property
    def evidence(self) -> tuple[str, ...]:
        """How the cluster was recognized, for a person."""

    @property
    def id(self) -> str:
        """The cluster id, or for Core the node id."""

    @property
    def catalog_prefix(self) -> str:
        """Where the catalog lies."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> ClusterDescription:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class Cluster:
    """A cluster at a location, as discovery found it. `description` is all that was found."""

    @property
    def location(self) -> Location:
        """Where it lives."""

    @property
    def id(self) -> str:
        """The cluster id, or for Core the node id."""

    @property
    def edition(self) -> Edition:
        """Core or Enterprise."""

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes, sorted by id."""

    @property
    def catalog_prefix(self) -> str:
        """Where the catalog lies."""

    @property
    def notes(self) -> tuple[Finding, ...]:
        """What was found that stops nothing."""

    def to_json(self) -> str:
        """The description as JSON. A cluster itself is not made from it: its location may need credentials."""

    def to_dict(self) -> dict[str, Any]:
        """The description as dicts, lists and plain values."""

    @property
    def description(self) -> ClusterDescription:
        """Everything discovery found."""

# Objects and listings

@final
class Version:
    """Which version of an object it is."""

    @property
    def e_tag(self) -> str | None:
        """The store's entity tag, where it gives one."""

    @property
    def id(self) -> str | None:
        """The store's version id, in versioned buckets."""

    @property
    def modified(self) -> datetime:
        """When it was last modified."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> Version:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class ObjectMeta:
    """One object of a location."""

    @property
    def key(self) -> str:
        """Its key, relative to the location."""

    @property
    def size(self) -> int:
        """Its length in bytes."""

    @property
    def version(self) -> Version:
        """Which version of it."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> ObjectMeta:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class Listing:
    """One listing of a cluster."""

    @property
    def group(self) -> Group:
        """What was listed."""

    @property
    def owner(self) -> str:
        """Whose: a node id, or the prefix of the catalog."""

    @property
    def started(self) -> datetime:
        """When it began."""

    @property
    def ended(self) -> datetime:
        """When it ended."""

    @property
    def order(self) -> int:
        """Its place in the order in which the listings of a run happened."""

    @property
    def entries(self) -> tuple[ObjectMeta, ...]:
        """What it found. Made anew at each look."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> Listing:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class Inventory:
    """What one pass over a cluster listed, in the order in which it was listed."""

    @property
    def listings(self) -> tuple[Listing, ...]:
        """The listings."""

    @property
    def objects(self) -> int:
        """How many objects were listed."""

    @property
    def bytes(self) -> int:
        """How many bytes they have."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> Inventory:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

# The proof

@final
class Finding:
    """Something that was found. `str()` shows its message."""

    @property
    def code(self) -> str:
        """What it is, by a stable code: one of `FINDING_CODES`."""

    @property
    def severity(self) -> Severity:
        """How serious it is: that of its code."""

    @property
    def clause(self) -> Clause | None:
        """The clause that it belongs to, where it belongs to one."""

    @property
    def node(self) -> str | None:
        """The node concerned."""

    @property
    def key(self) -> str | None:
        """The object concerned."""

    @property
    def message(self) -> str:
        """A sentence for a person."""

    @property
    def expected(self) -> int | None:
        """The number that should be there: a size in bytes, a count of files, the number of a log."""

    @property
    def found(self) -> int | None:
        """The number that is there instead."""

    @property
    def range(self) -> tuple[int, int] | None:
        """The first and the last number of a run of WAL files."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> Finding:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class ClauseResult:
    """One clause of the proof and what was found."""

    @property
    def clause(self) -> Clause:
        """Which one: `C1` to `C9`."""

    @property
    def verdict(self) -> Verdict:
        """Whether it holds, is violated, or could not be judged."""

    @property
    def basis(self) -> Basis:
        """How that is known."""

    @property
    def violations(self) -> tuple[Finding, ...]:
        """What violates it, as `Finding`s: the first 100 of each code."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How many violations there are in all, by code."""

    @property
    def violated(self) -> int:
        """How many violations there are in all."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> ClauseResult:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class Guaranteed:
    """The newest snapshot of a node."""

    @property
    def snapshot(self) -> int:
        """Its sequence number."""

    @property
    def wal(self) -> int:
        """The last WAL file that it covers."""

    @property
    def time(self) -> datetime:
        """When it was stored."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> Guaranteed:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class Reached:
    """The last WAL file of a node."""

    @property
    def wal(self) -> int:
        """Its number."""

    @property
    def time(self) -> datetime:
        """When it was stored: what was acknowledged later is lost if the cluster dies now."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> Reached:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class RecoveryPoint:
    """Where a node can be recovered to."""

    @property
    def node(self) -> str:
        """The node."""

    @property
    def guaranteed(self) -> Guaranteed | None:
        """The newest snapshot: what is certain even without any WAL."""

    @property
    def reached(self) -> Reached | None:
        """The last WAL file held above it: what a server replays."""

    @property
    def time(self) -> datetime | None:
        """What the node acknowledged after this time is lost if the cluster dies now; `None` where it holds nothing."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> RecoveryPoint:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class RecoveryTimes:
    """The times that a node can be recovered to."""

    @property
    def guaranteed(self) -> datetime | None:
        """When the newest snapshot was stored: what is certain even without any WAL."""

    @property
    def reached(self) -> datetime | None:
        """What the node acknowledged after this time is lost if the cluster dies now."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> RecoveryTimes:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class AbsentTable:
    """Live files that neither the backup nor the source has."""

    @property
    def node(self) -> str:
        """The node."""

    @property
    def database(self) -> int:
        """The database's id."""

    @property
    def table(self) -> int:
        """The table's id."""

    @property
    def files(self) -> int:
        """How many files."""

    @property
    def rows(self) -> int:
        """How many rows they had."""

    @property
    def newest(self) -> datetime:
        """The newest row's time."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> AbsentTable:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class Certificate:
    """The proof that a backup restores.

    `str()` shows it as text. `certify` makes one from any tree; a backup keeps the one that it was committed with.
    """

    @property
    def clauses(self) -> tuple[ClauseResult, ...]:
        """Every clause, in order."""

    @property
    def recovery(self) -> tuple[RecoveryPoint, ...]:
        """Where each node can be recovered to."""

    @property
    def recovery_points(self) -> Mapping[str, RecoveryTimes]:
        """Where each node can be recovered to, by its id."""

    @property
    def absent(self) -> tuple[AbsentTable, ...]:
        """Live files that neither the backup nor the source has, per node and table."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Findings that violate nothing."""

    @property
    def checked_by(self) -> Mapping[CheckedBy, int]:
        """How many objects were compared by what."""

    @property
    def catalog_sequence(self) -> int | None:
        """The sequence of the live catalog."""

    @property
    def orphans(self) -> int:
        """Parquet files that no manifest names: copied, never certified."""

    @property
    def holds(self) -> bool:
        """Whether no clause is violated."""

    @property
    def is_proven(self) -> bool:
        """Whether the tree is proven to restore: no clause is violated, and what its bytes must tell (C1 to C5) is
        known.
        """

    @property
    def violated_clauses(self) -> tuple[Clause, ...]:
        """The clauses that are violated."""

    @property
    def violations(self) -> tuple[Finding, ...]:
        """Every violation that is kept, clause by clause."""

    @property
    def absent_files(self) -> int:
        """How many live files are absent."""

    @property
    def summary(self) -> str:
        """One line: the violated clauses, each with its first reason."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> Certificate:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

# Plans and reports

@final
class BackupPlan:
    """What a backup of a cluster would copy. `str()` shows it as text."""

    @property
    def cluster(self) -> str:
        """The cluster id, or for Core the node id."""

    @property
    def edition(self) -> Edition:
        """Core or Enterprise."""

    @property
    def source(self) -> str:
        """The source, as a URL without credentials."""

    @property
    def stages(self) -> tuple[Stage, ...]:
        """What is copied, in order: each stage is finished before the next one begins."""

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """What is skipped, and why."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What else was found."""

    @property
    def objects(self) -> int:
        """How many objects it copies."""

    @property
    def bytes(self) -> int:
        """How many bytes."""

    @property
    def hash(self) -> str:
        """The same for the same plan on every machine."""

    def to_json(self) -> str:
        """The plan as a JSON document, with a format version and its hash."""

    def to_dict(self) -> dict[str, Any]:
        """The plan as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> BackupPlan:
        """Reads what `to_json` wrote. Raises `UsageError` where it was altered or is something else."""

@final
class RestorePlan:
    """What a restore would do: to be shown, approved and run. `str()` shows it as text."""

    @property
    def backup(self) -> str:
        """The backup's name."""

    @property
    def manifest_sha256(self) -> str:
        """SHA-256 of its root manifest."""

    @property
    def cluster(self) -> str:
        """The cluster id, or for Core the node id."""

    @property
    def edition(self) -> Edition:
        """Core or Enterprise."""

    @property
    def target(self) -> str:
        """The target, as a URL without credentials."""

    @property
    def target_identity(self) -> Identity:
        """Who keeps the objects of the target."""

    @property
    def options(self) -> dict[str, Any]:
        """The `RestoreOptions` that the plan was made with."""

    @property
    def policy(self) -> Policy:
        """The policy that holds: that of an unfinished restore, where the plan resumes one."""

    @property
    def resumes(self) -> str | None:
        """The id of the unfinished restore that is resumed."""

    @property
    def guards(self) -> tuple[str, ...]:
        """Where the boot guard is put, so that no server starts meanwhile."""

    @property
    def release(self) -> tuple[RootStep, ...]:
        """What happens to each guard at the end, in order."""

    @property
    def stages(self) -> tuple[Stage, ...]:
        """What is copied, in order: each stage is finished before the next one begins."""

    @property
    def kept(self) -> tuple[str, ...]:
        """What the target holds besides the backup: names, not touched."""

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """What is skipped, and why."""

    @property
    def live(self) -> Generation:
        """The generation of the catalog that servers load."""

    @property
    def servers(self) -> ServerReleases:
        """Which server releases may open the result."""

    @property
    def stop(self) -> tuple[Node, ...]:
        """The nodes whose servers have to be stopped, in order."""

    @property
    def start(self) -> tuple[Node, ...]:
        """The nodes whose servers are started again, in order."""

    @property
    def todos(self) -> tuple[Finding, ...]:
        """What the caller has to do."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What else was found."""

    @property
    def objects(self) -> int:
        """How many objects it copies."""

    @property
    def bytes(self) -> int:
        """How many bytes."""

    @property
    def hash(self) -> str:
        """The same for the same plan on every machine."""

    @property
    def overwrites(self) -> tuple[str, ...]:
        """Keys at the target that would be overwritten."""

    @property
    def deletions(self) -> tuple[str, ...]:
        """Keys at the target that would be deleted."""

    @property
    def licenses_skipped(self) -> tuple[str, ...]:
        """License files that are not restored."""

    def to_json(self) -> str:
        """The plan as a JSON document, with a format version and its hash."""

    def to_dict(self) -> dict[str, Any]:
        """The plan as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> RestorePlan:
        """Reads what `to_json` wrote. Raises `UsageError` where it was altered or is something else."""

@final
class Stage:
    """A set of copies: all of them are finished before the next stage begins."""

    @property
    def kind(self) -> StageKind:
        """What it copies."""

    @property
    def objects(self) -> int:
        """How many objects it copies."""

    @property
    def bytes(self) -> int:
        """How many bytes."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that it writes."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> Stage:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class RootStep:
    """What happens to the boot guard at the root of one generation of the catalog."""

    @property
    def key(self) -> str:
        """The key of the root."""

    @property
    def generation(self) -> Generation:
        """Which generation's."""

    @property
    def action(self) -> RootAction:
        """`put`: the backup's root takes its place; `remove`: the backup has no catalog of this generation."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> RootStep:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class Skipped:
    """Something that a plan skips, and why."""

    @property
    def kind(self) -> SkippedKind:
        """What kind of item: `objects`, `component`, `object`, `node` or `name`."""

    @property
    def name(self) -> str | None:
        """Which one; `None` for objects that have nothing in common but the reason."""

    @property
    def reason(self) -> SkipReason:
        """Why."""

    @property
    def objects(self) -> int:
        """How many objects. 0 where they were not listed."""

    @property
    def bytes(self) -> int:
        """How many bytes."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> Skipped:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class PassReport:
    """What one pass cost and found."""

    @property
    def listed(self) -> int:
        """Objects listed."""

    @property
    def copied(self) -> int:
        """Objects copied."""

    @property
    def bytes(self) -> int:
        """Bytes copied."""

    @property
    def copiers(self) -> Mapping[str, int]:
        """Objects copied, by the copier that did it."""

    @property
    def refused(self) -> Mapping[str, int]:
        """Objects that another copier did because the store refused to copy them by itself, by the copier that had
        asked it.
        """

    @property
    def vanished(self) -> int:
        """Objects listed and gone before their copy."""

    @property
    def changed(self) -> int:
        """Objects that changed between listing and copy."""

    @property
    def altered(self) -> int:
        """Objects of the backup that were not there as they had been written when the pass was to be committed: copied
        again.
        """

    @property
    def unrecorded(self) -> int:
        """Objects that were in the backup then and that no record named: deleted."""

    @property
    def elapsed_ms(self) -> int:
        """How long it took, in milliseconds."""

    @property
    def failed_clauses(self) -> tuple[Clause, ...]:
        """Clauses that were violated after it."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> PassReport:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class Abilities:
    """What a place can do, as far as it was found out. What only file systems have is `None` for object stores."""

    @property
    def create_only(self) -> CreateOnly:
        """How an object is created that must not exist yet."""

    @property
    def synced(self) -> Synced | None:
        """What is on disk when a write has returned."""

    @property
    def times(self) -> Times | None:
        """Whether files can be given the time of their source."""

    @property
    def inodes(self) -> Inodes | None:
        """Whether a file has the same inode at every look."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> Abilities:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class BackupReport:
    """What a backup did."""

    @property
    def name(self) -> str:
        """The backup's name."""

    @property
    def status(self) -> BackupStatus:
        """Complete, or degraded with the caller's consent."""

    @property
    def began(self) -> datetime:
        """When it began: what was acknowledged before is in it."""

    @property
    def committed(self) -> datetime:
        """When it was committed."""

    @property
    def certificate(self) -> Certificate:
        """The proof."""

    @property
    def recovery_points(self) -> Mapping[str, RecoveryTimes]:
        """Where each node can be recovered to, by its id."""

    @property
    def passes(self) -> tuple[PassReport, ...]:
        """What the passes cost and found."""

    @property
    def objects(self) -> int:
        """How many objects the backup holds."""

    @property
    def bytes(self) -> int:
        """How many bytes."""

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """What was skipped, and why."""

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names below a node or the cluster that this release does not know: copied."""

    @property
    def licenses(self) -> tuple[str, ...]:
        """License files held; before 3.10 they are bound to the place they were issued for."""

    @property
    def manifest_sha256(self) -> str:
        """SHA-256 of the root manifest: write it down elsewhere."""

    @property
    def not_covered(self) -> tuple[str, ...]:
        """What no backup of an object store covers."""

    @property
    def todos(self) -> tuple[Finding, ...]:
        """What the caller has to do, such as to start a server that the orchestrator could not start again."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What else the run found. What it found in the cluster is in the certificate."""

    @property
    def abilities(self) -> Abilities | None:
        """What the repository can do, as far as it was found out."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> BackupReport:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class ServerReleases:
    """The server releases that open a store."""

    @property
    def oldest(self) -> str:
        """The oldest that opens it."""

    @property
    def newest(self) -> str | None:
        """The newest that opens it; `None`: all that are known."""

    @property
    def migrated_by(self) -> str | None:
        """The oldest that migrates it, so that releases after `newest` open it then."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> ServerReleases:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class RestoreReport:
    """What a restore did."""

    @property
    def restore(self) -> str:
        """The restore's id, which the boot guard named."""

    @property
    def backup(self) -> str:
        """The backup."""

    @property
    def manifest_sha256(self) -> str:
        """SHA-256 of its root manifest."""

    @property
    def cluster(self) -> str:
        """The cluster id, or for Core the node id."""

    @property
    def target(self) -> str:
        """The target, as a URL without credentials."""

    @property
    def objects(self) -> int:
        """Objects of the backup that the target holds now."""

    @property
    def bytes(self) -> int:
        """Their bytes."""

    @property
    def resumed(self) -> int:
        """Those of the objects that an earlier run of the same restore had finished."""

    @property
    def deleted(self) -> int:
        """Objects deleted because the backup does not hold them."""

    @property
    def kept(self) -> tuple[str, ...]:
        """What the target holds besides the backup: names, not touched."""

    @property
    def licenses_skipped(self) -> tuple[str, ...]:
        """License files that were not restored."""

    @property
    def servers(self) -> ServerReleases:
        """Which server releases may open the result."""

    @property
    def recovery(self) -> tuple[RecoveryPoint, ...]:
        """Where each node is recovered to."""

    @property
    def recovery_points(self) -> Mapping[str, RecoveryTimes]:
        """Where each node is recovered to, by its id."""

    @property
    def todos(self) -> tuple[Finding, ...]:
        """What the caller has to do."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What else the run found."""

    @property
    def started(self) -> tuple[str, ...]:
        """The nodes that the orchestrator started again, in order."""

    @property
    def abilities(self) -> Abilities | None:
        """What the target can do, as far as it was found out."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> RestoreReport:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class AbandonReport:
    """What abandoning a restore did."""

    @property
    def restore(self) -> str:
        """The restore's id."""

    @property
    def backup(self) -> str:
        """The backup that it was to restore."""

    @property
    def deleted(self) -> int:
        """Objects that it had copied, deleted again."""

    @property
    def roots(self) -> tuple[str, ...]:
        """Roots of the catalog that are as they were."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> AbandonReport:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class VerifyReport:
    """What verification found."""

    @property
    def backup(self) -> str:
        """The backup."""

    @property
    def level(self) -> VerifyLevel:
        """How deep it looked."""

    @property
    def objects(self) -> int:
        """Objects that the manifest lists."""

    @property
    def read(self) -> int:
        """Objects whose bytes were read and compared."""

    @property
    def confirmed(self) -> int:
        """Objects whose checksum at the store is the manifest's, at the level `checksums`."""

    @property
    def unconfirmed(self) -> int:
        """Objects of which the store or the manifest has no checksum to compare, at the level `checksums`."""

    @property
    def not_compared(self) -> int:
        """Objects of which the manifest has no checksum: whatever their bytes are, nothing shows that they are the right ones."""

    @property
    def problems(self) -> tuple[Finding, ...]:
        """What is wrong: the first 100 of each code. Empty: the backup is what it was."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How many problems there are in all, by code."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What should be looked at. Nothing of it is wrong."""

    @property
    def certificate(self) -> Certificate | None:
        """The certificate, made again; `None` at the level `listing`."""

    @property
    def ok(self) -> bool:
        """Whether the backup is what it was."""

    @property
    def problem_count(self) -> int:
        """How many problems there are in all."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> VerifyReport:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

# Repositories

@final
class Manifest:
    """The root of a backup."""

    @property
    def format(self) -> int:
        """The format that it was written in."""

    @property
    def min_reader(self) -> int:
        """The oldest format whose readers understand it. A release that knows only older ones refuses the backup."""

    @property
    def name(self) -> str:
        """The backup's name."""

    @property
    def status(self) -> BackupStatus:
        """Complete, or degraded with the caller's consent."""

    @property
    def written_by(self) -> str:
        """Which release of influx-backup wrote it."""

    @property
    def began(self) -> datetime:
        """When the backup began: what was acknowledged before is in it."""

    @property
    def committed(self) -> datetime:
        """When it was committed."""

    @property
    def cluster(self) -> ClusterDescription:
        """The cluster and its source, without credentials."""

    @property
    def object_count(self) -> int:
        """How many objects."""

    @property
    def byte_count(self) -> int:
        """How many bytes."""

    @property
    def certificate(self) -> Certificate:
        """The proof as it was at the commit."""

    @property
    def passes(self) -> tuple[PassReport, ...]:
        """What the passes cost and found."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> Manifest:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class BackupSummary:
    """One entry of the list of a repository."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def state(self) -> BackupState:
        """In which state it is, such as `complete` or `damaged`."""

    @property
    def cluster(self) -> str | None:
        """The cluster it was taken from."""

    @property
    def began(self) -> datetime | None:
        """When it was begun."""

    @property
    def committed(self) -> datetime | None:
        """When it was committed."""

    @property
    def objects(self) -> int | None:
        """How many objects it holds."""

    @property
    def bytes(self) -> int | None:
        """How many bytes."""

    @property
    def reason(self) -> ErrorReport | None:
        """Why no more is known of it, where it is damaged, newer or unreadable: code, hint and causes, as of any other
        error.
        """

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> BackupSummary:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class Leftover:
    """What an attempt left that ended without a commit. It takes room until `Repository.remove` deletes it.

    An upload that never became an object counts as one object of no bytes: stores do not tell its size. A bucket's
    lifecycle rule (`AbortIncompleteMultipartUpload`) removes them too, and Azure does after a week.
    """

    @property
    def name(self) -> str:
        """The directory of the repository that it lies in: a backup's name."""

    @property
    def kind(self) -> LeftoverKind:
        """What it is."""

    @property
    def objects(self) -> int:
        """How many files or objects."""

    @property
    def bytes(self) -> int:
        """How many bytes."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> Leftover:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class RepositoryMarker:
    """The marker of a repository, `_influx_backup/repository.json`. The first backup writes it; it is never changed."""

    @property
    def format(self) -> int:
        """The version of the format."""

    @property
    def min_reader(self) -> int:
        """The oldest version of the format whose readers can read this repository."""

    @property
    def created(self) -> datetime:
        """When the repository was made."""

    @property
    def id(self) -> str:
        """Tells this repository from every other one: 32 hexadecimal digits, chosen at random."""

    @property
    def written_by(self) -> str:
        """Which release of influx-backup made it."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> RepositoryMarker:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class ObjectRecord:
    """One object of a backup."""

    @property
    def key(self) -> str:
        """Its key in the source, and where it is restored to."""

    @property
    def size(self) -> int:
        """How many bytes it had in the source."""

    @property
    def crc64(self) -> str | None:
        """The checksum of these bytes (CRC-64/NVME), where they were read on the way."""

    @property
    def blake3(self) -> str | None:
        """Their BLAKE3, where they were read on the way and it was wanted."""

    @property
    def version(self) -> Version:
        """The version of the source that was copied."""

    @property
    def checked_by(self) -> CheckedBy:
        """What the copy was compared by."""

    @property
    def attributes(self) -> Mapping[str, str]:
        """Metadata that the source's store returned with it."""

    @property
    def stored_at(self) -> str | None:
        """Where its bytes lie, relative to the repository; `None`: under its own key in the backup."""

    @property
    def stored_size(self) -> int:
        """How many bytes lie there."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> ObjectRecord:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class AbsentRecord:
    """A Parquet file that is referred to and that neither the backup nor the source has."""

    @property
    def node(self) -> str:
        """The node."""

    @property
    def database(self) -> int:
        """The database's id."""

    @property
    def table(self) -> int:
        """The table's id."""

    @property
    def path(self) -> str:
        """Its key."""

    @property
    def rows(self) -> int:
        """How many rows it had."""

    @property
    def newest(self) -> datetime:
        """The newest row's time."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> AbsentRecord:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class Backup:
    """A committed backup, opened."""

    @property
    def name(self) -> str:
        """Its name: that of the place where it lies."""

    @property
    def location(self) -> Location:
        """Where it lies."""

    @property
    def sha256(self) -> str:
        """SHA-256 of the root manifest: keep it elsewhere, and no change of the backup goes unnoticed."""

    @property
    def repository(self) -> Location:
        """The repository that it lies in."""

    @property
    def objects(self) -> tuple[ObjectRecord, ...]:
        """Every object that it holds, sorted by key. Made anew at each look."""

    @property
    def absent(self) -> tuple[AbsentRecord, ...]:
        """Parquet files that live manifests name and that were gone from the source, with the consent of the caller."""

    def object(self, key: str) -> ObjectRecord | None:
        """The object of this key; `None` where it holds none. Raises `UsageError` for a text that is no key."""

    @property
    def manifest(self) -> Manifest:
        """What the backup holds."""

# Targets of restores

@final
class Target:
    """What is at the place that a backup is restored to. Nothing was written to find out."""

    @property
    def location(self) -> str:
        """The place, as a URL without credentials."""

    @property
    def identity(self) -> Identity:
        """Who keeps the objects there."""

    @property
    def inspected(self) -> datetime:
        """When it was inspected."""

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing at all, files of influx-backup apart."""

    @property
    def prefixes(self) -> tuple[Prefix, ...]:
        """The prefixes that hold files of InfluxDB, sorted by id."""

    @property
    def others(self) -> tuple[str, ...]:
        """Top-level names that hold none, sorted."""

    @property
    def unfinished(self) -> UnfinishedRestore | None:
        """A restore that was begun here and not finished."""

    @property
    def holder(self) -> LeaseHolder | None:
        """The process that restores to it now."""

    @property
    def last_written(self) -> datetime | None:
        """When anything below the prefixes was last written."""

    @property
    def signs_of_life(self) -> timedelta | None:
        """How long before the inspection something was written, where that is so recent that a server may be running."""

    @property
    def objects(self) -> tuple[ObjectMeta, ...]:
        """Every object but those of influx-backup, sorted by key. Made anew at each look."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> Target:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class UnfinishedRestore:
    """A restore that was begun and not finished."""

    @property
    def restore(self) -> str:
        """Its id, which the boot guard names."""

    @property
    def backup(self) -> str:
        """The backup that it restores."""

    @property
    def manifest_sha256(self) -> str:
        """SHA-256 of that backup's root manifest."""

    @property
    def began(self) -> datetime:
        """When it was begun."""

    @property
    def policy(self) -> Policy:
        """Its policy, which holds for resuming as well."""

    @property
    def extra_nodes(self) -> ExtraNodes:
        """Its answer to nodes that the backup lacks, which holds for resuming as well."""

    @property
    def phase(self) -> RestorePhase:
        """How far it is."""

    @property
    def changes(self) -> Changes:
        """Whether it can be abandoned."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> UnfinishedRestore:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class LeaseHolder:
    """The process that restores to a target now."""

    @property
    def owner(self) -> str:
        """Which process, and on which host."""

    @property
    def silence(self) -> timedelta:
        """How long ago its last heartbeat was."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> LeaseHolder:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class Prefix:
    """A prefix of a target that holds files of InfluxDB."""

    @property
    def id(self) -> str:
        """The node id or cluster id that it stands for."""

    @property
    def components(self) -> tuple[Component, ...]:
        """The kinds of objects found, sorted."""

    @property
    def roots(self) -> tuple[FoundRoot, ...]:
        """The roots of its catalog, oldest generation first."""

    @property
    def is_node(self) -> bool:
        """Whether it holds what only nodes hold."""

    @property
    def has_catalog(self) -> bool:
        """Whether it holds any part of a catalog."""

    @property
    def uuid(self) -> str | None:
        """The uuid of its newest readable catalog."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> Prefix:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class FoundRoot:
    """A root of the catalog at a target."""

    @property
    def generation(self) -> Generation:
        """Which generation's."""

    @property
    def kind(self) -> RootContent:
        """What stands there: `catalog`, `guard` (of a restore), or `unreadable`."""

    @property
    def uuid(self) -> str | None:
        """The catalog's uuid, where the file has one."""

    @property
    def sequence(self) -> int | None:
        """The catalog's sequence, where the file has one."""

    @property
    def restore(self) -> str | None:
        """The id of the restore whose guard stands there."""

    @property
    def reason(self) -> str | None:
        """Why no server would read it."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> FoundRoot:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

# Progress

@final
class Progress:
    """How far a job is, and what it is doing. Its counts only grow while it runs."""

    @property
    def phase(self) -> Phase:
        """What the job is doing."""

    @property
    def pass_number(self) -> int | None:
        """The pass of a backup, from 1."""

    @property
    def stage(self) -> StageKind | None:
        """What is being copied."""

    @property
    def elapsed_ms(self) -> int:
        """Milliseconds since the job was started, or from there to its end."""

    @property
    def listed(self) -> int:
        """Objects listed so far: what grows before anything is planned. One that is listed again counts again."""

    @property
    def objects(self) -> int:
        """Objects finished."""

    @property
    def bytes(self) -> int:
        """Bytes of objects that are finished or under way."""

    @property
    def total_objects(self) -> int:
        """Objects planned so far."""

    @property
    def total_bytes(self) -> int:
        """Bytes planned so far."""

    @property
    def vanished(self) -> int:
        """Objects that were listed and then gone before their copy."""

    @property
    def changed(self) -> int:
        """Objects that changed between their listing and their copy."""

    @property
    def retries(self) -> int:
        """Attempts that failed and were repeated."""

    @property
    def deleted(self) -> int:
        """Objects deleted."""

    @property
    def fraction(self) -> float | None:
        """How much of what is planned so far is done, from 0 to 1; `None` as long as nothing is planned.

        By bytes, or by objects where no bytes are counted. It falls where more is planned.
        """

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> Progress:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

# Events

@disjoint_base
class Event:
    """One event of a job: what happened, when, and as which event in a row. Each kind has a class of its own."""

    @property
    def seq(self) -> int:
        """Its number, from 1. The next event has the next number, except after `Lagged`."""

    @property
    def at(self) -> datetime:
        """When it happened, by this machine's clock."""

    @property
    def kind(self) -> str:
        """What happened, by its name in JSON, such as `stage_started`."""

    def to_json(self) -> str:
        """The event as JSON."""

    def to_dict(self) -> dict[str, Any]:
        """The event as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> Event:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class PassStarted(Event):
    """A pass of a backup begins."""

    @property
    def number(self) -> int:
        """Its number, from 1."""

    @property
    def listed(self) -> int:
        """Objects listed in the source."""

    @property
    def objects(self) -> int:
        """Objects to copy."""

    @property
    def bytes(self) -> int:
        """Bytes to copy."""

@final
class CheckStarted(Event):
    """A restore begins to compare objects of its backup, before it writes anything."""

    @property
    def objects(self) -> int:
        """How many objects."""

    @property
    def bytes(self) -> int:
        """Their bytes: all of them are read, but for those that are compared by their store's checksums."""

@final
class StageStarted(Event):
    """A stage begins."""

    @property
    def stage(self) -> StageKind:
        """Which one."""

    @property
    def objects(self) -> int:
        """Objects to copy."""

    @property
    def bytes(self) -> int:
        """Bytes to copy."""

@final
class ProgressEvent(Event):
    """How far the job is. Sent ten times a second at most; one that is not read is replaced by the next."""

    @property
    def progress(self) -> Progress:
        """How far it is."""

@final
class Lagged(Event):
    """Events were dropped because nothing read them: the next event has the number `seq + missed`."""

    @property
    def missed(self) -> int:
        """How many."""

@final
class StageFinished(Event):
    """A stage is over and, for files, on disk."""

    @property
    def stage(self) -> StageKind:
        """Which one."""

@final
class Vanished(Event):
    """An object was listed and then gone before its copy. Sent only where object events are asked for."""

    @property
    def key(self) -> str:
        """The object."""

@final
class Changed(Event):
    """An object changed between its listing and its copy. Sent only where object events are asked for."""

    @property
    def key(self) -> str:
        """The object."""

@final
class Retry(Event):
    """Something failed and is tried again. Sent only where object events are asked for."""

    @property
    def key(self) -> str:
        """The object."""

    @property
    def attempt(self) -> int:
        """How many attempts failed so far."""

    @property
    def wait(self) -> timedelta:
        """How long it waits."""

    @property
    def code(self) -> str:
        """What failed, with a stable code."""

@final
class PassFinished(Event):
    """A pass of a backup is over."""

    @property
    def number(self) -> int:
        """Its number."""

    @property
    def report(self) -> PassReport:
        """What it cost and found."""

@final
class Certified(Event):
    """The proof, as far as it holds."""

    @property
    def certificate(self) -> Certificate:
        """The certificate."""

@final
class Recovery(Event):
    """Where each node can be recovered to."""

    @property
    def points(self) -> tuple[RecoveryPoint, ...]:
        """One per node."""

@final
class Deleted(Event):
    """An object was deleted: trimmed from a backup, or from the target of a restore. Sent only where object events are
    asked for.
    """

    @property
    def key(self) -> str:
        """The object."""

@final
class GuardSet(Event):
    """The boot guard stands: no server starts on the target."""

@final
class GuardReleased(Event):
    """The boot guard is gone: servers may start on the target."""

@final
class NodeStopped(Event):
    """A node was stopped by the orchestrator."""

    @property
    def node(self) -> str:
        """Its id."""

@final
class NodeStarted(Event):
    """A node was started by the orchestrator."""

    @property
    def node(self) -> str:
        """Its id."""

@final
class FindingEvent(Event):
    """Something was found, or the caller has to do something: see its severity."""

    @property
    def finding(self) -> Finding:
        """What was found."""

@final
class Committed(Event):
    """The last object is written: the backup counts."""

    @property
    def name(self) -> str:
        """Its name."""

@final
class Finished(Event):
    """The job has ended. Always the last event, also of a job that was cancelled or that panicked."""

    @property
    def error(self) -> ErrorReport | None:
        """Why it failed, together with what it had found; `None`: it did not."""

# Errors

@final
class Hint:
    """An option that answers an error."""

    @property
    def option(self) -> str:
        """The option, by its name in `influx_backup.options`, such as `policy` or `passes.max_passes`."""

    @property
    def value(self) -> str | None:
        """Its value; `None` where the caller has to choose it."""

    @property
    def text(self) -> str:
        """What it does."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> Hint:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class ErrorReport:
    """An error as data: everything that a caller needs to branch on it and to show it."""

    @property
    def code(self) -> str:
        """The stable code, one of `ERROR_CODES`."""

    @property
    def category(self) -> Category:
        """What kind of error it is."""

    @property
    def message(self) -> str:
        """What happened, to what, and what to do."""

    @property
    def hints(self) -> tuple[Hint, ...]:
        """Options that answer it: each by itself, unless its text says otherwise."""

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later without anything being changed."""

    @property
    def key(self) -> str | None:
        """The object that it is about."""

    @property
    def location(self) -> str | None:
        """The location that it is about."""

    @property
    def causes(self) -> tuple[str, ...]:
        """The messages of the errors behind it, the nearest first."""

    @property
    def certificate(self) -> Certificate | None:
        """The proof as far as it holds, where it does not hold."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the job that failed had found, and what the caller has to do."""

    @property
    def context(self) -> Mapping[str, Any]:
        """The other fields of the error by name, such as `clusters`, `nodes` or `owner`."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> ErrorReport:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

ERROR_CODES: Final[dict[str, tuple[Category, str]]]
"""Every code of an error, with its category and what it means in one line."""

FINDING_CODES: Final[dict[str, tuple[Severity, str]]]
"""Every code of a finding, with its severity and what it means in one line."""

__version__: Final[str]
"""The release of the package, which is that of the program."""

# Jobs

@final
class Job(Generic[_T]):
    """A running verb. The class `influx_backup.Job` has the ways of Python to wait for it. Dropping it cancels the verb, unless
    it was detached.
    """

    def cancel(self) -> None:
        """Asks the job to stop."""

    @property
    def progress(self) -> Progress:
        """How far the job is now."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the job has found so far, in order."""

    @property
    def is_finished(self) -> bool:
        """Whether the job has ended, in whatever way."""

    @property
    def events_ended(self) -> bool:
        """Whether the last event was taken."""

    def detach(self) -> None:
        """Lets the job go on when nothing refers to it any more."""

    def wait(self, seconds: float) -> bool:
        """Waits this many seconds at most, and returns whether the job has ended."""

    def wait_async(self) -> Awaitable[None]:
        """Waits until the job has ended. To be awaited."""

    def wait_event(self, seconds: float) -> bool:
        """Waits this many seconds at most, and returns whether there is an event to take or the last was taken."""

    def wait_event_async(self) -> Awaitable[None]:
        """Waits until there is an event to take, or the last was taken. To be awaited."""

    def take_event(self) -> Event | None:
        """The next event, or `None` where there is none now."""

    def result(self) -> _T:
        """The result of a job that has ended, or its exception. Raises `RuntimeError` for one that has not."""

# Verbs. `given` are options by name. Unknown ones raise `UnknownOptionError`, values that cannot be used `UsageError`.
# `event_loop` is where `async` methods of the caller run: the running one, or one of its own for a call that waits in a
# thread.

_Copiers: TypeAlias = Copier | Sequence[Copier | NativeCopier] | None

@final
class Repository:
    """A location that holds backups, each in a directory of its own."""

    def __new__(cls, location: Place) -> Repository: ...
    @property
    def location(self) -> Location:
        """Where it is."""

    def marker(self) -> RepositoryMarker | None:
        """The marker of the repository, or `None` where nothing was backed up to it yet."""

    def plan_backup(self, source: Place | Cluster, given: Mapping[str, Any]) -> Job[BackupPlan]:
        """Starts to plan a backup."""

    def backup(
        self,
        source: Place | Cluster,
        given: Mapping[str, Any],
        object_events: bool,
        copier: _Copiers,
        orchestrator: Orchestrator | None,
        event_loop: asyncio.AbstractEventLoop | OwnLoop,
    ) -> Job[BackupReport]:
        """Starts a backup."""

    def plan_restore(self, name: str, target: Place, given: Mapping[str, Any]) -> Job[RestorePlan]:
        """Starts to plan a restore."""

    def restore(
        self,
        what: RestorePlan | str,
        target: Place | None,
        given: Mapping[str, Any],
        approved_hash: str | None,
        object_events: bool,
        copier: _Copiers,
        orchestrator: Orchestrator | None,
        event_loop: asyncio.AbstractEventLoop | OwnLoop,
    ) -> Job[RestoreReport]:
        """Starts a restore: of what a plan says, or of a backup by its name."""

    def list(self, given: Mapping[str, Any]) -> Job[tuple[BackupSummary, ...]]:
        """Starts to list what lies in a repository."""

    def get(self, name: str) -> Job[Backup]:
        """Starts to open a backup."""

    def verify(self, name: str, given: Mapping[str, Any]) -> Job[VerifyReport]:
        """Starts to verify a backup."""

    def certify(self, name: str, given: Mapping[str, Any]) -> Job[Certificate]:
        """Starts to certify a backup."""

    def leftovers(self) -> Job[tuple[Leftover, ...]]:
        """Starts to look for what attempts that ended without a commit left."""

    def remove(self, leftover: Leftover, object_events: bool) -> Job[None]:
        """Starts to delete a leftover."""

def discover(source: Place, given: Mapping[str, Any]) -> Job[Cluster]:
    """Starts to look for the cluster at a place."""

def inventory(cluster: Cluster) -> Job[Inventory]:
    """Starts to list a cluster."""

def certify(tree: Place | Cluster | Backup, given: Mapping[str, Any]) -> Job[Certificate]:
    """Starts to judge the tree at a place, a cluster, or a backup that is open."""

def verify(backup: Place | Backup, given: Mapping[str, Any]) -> Job[VerifyReport]:
    """Starts to verify the backup at a place, or one that is open."""

def inspect(target: Place) -> Job[Target]:
    """Starts to look at what is at the place that a backup would be restored to."""

def abandon(target: Place, given: Mapping[str, Any], object_events: bool) -> Job[AbandonReport]:
    """Starts to undo an unfinished restore."""

# Made-up clusters

@final
class Generated:
    """A made-up cluster that was written, and what a server should make of it."""

    @property
    def catalog_owner(self) -> str:
        """The prefix that holds the catalog: the node's id (Core) or the cluster's."""

    @property
    def catalog_sequence(self) -> int:
        """The sequence of the newest log of the live catalog."""

    @property
    def catalog_uuid(self) -> str:
        """The uuid of the catalog."""

    @property
    def registered(self) -> tuple[str, ...]:
        """Every node that the catalog registers."""

    @property
    def nodes(self) -> Mapping[str, GeneratedNode]:
        """The nodes that hold data, by their ids."""

    @property
    def objects(self) -> Mapping[str, int]:
        """Every object with its length in bytes, by its key."""

    @property
    def bytes(self) -> int:
        """The bytes of all objects."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> Generated:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

@final
class GeneratedNode:
    """What one node of a made-up cluster holds."""

    @property
    def last_snapshot(self) -> int | None:
        """The sequence of the newest snapshot, or `None` where there is none."""

    @property
    def covered_wal(self) -> int:
        """The last WAL file that it covers; 0 where there is none."""

    @property
    def wal(self) -> tuple[int, int] | None:
        """The first and the last WAL file that are there, or `None` where none is."""

    @property
    def files(self) -> int:
        """The Parquet files that queries see, absent ones included."""

    @property
    def absent(self) -> tuple[str, ...]:
        """The keys of the files that are gone without a manifest that records it."""

    @property
    def rows(self) -> tuple[int, ...]:
        """The rows that queries see."""

    def to_json(self) -> str:
        """The document as JSON, as the program writes it."""

    def to_dict(self) -> dict[str, Any]:
        """The document as dicts, lists and plain values."""

    @staticmethod
    def from_json(json: str) -> GeneratedNode:
        """Reads what `to_json` wrote. Raises `UsageError` for anything else."""

def generate(directory: str | os.PathLike[str], given: Mapping[str, Any]) -> Generated:
    """Writes a made-up cluster into a directory."""

# The program, and pickling

def run_program(arguments: Sequence[str]) -> int:
    """Runs the program `influx-backup` with these arguments, the first of which is its name, on the streams of this process,
    and returns its exit code. Ctrl-C and SIGTERM are its own while it runs.
    """

def _read(class_: type[_T], json: str) -> _T:
    """What `pickle` calls."""
