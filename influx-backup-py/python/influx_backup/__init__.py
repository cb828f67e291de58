"""Backup and restore of InfluxDB 3 clusters (Core and Enterprise, Parquet engine) that prove themselves.

    >>> import influx_backup as ib
    >>> repo = ib.Repository("/backups")
    >>> report = repo.backup("/var/lib/influxdb3/data", name="monday", progress=True)
    >>> plan = repo.plan_restore("monday", "/var/lib/influxdb3/restored")
    >>> print(plan)  # a dry run ends here
    >>> repo.restore(plan)
    >>> assert ib.certify("/var/lib/influxdb3/restored").is_proven

Each verb waits; its form with `_async` returns a `Job` for asyncio.

- `Repository`: a location that holds backups: `backup`, `plan_restore`, `restore`, `list`, `get`, `verify`, `leftovers`.
- `discover`, `inventory`, `certify`, `verify`, `inspect`, `abandon`: verbs that need no repository.
- `influx_backup.options`: the keywords of every verb, with their defaults.
- `influx_backup.errors`: what verbs raise.
- `influx_backup.progress`: bars, for `progress=`.
- `influx_backup.copiers`, `influx_backup.orchestrators`: what a class of one's own has to have.
- `influx_backup.names`: the names of enums, for annotations.

Data (reports, plans, certificates, events) is frozen, has `to_dict`, `to_json` and `from_json`, and can be compared, hashed
and pickled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._native import (
    FINDING_CODES,
    AbandonReport,
    Abilities,
    AbsentRecord,
    AbsentTable,
    Backup,
    BackupPlan,
    BackupReport,
    BackupSummary,
    CatalogNode,
    Certificate,
    Certified,
    Changed,
    CheckStarted,
    ClauseResult,
    Cluster,
    ClusterDescription,
    Committed,
    Deleted,
    ErrorReport,
    Event,
    Finding,
    FindingEvent,
    Finished,
    FoundGeneration,
    FoundRoot,
    Guaranteed,
    GuardReleased,
    GuardSet,
    Hint,
    Identity,
    Inventory,
    Lagged,
    LeaseHolder,
    Leftover,
    Listing,
    Location,
    Manifest,
    Node,
    NodeStarted,
    NodeStopped,
    ObjectMeta,
    ObjectRecord,
    PassFinished,
    PassReport,
    PassStarted,
    Prefix,
    Progress,
    ProgressEvent,
    Reached,
    Recovery,
    RecoveryPoint,
    RecoveryTimes,
    RepositoryMarker,
    RestorePlan,
    RestoreReport,
    Retry,
    RootStep,
    ServerReleases,
    Skipped,
    Stage,
    StageFinished,
    StageStarted,
    Target,
    UnfinishedRestore,
    Vanished,
    VerifyReport,
    Version,
    __version__,
)
from .copiers import (
    Copier,
    CopyContext,
    CopyError,
    CopyRequest,
    Corrupt,
    LeaseLost,
    NativeCopier,
    SourceChanged,
    SourceVanished,
    Unsupported,
    default_copiers,
)
from .errors import (
    ERROR_CODES,
    AccessDeniedError,
    BackupExistsError,
    BackupInProgressError,
    CancelledError,
    InfluxBackupError,
    InternalError,
    InvalidKeyError,
    NoSpaceError,
    NotConsistentError,
    NotFoundError,
    OrchestratorError,
    PlanChangedError,
    RefusedError,
    RestoreInProgressError,
    RestoreUnfinishedError,
    StoreError,
    StoreTimeoutError,
    TargetNotEmptyError,
    UnknownOptionError,
    UsageError,
)
from .jobs import Job
from .orchestrators import Orchestrator
from .repository import Repository
from .verbs import (
    abandon,
    abandon_async,
    certify,
    certify_async,
    discover,
    discover_async,
    inspect,
    inspect_async,
    inventory,
    inventory_async,
    verify,
    verify_async,
)

if TYPE_CHECKING:
    from . import names as names
    from . import options as options
    from . import progress as progress
    from . import testing as testing

__all__ = [
    "ERROR_CODES",
    "FINDING_CODES",
    "AbandonReport",
    "Abilities",
    "AbsentRecord",
    "AbsentTable",
    "AccessDeniedError",
    "Backup",
    "BackupExistsError",
    "BackupInProgressError",
    "BackupPlan",
    "BackupReport",
    "BackupSummary",
    "CancelledError",
    "CatalogNode",
    "Certificate",
    "Certified",
    "Changed",
    "CheckStarted",
    "ClauseResult",
    "Cluster",
    "ClusterDescription",
    "Committed",
    "Copier",
    "CopyContext",
    "CopyError",
    "CopyRequest",
    "Corrupt",
    "Deleted",
    "ErrorReport",
    "Event",
    "Finding",
    "FindingEvent",
    "Finished",
    "FoundGeneration",
    "FoundRoot",
    "Guaranteed",
    "GuardReleased",
    "GuardSet",
    "Hint",
    "Identity",
    "InfluxBackupError",
    "InternalError",
    "InvalidKeyError",
    "Inventory",
    "Job",
    "Lagged",
    "LeaseHolder",
    "LeaseLost",
    "Leftover",
    "Listing",
    "Location",
    "Manifest",
    "NativeCopier",
    "NoSpaceError",
    "Node",
    "NodeStarted",
    "NodeStopped",
    "NotConsistentError",
    "NotFoundError",
    "ObjectMeta",
    "ObjectRecord",
    "Orchestrator",
    "OrchestratorError",
    "PassFinished",
    "PassReport",
    "PassStarted",
    "PlanChangedError",
    "Prefix",
    "Progress",
    "ProgressEvent",
    "Reached",
    "Recovery",
    "RecoveryPoint",
    "RecoveryTimes",
    "RefusedError",
    "Repository",
    "RepositoryMarker",
    "RestoreInProgressError",
    "RestorePlan",
    "RestoreReport",
    "RestoreUnfinishedError",
    "Retry",
    "RootStep",
    "ServerReleases",
    "Skipped",
    "SourceChanged",
    "SourceVanished",
    "Stage",
    "StageFinished",
    "StageStarted",
    "StoreError",
    "StoreTimeoutError",
    "Target",
    "TargetNotEmptyError",
    "UnfinishedRestore",
    "UnknownOptionError",
    "Unsupported",
    "UsageError",
    "Vanished",
    "VerifyReport",
    "Version",
    "__version__",
    "abandon",
    "abandon_async",
    "certify",
    "certify_async",
    "default_copiers",
    "discover",
    "discover_async",
    "inspect",
    "inspect_async",
    "inventory",
    "inventory_async",
    "verify",
    "verify_async",
]

# Imported when they are asked for: most programs need none of them.
_MODULES = ("names", "options", "progress", "testing")


if not TYPE_CHECKING:  # With it, a type checker would find every name.

    def __getattr__(name: str) -> object:
        if name in _MODULES:
            import importlib

            return importlib.import_module(f".{name}", __name__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *_MODULES, "copiers", "errors", "orchestrators"})
