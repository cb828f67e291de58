"""The names of the core's enums, as attributes of its data have them."""

from __future__ import annotations

from typing import Literal

__all__ = [
    "BackupState",
    "BackupStatus",
    "Basis",
    "Category",
    "Changes",
    "CheckedBy",
    "Clause",
    "Component",
    "CreateOnly",
    "Edition",
    "ExtraNodes",
    "Generation",
    "GenerationState",
    "Group",
    "Inodes",
    "LeftoverKind",
    "Phase",
    "Policy",
    "Provider",
    "RestorePhase",
    "Role",
    "RootAction",
    "RootContent",
    "Severity",
    "SkipReason",
    "SkippedKind",
    "StageKind",
    "Synced",
    "Times",
    "Transfer",
    "Transform",
    "Verdict",
    "VerifyLevel",
]

BackupState = Literal[
    "complete", "degraded", "in_progress", "unfinished", "damaged", "untrusted", "newer", "unreadable", "foreign"
]
"""In which state a backup of a repository is.

- `complete`: committed, its certificate holds.
- `degraded`: committed with the caller's consent although clauses are violated.
- `in_progress`: being written; its heartbeat is fresh.
- `unfinished`: begun and not finished: it was given up, or there was no heartbeat for ten minutes. It can be resumed.
- `damaged`: committed, but its manifest cannot be read.
- `untrusted`: committed, but the key that is trusted does not vouch for it.
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

Changes = Literal["none", "begun"]
"""What an unfinished restore has done to objects that were there before: nothing, or it may have overwritten or deleted some."""

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

Component = Literal[
    "wal",
    "snapshot",
    "snapshot_checkpoint",
    "parquet",
    "table_snapshot",
    "table_index",
    "table_index_marker",
    "compaction_summary",
    "compaction_detail",
    "compacted",
    "catalog_root_v1",
    "catalog_root_v2",
    "catalog_root_v3",
    "catalog_log_v1",
    "catalog_log_v2",
    "catalog_log_v3",
    "catalog_restore",
    "catalog_other",
    "enterprise_config",
    "commercial_license",
    "trial_or_home_license",
    "other",
]
"""The kind of one object. Every key below a node's or a cluster's prefix is exactly one of these."""

CreateOnly = Literal["hard_link", "rename_no_replace", "exclusive_create", "conditional_put", "single_writer"]
"""How an object is created that must not exist yet.

- `hard_link`: a finished file gets its name by a hard link.
- `rename_no_replace`: a finished file gets its name by a rename that replaces nothing.
- `exclusive_create`: the file is made under its name and then written: until that is done, others see a part of it.
- `conditional_put`: the store refuses a put where the object exists.
- `single_writer`: it cannot: the caller promised that no other process writes (`object_store_single_writer`).
"""

Edition = Literal["core", "enterprise"]
"""Which InfluxDB 3 a cluster is."""

ExtraNodes = Literal["refuse", "delete", "keep"]
"""What a restore does with nodes of the target that the backup lacks: as the option `extra_nodes`."""

Generation = Literal["v1", "v2", "v3"]
"""A generation of the catalog's layout: of InfluxDB 3.0 to 3.3, 3.4 to 3.9, and from 3.10."""

GenerationState = Literal["live", "terminated"]
"""Whether a server uses a generation of the catalog, or an upgrade froze it."""

Group = Literal[
    "compaction_summaries",
    "compaction_details",
    "compacted",
    "wal",
    "snapshot_checkpoints",
    "snapshots",
    "parquet",
    "node_rest",
    "catalog",
    "cluster_rest",
    "licenses",
]
"""What is listed at once: a directory of a node or of the cluster, or what is left of one."""

Inodes = Literal["stable", "unstable"]
"""Whether a file has the same inode at every look. Where it has not, size and time make its version."""

LeftoverKind = Literal["unfinished", "staging"]
"""What kind of leftover it is.

- `unfinished`: a backup that was begun and never committed, and that no process writes any more. It can be resumed.
- `staging`: what was being written when a process died: files, uploads or blocks that were never completed.
"""

Phase = Literal["preparing", "listing", "checking", "copying", "deleting", "waiting"]
"""What a job is doing; `waiting` for requests that were not answered, which may still arrive."""

Policy = Literal["empty", "replace", "overlay"]
"""What a restore does with a target that holds data: as the option `policy`."""

Provider = Literal["file", "s3", "azure", "gcs", "other", "memory"]
"""A kind of store; `other` is one that the caller made, `memory` is for tests."""

RestorePhase = Literal["guarding", "guarded", "releasing"]
"""How far an unfinished restore is.

- `guarding`: its boot guard is being set, or was removed again by `abandon`: nothing that was copied is there.
- `guarded`: the whole guard stands, copies are under way: no server may start.
- `releasing`: everything is there and verified, the roots are being put in place: servers may have started.
"""

Role = Literal["data", "compactor", "query_only"]
"""What a node does, as far as the store shows it."""

RootAction = Literal["put", "remove"]
"""What becomes of the boot guard at a root of the catalog.

- `put`: the backup's root takes its place.
- `remove`: it is removed: the backup has no catalog of this generation.
"""

RootContent = Literal["catalog", "guard", "unreadable"]
"""What stands at a root of the catalog: a catalog, the boot guard of a restore, or what no server would read."""

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

SkippedKind = Literal["objects", "component", "object", "node", "name"]
"""What kind of item a plan skips.

- `objects`: objects that have nothing in common but the reason.
- `component`: all objects of one kind, a `Component`.
- `object`: one object, by its key.
- `node`: a node, by its id.
- `name`: a name at the top of the location.
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

Synced = Literal["all", "files", "nothing"]
"""What is on disk when a write has returned.

- `all`: files and their names.
- `files`: files. Their names only where the file system sees to that by itself.
- `nothing`: what the operating system sees to by itself.
"""

Times = Literal["kept", "not_kept"]
"""Whether files can be given the time of their source, or have the time at which they were written."""

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
