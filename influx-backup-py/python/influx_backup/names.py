"""The names of the core's enums, as attributes of its data have them."""

from __future__ import annotations

from typing import Literal

__all__ = [
    "BackupState",
    "BackupStatus",
    "Basis",
    "Category",
    "CheckedBy",
    "Clause",
    "Edition",
    "Generation",
    "GenerationState",
    "LeftoverKind",
    "Phase",
    "Provider",
    "Role",
    "Severity",
    "SkipReason",
    "StageKind",
    "Transfer",
    "Transform",
    "Verdict",
    "VerifyLevel",
]

BackupState = Literal["complete", "degraded", "in_progress", "unfinished", "damaged", "newer", "unreadable", "foreign"]
"""In which state a backup of a repository is.

- `complete`: committed, its certificate holds.
- `degraded`: committed with the caller's consent although clauses are violated.
- `in_progress`: being written; its heartbeat is fresh.
- `unfinished`: begun and not finished: it was given up, or there was no heartbeat for ten minutes. It can be resumed.
- `damaged`: committed, but its manifest cannot be read.
- `newer`: committed by a newer release, in a format that this one does not know.
- `unreadable`: its own files cannot be read now: the right to is missing, or a link lies on the way.
- `foreign`: no backup: a directory that influx-backup did not write.
"""

BackupStatus = Literal["complete", "degraded"]
"""Whether the certificate of a backup holds, or it was committed although clauses are violated."""

Basis = Literal["recomputed", "attested"]
"""Where a verdict comes from: the bytes of the tree itself, or what the run that took the backup recorded."""

Category = Literal["usage", "not_found", "refused", "not_consistent", "store", "orchestrator", "cancelled", "internal"]
"""What kind of error it is. Each has an exception in `influx_backup.errors`."""

CheckedBy = Literal["content", "store_checksum", "etag", "size"]
"""What shows that a copy equals its source, strongest first."""

Clause = Literal["C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9"]
"""A clause of the proof that a backup restores.

- `C1`: every live file is there.
- `C2`: manifests are what their names say.
- `C3`: no WAL is missing above the newest manifest.
- `C4`: the catalog is whole and new enough.
- `C5`: checkpoints fit the manifests.
- `C6`: copies equal what was listed.
- `C7`: all changes since are explained.
- `C8`: the compactor's files are one listing.
- `C9`: every node is there or excluded by name.
"""

Edition = Literal["core", "enterprise"]
"""Which InfluxDB 3 a cluster is."""

Generation = Literal["v1", "v2", "v3"]
"""A generation of the catalog's layout: of InfluxDB 3.0 to 3.3, 3.4 to 3.9, and from 3.10."""

GenerationState = Literal["live", "terminated"]
"""Whether a server uses a generation of the catalog, or an upgrade froze it."""

LeftoverKind = Literal["unfinished", "staging"]
"""What kind of leftover it is.

- `unfinished`: a backup that was begun and never committed, and that no process writes any more. It can be resumed.
- `staging`: what was being written when a process died: files, uploads or blocks that were never completed.
"""

Phase = Literal["preparing", "listing", "checking", "copying", "deleting", "waiting"]
"""What a job is doing; `waiting` for requests that were not answered, which may still arrive."""

Provider = Literal["file", "s3", "azure", "gcs", "other", "memory"]
"""A kind of store; `other` is one that the caller made, `memory` is for tests."""

Role = Literal["data", "compactor", "query_only"]
"""What a node does, as far as the store shows it."""

Severity = Literal["error", "todo", "warning", "info"]
"""How serious a finding is.

- `error`: it violates a clause, or damages a backup.
- `todo`: the caller has to do something.
- `warning`: it should be looked at. It violates nothing.
- `info`: good to know.
"""

SkipReason = Literal["derived", "node_excluded", "held", "license_elsewhere", "foreign"]
"""Why a plan skips something.

- `derived`: InfluxDB makes it again.
- `node_excluded`: the caller excluded the node.
- `held`: the backup has this version already.
- `license_elsewhere`: the license is bound to another place.
- `foreign`: it belongs to no node and no cluster.
"""

StageKind = Literal[
    "compactor",
    "wal_fence",
    "snapshot_checkpoints",
    "snapshots",
    "parquet",
    "wal",
    "node_rest",
    "catalog",
    "cluster_rest",
    "licenses",
]
"""What a stage of a backup or restore copies."""

Transfer = Literal["any", "read_through"]
"""How an object may be moved: in any way, also by the store itself, or through this process, which reads every byte."""

Transform = Literal["none"]
"""What is done to the bytes of an object on the way."""

Verdict = Literal["holds", "violated", "not_attested"]
"""Whether a clause holds; `not_attested` where only the run that took the backup can know, and this tree has no record."""

VerifyLevel = Literal["listing", "structure", "checksums", "bytes"]
"""How deep a verification looks.

- `listing`: presence and size of every object.
- `structure`: that, and the certificate again from the backup's own bytes. No Parquet file is read.
- `checksums`: that, and the checksum that the store gives for each object.
- `bytes`: the structure, and the bytes of objects against their checksums.
"""
