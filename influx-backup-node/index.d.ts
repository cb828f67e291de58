/**
 * Backup and restore of InfluxDB 3 clusters (Core and Enterprise, Parquet engine) that prove themselves.
 *
 * ```ts
 * import { Repository, certify } from "influx-backup";
 *
 * const repo = new Repository("/backups");
 * const report = await repo.backup("/var/lib/influxdb3/data", { name: "monday" });
 * const plan = await repo.planRestore("monday", "/var/lib/influxdb3/restored");
 * console.log(String(plan)); // A dry run ends here.
 * await repo.restore(plan);
 * console.log((await certify("/var/lib/influxdb3/restored")).isProven);
 * ```
 *
 * - {@link Repository}: a location that holds backups: `backup`, `planRestore`, `restore`, `list`, `get`, `verify`.
 * - `discover`, `inventory`, `certify`, `verify`, `inspect`, `abandon`: verbs that need no repository.
 * - {@link Job}: what every verb returns: a promise of the result, and an async iterable of events.
 * - {@link InfluxBackupError}: what jobs reject with, with a subclass for each category.
 * - {@link Copier}, {@link Orchestrator}: what an object of the caller has to have.
 *
 * Data (reports, plans, certificates, events) is made by the package and frozen. Sizes are bytes, counts and sizes are
 * safe integers: a larger one is a `RangeError`. Times are `Date`s, durations milliseconds. What is not there is `null`.
 *
 * The types need a library of ES2018 or later. `AbortSignal` and `URL` are those of `@types/node` or of the library
 * `dom`; a program that has neither compiles too.
 *
 * @packageDocumentation
 */

// Only what is marked so is exported.
export {};

// What the program has types of, or else what is used of it.

type AbortSignal = typeof globalThis extends { AbortSignal: { prototype: infer Known } }
    ? Known
    : {
          readonly aborted: boolean;
          readonly reason: any;
          addEventListener(type: "abort", listener: () => void): void;
          removeEventListener(type: "abort", listener: () => void): void;
      };

type URL = typeof globalThis extends { URL: { prototype: infer Known } }
    ? Known
    : { readonly href: string; readonly protocol: string };

/** A JSON document, as the program writes it: names in snake case, times as texts. */
export interface JsonObject {
    /** A field by its name. */
    [name: string]: any;
}

/** What verbs return, and what that is made of. Its fields are its own, enumerable and frozen. */
declare class Data {
    protected constructor();

    /** The document that the program writes. `JSON.stringify` calls it. */
    toJSON(): JsonObject;

    /** It as text, for a person. */
    toString(): string;
}

// Names and codes

/** The release of the package, which is that of the program. */
export const version: string;

/** Every code of an error, with its category and what it means in one line. */
export const ERROR_CODES: {
    readonly [code in ErrorCode]: { readonly category: Category; readonly meaning: string };
};

/** Every code of a finding, with its severity and what it means in one line. */
export const FINDING_CODES: {
    readonly [code in FindingCode]: { readonly severity: Severity; readonly meaning: string };
};

/** A stable code of an error. `ERROR_CODES` tells what each means. */
export type ErrorCode =
    | "invalid-location"
    | "unknown-option"
    | "invalid-option"
    | "location-not-found"
    | "memory-location"
    | "invalid-key"
    | "link"
    | "no-cluster"
    | "several-clusters"
    | "nodes-required"
    | "unknown-id"
    | "upgraded-engine"
    | "invalid-request"
    | "backup-exists"
    | "backup-in-progress"
    | "backup-unfinished"
    | "lease-lost"
    | "lease-not-renewed"
    | "commit-unconfirmed"
    | "backup-not-found"
    | "unsupported-format"
    | "invalid-document"
    | "damaged-backup"
    | "untrusted-backup"
    | "damaged-marker"
    | "damaged-journal"
    | "backup-altered"
    | "degraded-backup"
    | "corrupt-source"
    | "not-consistent"
    | "target-not-empty"
    | "target-foreign"
    | "extra-nodes"
    | "servers-not-stopped"
    | "server-running"
    | "overlap"
    | "restore-unfinished"
    | "restore-in-progress"
    | "plan-changed"
    | "no-restore"
    | "cannot-abandon"
    | "no-space"
    | "ownership"
    | "verify-failed"
    | "orchestrator"
    | "object-not-found"
    | "object-exists"
    | "object-changed"
    | "access-denied"
    | "no-credentials"
    | "read-only"
    | "unreachable"
    | "untrusted-certificate"
    | "throttled"
    | "store-unsupported"
    | "invalid-store-request"
    | "object-unreadable"
    | "object-archived"
    | "store-rejected"
    | "store-error"
    | "copy-unsupported"
    | "copy-refused"
    | "source-vanished"
    | "source-changed"
    | "source-unexpected"
    | "copy-corrupt"
    | "copier-failed"
    | "stalled"
    | "cancelled"
    | "internal";

/** A stable code of a finding. `FINDING_CODES` tells what each means. */
export type FindingCode =
    | "missing-parquet"
    | "wrong-size-parquet"
    | "corrupt-parquet"
    | "most-parquet-missing"
    | "absent-parquet"
    | "missing-manifest"
    | "corrupt-manifest"
    | "misnamed-manifest"
    | "foreign-manifest"
    | "foreign-parquet"
    | "no-manifests"
    | "missing-wal"
    | "corrupt-wal"
    | "no-fence"
    | "corrupt-covered-wal"
    | "stray-wal"
    | "wal-hole"
    | "unconfirmed-wal-hole"
    | "wal-gap"
    | "no-catalog"
    | "no-live-catalog"
    | "missing-catalog-root"
    | "corrupt-catalog"
    | "stray-catalog-log"
    | "catalog-gap"
    | "catalog-uuid"
    | "missing-catalog-log"
    | "old-catalog"
    | "catalog-went-back"
    | "corrupt-old-catalog-log"
    | "corrupt-frozen-catalog"
    | "no-enterprise-file"
    | "corrupt-checkpoint"
    | "misnamed-checkpoint"
    | "foreign-checkpoint"
    | "new-checkpoint"
    | "missing-checkpoint"
    | "missing-object"
    | "wrong-size"
    | "wrong-bytes"
    | "unlisted-object"
    | "unreadable-object"
    | "not-compared"
    | "size-only"
    | "renamed-backup"
    | "create-only-rewritten"
    | "listed-not-held"
    | "node-disappeared"
    | "cluster-moved"
    | "compactor-moved"
    | "manifests-went-back"
    | "wal-went-back"
    | "missing-compactor-file"
    | "other-compactor-file"
    | "extra-compactor-file"
    | "compactor-active"
    | "several-compactors"
    | "node-appeared"
    | "unclaimed-node"
    | "node-without-objects"
    | "catalog-nodes-unreadable"
    | "node-excluded"
    | "cluster-id-is-node-id"
    | "stale-catalog"
    | "node-not-in-catalog"
    | "query-only-stores"
    | "catalog-damaged"
    | "is-backup"
    | "backup-unfinished"
    | "restore-unfinished"
    | "clock-skew"
    | "created-in-place"
    | "directories-not-synced"
    | "times-not-kept"
    | "unstable-inodes"
    | "not-seen"
    | "single-writer"
    | "entity-tags-differ"
    | "passed-over"
    | "backup-altered"
    | "recently-written"
    | "kept-entries"
    | "owner-not-kept"
    | "retention"
    | "license-elsewhere"
    | "catalog-v1"
    | "not-covered"
    | "servers-stopped"
    | "boot-guard";

/**
 * In which state a backup of a repository is.
 *
 * - `complete`: committed, its certificate holds.
 * - `degraded`: committed with the caller's consent although clauses are violated.
 * - `in_progress`: being written; its heartbeat is fresh.
 * - `unfinished`: begun and not finished: it was given up, or there was no heartbeat for ten minutes. It can be
 *   resumed.
 * - `damaged`: committed, but its manifest cannot be read.
 * - `untrusted`: committed, but the key that is trusted does not vouch for it.
 * - `newer`: committed by a newer release, in a format that this one does not know.
 * - `unreadable`: its own files cannot be read now: the right to is missing, or a link lies on the way.
 * - `foreign`: no backup: a directory that influx-backup did not write.
 */
export type BackupState =
    | "complete"
    | "degraded"
    | "in_progress"
    | "unfinished"
    | "damaged"
    | "untrusted"
    | "newer"
    | "unreadable"
    | "foreign";

/** Whether the certificate of a backup holds, or it was committed although clauses are violated. */
export type BackupStatus = "complete" | "degraded";

/** Where a verdict comes from: the bytes of the tree itself, or what the run that took the backup recorded. */
export type Basis = "recomputed" | "attested";

/** What kind of error it is. Each has a subclass of {@link InfluxBackupError}. */
export type Category =
    | "usage"
    | "not_found"
    | "refused"
    | "not_consistent"
    | "store"
    | "orchestrator"
    | "cancelled"
    | "internal";

/**
 * What an unfinished restore has done to objects that were there before: nothing, or it may have overwritten or
 * deleted some.
 */
export type Changes = "none" | "begun";

/** What shows that a copy equals its source, strongest first. */
export type CheckedBy = "content" | "store_checksum" | "etag" | "size";

/**
 * A clause of the proof that a backup restores.
 *
 * - `C1`: every live file is there.
 * - `C2`: manifests are what their names say.
 * - `C3`: no WAL is missing above the newest manifest.
 * - `C4`: the catalog is whole and new enough.
 * - `C5`: checkpoints fit the manifests.
 * - `C6`: copies equal what was listed.
 * - `C7`: all changes since are explained.
 * - `C8`: the compactor's files are one listing.
 * - `C9`: every node is there or excluded by name.
 */
export type Clause = "C1" | "C2" | "C3" | "C4" | "C5" | "C6" | "C7" | "C8" | "C9";

/** The kind of one object. Every key below a node's or a cluster's prefix is exactly one of these. */
export type Component =
    | "wal"
    | "snapshot"
    | "snapshot_checkpoint"
    | "parquet"
    | "table_snapshot"
    | "table_index"
    | "table_index_marker"
    | "compaction_summary"
    | "compaction_detail"
    | "compacted"
    | "catalog_root_v1"
    | "catalog_root_v2"
    | "catalog_root_v3"
    | "catalog_log_v1"
    | "catalog_log_v2"
    | "catalog_log_v3"
    | "catalog_restore"
    | "catalog_other"
    | "enterprise_config"
    | "commercial_license"
    | "trial_or_home_license"
    | "other";

/**
 * How an object is created that must not exist yet.
 *
 * - `hard_link`: a finished file gets its name by a hard link.
 * - `rename_no_replace`: a finished file gets its name by a rename that replaces nothing.
 * - `exclusive_create`: the file is made under its name and then written: until that is done, others see a part of it.
 * - `conditional_put`: the store refuses a put where the object exists.
 * - `single_writer`: it cannot: the caller promised that no other process writes (`objectStoreSingleWriter`).
 */
export type CreateOnly = "hard_link" | "rename_no_replace" | "exclusive_create" | "conditional_put" | "single_writer";

/** Which InfluxDB 3 a cluster is. */
export type Edition = "core" | "enterprise";

/** What a restore does with nodes of the target that the backup lacks: as the option `extraNodes`. */
export type ExtraNodes = "refuse" | "delete" | "keep";

/** A generation of the catalog's layout: of InfluxDB 3.0 to 3.3, 3.4 to 3.9, and from 3.10. */
export type Generation = "v1" | "v2" | "v3";

/** Whether a server uses a generation of the catalog, or an upgrade froze it. */
export type GenerationState = "live" | "terminated";

/** What is listed at once: a directory of a node or of the cluster, or what is left of one. */
export type Group =
    | "compaction_summaries"
    | "compaction_details"
    | "compacted"
    | "wal"
    | "snapshot_checkpoints"
    | "snapshots"
    | "parquet"
    | "node_rest"
    | "catalog"
    | "cluster_rest"
    | "licenses";

/** Whether a file has the same inode at every look. Where it has not, size and time make its version. */
export type Inodes = "stable" | "unstable";

/**
 * What kind of leftover it is.
 *
 * - `unfinished`: a backup that was begun and never committed, and that no process writes any more. It can be resumed.
 * - `staging`: what was being written when a process died: files, uploads or blocks that were never completed.
 */
export type LeftoverKind = "unfinished" | "staging";

/** What a job is doing; `waiting` for requests that were not answered, which may still arrive. */
export type Phase = "preparing" | "listing" | "checking" | "copying" | "deleting" | "waiting";

/** What a restore does with a target that holds data: as the option `policy`. */
export type Policy = "empty" | "replace" | "overlay";

/** A kind of store; `other` is one that the caller made, `memory` is for tests. */
export type Provider = "file" | "s3" | "azure" | "gcs" | "other" | "memory";

/**
 * How far an unfinished restore is.
 *
 * - `guarding`: its boot guard is being set, or was removed again by `abandon`: nothing that was copied is there.
 * - `guarded`: the whole guard stands, copies are under way: no server may start.
 * - `releasing`: everything is there and verified, the roots are being put in place: servers may have started.
 */
export type RestorePhase = "guarding" | "guarded" | "releasing";

/** What a node does, as far as the store shows it. */
export type Role = "data" | "compactor" | "query_only";

/**
 * What becomes of the boot guard at a root of the catalog.
 *
 * - `put`: the backup's root takes its place.
 * - `remove`: it is removed: the backup has no catalog of this generation.
 */
export type RootAction = "put" | "remove";

/** What stands at a root of the catalog: a catalog, the boot guard of a restore, or what no server would read. */
export type RootContent = "catalog" | "guard" | "unreadable";

/**
 * How serious a finding is.
 *
 * - `error`: it violates a clause, or damages a backup.
 * - `todo`: the caller has to do something.
 * - `warning`: it should be looked at. It violates nothing.
 * - `info`: good to know.
 */
export type Severity = "error" | "todo" | "warning" | "info";

/**
 * Why a plan skips something.
 *
 * - `derived`: InfluxDB makes it again.
 * - `node_excluded`: the caller excluded the node.
 * - `held`: the backup has this version already.
 * - `license_elsewhere`: the license is bound to another place.
 * - `foreign`: it belongs to no node and no cluster.
 */
export type SkipReason = "derived" | "node_excluded" | "held" | "license_elsewhere" | "foreign";

/**
 * What kind of item a plan skips.
 *
 * - `objects`: objects that have nothing in common but the reason.
 * - `component`: all objects of one kind, a `Component`.
 * - `object`: one object, by its key.
 * - `node`: a node, by its id.
 * - `name`: a name at the top of the location.
 */
export type SkippedKind = "objects" | "component" | "object" | "node" | "name";

/** What a stage of a backup or restore copies. */
export type StageKind =
    | "compactor"
    | "wal_fence"
    | "snapshot_checkpoints"
    | "snapshots"
    | "parquet"
    | "wal"
    | "node_rest"
    | "catalog"
    | "cluster_rest"
    | "licenses";

/**
 * What is on disk when a write has returned.
 *
 * - `all`: files and their names.
 * - `files`: files. Their names only where the file system sees to that by itself.
 * - `nothing`: what the operating system sees to by itself.
 */
export type Synced = "all" | "files" | "nothing";

/** Whether files can be given the time of their source, or have the time at which they were written. */
export type Times = "kept" | "not_kept";

/**
 * How an object may be moved: in any way, also by the store itself, or through this process, which reads every byte.
 */
export type Transfer = "any" | "read_through";

/** What is done to the bytes of an object on the way. */
export type Transform = "none";

/**
 * Whether a clause holds; `not_attested` where only the run that took the backup can know, and this tree has no
 * record.
 */
export type Verdict = "holds" | "violated" | "not_attested";

/**
 * How deep a verification looks.
 *
 * - `listing`: presence and size of every object.
 * - `structure`: that, and the certificate again from the backup's own bytes. No Parquet file is read.
 * - `checksums`: that, and the checksum that the store gives for each object.
 * - `bytes`: the structure, and the bytes of objects against their checksums.
 */
export type VerifyLevel = "listing" | "structure" | "checksums" | "bytes";

// Options. None is required: each has its default. One that is `undefined` was not given.

/**
 * A path, a URL (`s3://…`, `az://…`, `gs://…`, `file://…`) as text or, for files, as a `URL`, or a {@link Location}.
 */
export type Place = string | URL | Location;

/** Milliseconds, or a text such as `"90s"`. */
export type Duration = number | string;

/** Bytes, or a text such as `"256MiB"`. */
export type Size = number | string;

/**
 * Options of a store, by the names that InfluxDB and object_store use, in camelCase: `awsRegion`,
 * `azureStorageAccountName`.
 *
 * The environment (`AWS_…`, `AZURE_…`, `GOOGLE_…`) is their default.
 */
export interface StoreOptions {
    /** An option by its name. */
    readonly [name: string]: string | number | boolean | null | undefined;
}

/** How failed requests are tried again: exponential backoff with full jitter, for minutes rather than seconds. */
export interface RetryOptions {
    /** The longest first wait. It doubles after each failure. Default: 200 ms. */
    initialBackoff?: Duration | undefined;

    /** The longest wait. Default: 20 s. */
    maxBackoff?: Duration | undefined;

    /**
     * How long one object is tried: no attempt begins later. Default: 5 minutes.
     *
     * More than six minutes only helps against a source that is away: where the repository of a backup, or the target
     * of a restore, is, the run ends with `lease-not-renewed` by then.
     */
    maxElapsed?: Duration | undefined;

    /**
     * How long a store may be away, refusing connections or silent, before a copy fails: no attempt begins later.
     *
     * A store that asks to slow down is not away. Default, `null`: a backup waits as long as `maxElapsed`, which also
     * says how much is of use; all others wait 25 s.
     */
    maxOutage?: Duration | null | undefined;
}

/** How many resources a run uses: a backup, a restore, a verification or a certification. */
export interface Limits {
    /** How many bytes are moved per second, by all workers together, at least 1. Default, `null`: no limit. */
    bandwidth?: Size | null | undefined;

    /**
     * How many objects are copied, or verified, concurrently, at least 1. Default: 16.
     *
     * Listings and deletions have budgets of their own, 16 each.
     */
    concurrency?: number | undefined;

    /**
     * Whether files are on disk before a stage counts as done. Without effect where nothing is written.
     *
     * - `durable` (default): on disk.
     * - `relaxed`: left to the operating system: after power loss files may be empty.
     */
    durability?: "durable" | "relaxed" | undefined;

    /** How many bytes of objects are held in memory, by all workers together, at least 1. Default: 256 MiB. */
    memory?: Size | undefined;

    /** How often, and for how long, a failed request is tried again. */
    retry?: RetryOptions | undefined;

    /**
     * How long a connection may move nothing before it counts as stalled; more than 0. Default: 1 minute.
     *
     * A store may answer nothing for as long before a copy is given up. At most half of `retry.maxOutage`, so that one
     * stalled connection is tried again. In all but a backup that is 12.5 s, unless `maxOutage` is set as well.
     */
    stallTimeout?: Duration | undefined;
}

/** When a backup stops trying to close its certificate. */
export interface Passes {
    /** The highest number of passes, at least 1. Default: 10. */
    maxPasses?: number | undefined;

    /** After this time no further pass begins. One that is running ends normally. Default: 1 day. */
    timeLimit?: Duration | undefined;
}

/** Owner and permissions of restored files. Files only; object stores know none. */
export interface Ownership {
    /**
     * Permissions: `inherit`, `as-made`, `FILES` or `FILES:DIRECTORIES` in octal digits, such as `"0640"`.
     *
     * Directories can be entered where files can be read, if they are not given. Default: `inherit`, those of the
     * target directory, files without the execute bits. `as-made`, also `process_default`: as the system makes them.
     */
    modes?: string | undefined;

    /**
     * User and group: `inherit`, `as-made`, `USER` or `USER:GROUP`, each by name or number.
     *
     * Default: `inherit`, those of the target directory, as a container's volume needs it. `as-made`, also
     * `process_default`: as the system makes them.
     */
    owner?: string | undefined;
}

/** Which cluster, and which of its nodes. */
export interface DiscoverOptions {
    /** The cluster id, where it is known (Enterprise). Default, `null`: it is looked for. */
    clusterId?: string | null | undefined;

    /** Nodes to exclude from the backup. Default: none. */
    excludedNodes?: readonly string[] | undefined;

    /** The ids of all nodes of the cluster, where they are known. Default: none, they are looked for. */
    nodeIds?: readonly string[] | undefined;

    /** Nodes that store nothing. Default: none. */
    queryOnly?: readonly string[] | undefined;
}

/** How a tree is certified. */
export interface CertifyOptions {
    /** Which cluster, and which of its nodes, where the location holds no backup. */
    discover?: DiscoverOptions | undefined;

    /**
     * SHA-256 of the backup's root manifest, in hex, as the report of the backup gave it. Default: `null`, any.
     *
     * Another backup under its name, or an altered one, rejects (`untrusted-backup`), and so does one without a checksum
     * of some object.
     */
    expectSha256?: string | null | undefined;

    /** How many resources to use. */
    limits?: Limits | undefined;

    /**
     * A public key of minisign: its line of base64, or the text of its file. Default: `null`.
     *
     * A backup that this key has not signed as it is now rejects (`untrusted-backup`).
     */
    trust?: string | null | undefined;
}

/** How a backup is taken. */
export interface BackupOptions {
    /**
     * What to do when most live Parquet files are gone from the source.
     *
     * Core: `dbs` is empty under live references, or lacks more than half of them. Enterprise, where compaction
     * supersedes files: `dbs` of a node was emptied while the backup ran.
     *
     * - `strict` (default): a violation: a volume is probably not mounted.
     * - `lenient`: a finding: the caller knows that retention removed them.
     */
    absenceTolerance?: "strict" | "lenient" | undefined;

    /**
     * Whether `table-snapshots/`, `db-indices/` and `table-index-conversion-completed` are copied: all three or none.
     *
     * - `exclude` (default): not copied, as documented: InfluxDB makes them again, and a 3.3.0 server did not start
     *   with them.
     * - `include`: copied.
     */
    derived?: "exclude" | "include" | undefined;

    /**
     * The cryptographic digest that objects get in the manifest, where their bytes pass through this process.
     *
     * Verification of bytes and restores compare it. The CRC-64/NVME, which every such object has, finds accidents but no
     * forger.
     *
     * - `none` (default): none.
     * - `blake3`: BLAKE3.
     */
    digest?: "none" | "blake3" | undefined;

    /** How many resources to use. */
    limits?: Limits | undefined;

    /** The backup's name, that of a directory. Default, `null`: `backup-YYYYMMDD-HHMMSS` in UTC. */
    name?: string | null | undefined;

    /**
     * What to do with corrupt objects in the source.
     *
     * - `fail` (default): reject (`corrupt-source`) where one stops a server or loses rows.
     * - `record`: copy them as they are and record them; the backup is `degraded` where a clause is violated.
     */
    onCorrupt?: "fail" | "record" | undefined;

    /**
     * What to do with an unfinished backup of this name.
     *
     * - `refuse` (default): reject (`backup-unfinished`).
     * - `resume`: objects that are finished are not copied again. Needs a `name`.
     */
    onExisting?: "refuse" | "resume" | undefined;

    /**
     * What to do with objects in the source that cannot be read, or are archived.
     *
     * - `refuse` (default): reject (`object-unreadable`, `object-archived`).
     * - `record`: leave them out and record them; the backup is `degraded`, and its certificate names them (`C6`).
     */
    onUnreadable?: "refuse" | "record" | undefined;

    /**
     * What to do when clauses of the certificate are violated at the end.
     *
     * - `fail` (default): reject with {@link NotConsistentError} and commit nothing.
     * - `degrade`: commit a backup marked `degraded`, with the violated clauses.
     */
    onViolation?: "fail" | "degrade" | undefined;

    /** When to stop trying to close the certificate. */
    passes?: Passes | undefined;

    /**
     * The text of a file of a secret key of minisign, which signs the root manifest. It is never written or shown.
     * Default: `null`.
     */
    sign?: string | null | undefined;

    /** The password of that key, where it has one. It is never written or shown. Default: `null`. */
    signPassword?: string | null | undefined;

    /** How long each server may take to stop, where there is an orchestrator. Default: 10 minutes. */
    stopTimeout?: Duration | undefined;

    /**
     * When an unfinished backup may be taken over from another process; only with `onExisting: "resume"`.
     *
     * - `after_timeout` (default): after ten minutes without a heartbeat, or where its holder gave it up.
     * - `immediately`: at once: the caller knows that the other process is no longer running.
     */
    takeover?: "after_timeout" | "immediately" | undefined;
}

/** What a restore does: all that its plan is made with and its hash covers. */
export interface RestoreOptions {
    /**
     * How much of the backup is read before the first write.
     *
     * Presence and size of every object are always checked, and every copy is compared with the manifest, in every
     * case.
     *
     * - `auto` (default): `bytes` where the restore changes data that the target holds, so that a damaged backup is
     *   found while that data is still whole; `structure` where there is no data to lose. The first reads the backup
     *   twice: choose `checksums` or `structure` where that takes too long.
     * - `listing`: nothing: an altered object is found when it is copied, and the boot guard stays.
     * - `structure`: everything but Parquet and the compactor's files, against its checksum.
     * - `checksums`: everything: by the checksum that the backup's store gives, and by reading what it has none for.
     * - `bytes`: everything, by reading it.
     */
    check?: "auto" | "listing" | "structure" | "checksums" | "bytes" | undefined;

    /**
     * SHA-256 of the backup's root manifest, in hex, as the report of the backup gave it. Default: `null`, any.
     *
     * Another backup under its name, or an altered one, rejects (`untrusted-backup`), and so does one without a checksum
     * of some object.
     */
    expectSha256?: string | null | undefined;

    /**
     * What to do with nodes that the target has and the backup lacks.
     *
     * - `refuse` (default): reject (`extra-nodes`).
     * - `delete`: delete their component directories; only with `policy: "replace"`.
     * - `keep`: keep them; only with the policies `replace` and `overlay`.
     */
    extraNodes?: "refuse" | "delete" | "keep" | undefined;

    /**
     * Which license files are restored.
     *
     * Before 3.10 a license is bound to the store (endpoint, bucket and region; account and container; exact path) and
     * to the cluster id; from 3.10 it is portable.
     *
     * - `auto` (default): those that are valid at the target.
     * - `restore`: all of them.
     * - `exclude`: none; those that the target has stay.
     */
    licenses?: "auto" | "restore" | "exclude" | undefined;

    /**
     * What to do with directories of the target that are links to others, such as `wal` on a volume of its own (files
     * only).
     *
     * - `refuse` (default): reject (`link`).
     * - `follow`: write and delete where they lead.
     */
    linkedDirectories?: "refuse" | "follow" | undefined;

    /**
     * What to do with a target of the same ids whose catalog has another uuid: a cluster that was set up again.
     *
     * - `refuse` (default): reject (`target-foreign`).
     * - `replace`: replace it.
     */
    onCatalogMismatch?: "refuse" | "replace" | undefined;

    /**
     * What to do with a backup that was committed although its certificate was violated.
     *
     * - `refuse` (default): reject (`degraded-backup`).
     * - `accept`: restore it.
     */
    onDegraded?: "refuse" | "accept" | undefined;

    /** Owner and permissions of the files (files only). */
    ownership?: Ownership | undefined;

    /**
     * What to do with what the target holds.
     *
     * - `empty` (default): refuse a target that holds anything of the cluster.
     * - `replace`: exact state: what is not in the backup is deleted below the component directories of InfluxDB.
     *   Other entries stay and are named.
     * - `overlay`: copy over what is there; drop only what InfluxDB derives, and catalog logs that would lose their
     *   root. What is newer at the target stays and may undo the restore.
     */
    policy?: "empty" | "replace" | "overlay" | undefined;

    /**
     * A public key of minisign: its line of base64, or the text of its file. Default: `null`.
     *
     * A backup that this key has not signed as it is now rejects (`untrusted-backup`).
     */
    trust?: string | null | undefined;
}

/** How a restore runs. No plan covers it: it may differ from run to run of the same plan. */
export interface RestoreRunOptions {
    /** How many resources to use. */
    limits?: Limits | undefined;

    /**
     * What to do with an unfinished restore at the target.
     *
     * - `refuse` (default): reject with {@link RestoreUnfinishedError}.
     * - `resume`: resume it, under its own policy, if it restores the same backup.
     */
    onUnfinished?: "refuse" | "resume" | undefined;

    /**
     * Whether the caller has stopped the servers of the target. Default: `false` (`not_confirmed`): without an
     * orchestrator only an empty target is restored. `true` is `confirmed_by_caller`.
     *
     * An orchestrator takes precedence: it stops the servers and starts them again, regardless of this value.
     */
    serversStopped?: boolean | "not_confirmed" | "confirmed_by_caller" | undefined;

    /** How long each server may take to stop, where there is an orchestrator. Default: 10 minutes. */
    stopTimeout?: Duration | undefined;

    /**
     * When the target may be taken over from another process that restores to it.
     *
     * - `after_timeout` (default): after ten minutes without a heartbeat, or where its holder gave it up.
     * - `immediately`: at once: the caller knows that the other process is no longer running.
     */
    takeover?: "after_timeout" | "immediately" | undefined;
}

/** How the backups of a repository are listed. */
export interface ListOptions {
    /**
     * A public key of minisign: its line of base64, or the text of its file. Default: `null`.
     *
     * A backup that this key has not signed is `untrusted`.
     */
    trust?: string | null | undefined;
}

/** How a backup is verified. */
export interface VerifyOptions {
    /**
     * SHA-256 of the backup's root manifest, in hex, as the report of the backup gave it. Default: `null`, any.
     *
     * Another backup under its name, or an altered one, rejects (`untrusted-backup`), and so does one without a checksum
     * of some object.
     */
    expectSha256?: string | null | undefined;

    /**
     * How deep to look.
     *
     * - `listing`: presence and size of every object: one listing.
     * - `structure` (default): that, and the certificate again from the backup's own bytes. No Parquet file is read.
     * - `checksums`: that, and the checksum that the store gives for each object on HEAD, where the manifest has the
     *   same kind. What could not be compared is counted.
     * - `bytes`: the structure, and the bytes of objects against their checksums.
     */
    level?: "listing" | "structure" | "checksums" | "bytes" | undefined;

    /** How many resources to use. */
    limits?: Limits | undefined;

    /**
     * At the level `bytes`: how many percent of the objects are read, from 1 to 100. Default: 100.
     *
     * They are chosen at random; at least one.
     */
    samplePercent?: number | undefined;

    /**
     * A public key of minisign: its line of base64, or the text of its file. Default: `null`.
     *
     * A backup that this key has not signed as it is now rejects (`untrusted-backup`).
     */
    trust?: string | null | undefined;
}

/** How a restore is abandoned. */
export interface AbandonOptions {
    /**
     * When the target may be taken over from another process that restores to it.
     *
     * - `after_timeout` (default): after ten minutes without a heartbeat, or where its holder gave it up.
     * - `immediately`: at once: the caller knows that the other process is no longer running.
     */
    takeover?: "after_timeout" | "immediately" | undefined;
}

/** What every verb takes besides its own options. */
export interface JobOptions {
    /**
     * Cancels the job when it is aborted: the job rejects with a {@link CancelledError} whose `cause` is the reason of
     * the signal. Default, `null`: none.
     */
    signal?: AbortSignal | null | undefined;
}

/** What verbs that change many objects take besides their own options. */
export interface EventOptions extends JobOptions {
    /**
     * Whether the events `Vanished`, `Changed`, `Retry` and `Deleted` are sent too, one for each object concerned.
     * Default: `false`.
     */
    objectEvents?: boolean | undefined;
}

/** What a backup and a restore take besides their own options. */
export interface RunOptions extends EventOptions {
    /** A copier, or several that are asked in turn. Default, `null`: `defaultCopiers()`. */
    copier?: Copier | readonly (Copier | NativeCopier)[] | null | undefined;

    /**
     * Stops the servers first and starts them again at the end; one that does not start is in `todos` of the report.
     * Default, `null`: a backup lets them run, a restore needs `serversStopped`.
     */
    orchestrator?: Orchestrator | null | undefined;
}

/** What a restore takes besides its own options. */
export interface ApprovalOptions extends RunOptions {
    /** The `hash` of a plan that was approved: nothing is done that is not in that plan. Default, `null`: any plan. */
    approvedHash?: string | null | undefined;
}

// Places

/** Where objects live: a directory, or a bucket or container with an optional prefix. */
export class Location {
    /**
     * Contacts no store.
     *
     * @param place - A path, a URL (`s3://…`, `az://…`, `gs://…`, `file://…`), or another location.
     * @param storeOptions - Options of the store; the environment is their default. Not with a location, which has its
     * own.
     * @throws {@link UsageError} for a place or an option that cannot be used.
     */
    constructor(place: Place, storeOptions?: StoreOptions | null);

    /** Which kind of store this is: `file`, `s3`, `azure`, `gcs` or `other`. */
    readonly provider: Provider;

    /** Who keeps the objects, without any secret. */
    readonly identity: Identity;

    /** The last segment of the location; `null` at the top of a bucket or file system. */
    readonly name: string | null;

    /** The location one segment above this one; `null` at the top of a bucket or file system. */
    readonly parent: Location | null;

    /**
     * The location `tail` below this one.
     *
     * @throws {@link RefusedError} for a name that climbs out.
     */
    child(tail: string): Location;

    /** Whether `other` is this location or lies inside it, as far as their names show it. */
    contains(other: Place): boolean;

    /** Whether `other` is the same location, with the same options of the store. */
    equals(other: unknown): boolean;

    /** The location as a URL or path, without credentials. */
    toString(): string;

    /** The same text. `JSON.stringify` calls it. */
    toJSON(): string;
}

// Clusters

/** Who keeps the objects of a location, without any secret. */
export class Identity extends Data {
    /** Which kind of store: `file`, `s3`, `azure`, `gcs` or `other`. */
    readonly provider: Provider;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): Identity;
}

/** One node of a cluster. */
export class Node extends Data {
    /** Its id, which is also its prefix. May contain `/`. */
    readonly id: string;

    /** What it does, sorted. */
    readonly roles: readonly Role[];

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): Node;
}

/** One generation of the catalog that the store has. */
export class FoundGeneration extends Data {
    /** Which one. */
    readonly generation: Generation;

    /** Whether it is the one that a server loads, or a frozen older one. */
    readonly state: GenerationState;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): FoundGeneration;
}

/** A node that the catalog names. */
export class CatalogNode extends Data {
    /** Its id. */
    readonly id: string;

    /** Whether the store has objects under it. */
    readonly inStore: boolean;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): CatalogNode;
}

/** What a manifest keeps of a cluster: all of it but the location's credentials. */
export class ClusterDescription extends Data {
    /** The location as a URL. */
    readonly location: string;

    /** Who keeps the objects: what licenses were bound to before 3.10. */
    readonly identity: Identity;

    /** Core or Enterprise. */
    readonly edition: Edition;

    /** The cluster id; `null` for Core. */
    readonly clusterId: string | null;

    /** The nodes, sorted by id. */
    readonly nodes: readonly Node[];

    /** The generations of the catalog found, oldest first. */
    readonly catalogs: readonly FoundGeneration[];

    /** Node ids that the catalog names, or `null` where it cannot be read. */
    readonly catalogNodes: readonly CatalogNode[] | null;

    /** Node ids that the caller excluded by name. */
    readonly excludedNodes: readonly string[];

    /**
     * Prefixes that look like nodes of this cluster, or of none, and are neither among its nodes nor excluded by name.
     */
    readonly unclaimedNodes: readonly string[];

    /** License files, by key. */
    readonly licenses: readonly string[];

    /** Names that belong to no node and not to the cluster (the prefixes of other clusters, too): not copied. */
    readonly foreign: readonly string[];

    /** Names below a node or the cluster that this release does not know: copied and reported. */
    readonly unknown: readonly string[];

    /** What was found that stops nothing. */
    readonly notes: readonly Finding[];

    /** How the cluster was recognized, for a person. */
    readonly evidence: readonly string[];

    /** The cluster id, or for Core the node id. */
    readonly id: string;

    /** Where the catalog lies. */
    readonly catalogPrefix: string;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): ClusterDescription;
}

/** A cluster at a location, as discovery found it. `description` is all that was found. */
export class Cluster extends Data {
    /** Where it lives. */
    readonly location: Location;

    /** The cluster id, or for Core the node id. */
    readonly id: string;

    /** Core or Enterprise. */
    readonly edition: Edition;

    /** The nodes, sorted by id. */
    readonly nodes: readonly Node[];

    /** Where the catalog lies. */
    readonly catalogPrefix: string;

    /** What was found that stops nothing. */
    readonly notes: readonly Finding[];

    /** Everything discovery found. */
    readonly description: ClusterDescription;
}

// Objects and listings

/** Which version of an object it is. */
export class Version extends Data {
    /** The store's entity tag, where it gives one. */
    readonly eTag: string | null;

    /** The store's version id, in versioned buckets. */
    readonly id: string | null;

    /** When it was last modified. */
    readonly modified: Date;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): Version;
}

/** One object of a location. */
export class ObjectMeta extends Data {
    /** Its key, relative to the location. */
    readonly key: string;

    /** Its length in bytes. */
    readonly size: number;

    /** Which version of it. */
    readonly version: Version;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): ObjectMeta;
}

/** One listing of a cluster. */
export class Listing extends Data {
    /** What was listed. */
    readonly group: Group;

    /** Whose: a node id, or the prefix of the catalog. */
    readonly owner: string;

    /** When it began. */
    readonly started: Date;

    /** When it ended. */
    readonly ended: Date;

    /** Its place in the order in which the listings of a run happened. */
    readonly order: number;

    /** What it found. Made at its first use. */
    readonly entries: readonly ObjectMeta[];

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): Listing;
}

/** What one pass over a cluster listed, in the order in which it was listed. */
export class Inventory extends Data {
    /** The listings. */
    readonly listings: readonly Listing[];

    /** How many objects were listed. */
    readonly objects: number;

    /** How many bytes they have. */
    readonly bytes: number;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): Inventory;
}

// The proof

/** Something that was found. `String()` shows its message. */
export class Finding extends Data {
    /** What it is, by a stable code: one of `FINDING_CODES`. */
    readonly code: FindingCode | (string & {});

    /** How serious it is: that of its code. */
    readonly severity: Severity;

    /** The clause that it belongs to, where it belongs to one. */
    readonly clause: Clause | null;

    /** The node concerned. */
    readonly node: string | null;

    /** The object concerned. */
    readonly key: string | null;

    /** A sentence for a person. */
    readonly message: string;

    /** The number that should be there: a size in bytes, a count of files, the number of a log. */
    readonly expected: number | null;

    /** The number that is there instead. */
    readonly found: number | null;

    /** The first and the last number of a run of WAL files. */
    readonly range: readonly [number, number] | null;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): Finding;
}

/** One clause of the proof and what was found. */
export class ClauseResult extends Data {
    /** Which one: `C1` to `C9`. */
    readonly clause: Clause;

    /** Whether it holds, is violated, or could not be judged. */
    readonly verdict: Verdict;

    /** How that is known. */
    readonly basis: Basis;

    /** What violates it, as `Finding`s: the first 100 of each code. */
    readonly violations: readonly Finding[];

    /** How many violations there are in all, by code. */
    readonly counts: { readonly [code: string]: number };

    /** How many violations there are in all. */
    readonly violated: number;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): ClauseResult;
}

/** The newest snapshot of a node. */
export class Guaranteed extends Data {
    /** Its sequence number. */
    readonly snapshot: number;

    /** The last WAL file that it covers. */
    readonly wal: number;

    /** When it was stored. */
    readonly time: Date;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): Guaranteed;
}

/** The last WAL file of a node. */
export class Reached extends Data {
    /** Its number. */
    readonly wal: number;

    /** When it was stored: what was acknowledged later is lost if the cluster dies now. */
    readonly time: Date;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): Reached;
}

/** Where a node can be recovered to. */
export class RecoveryPoint extends Data {
    /** The node. */
    readonly node: string;

    /** The newest snapshot: what is certain even without any WAL. */
    readonly guaranteed: Guaranteed | null;

    /** The last WAL file held above it: what a server replays. */
    readonly reached: Reached | null;

    /** What the node acknowledged after this time is lost if the cluster dies now; `null` where it holds nothing. */
    readonly time: Date | null;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): RecoveryPoint;
}

/** The times that a node can be recovered to. */
export class RecoveryTimes extends Data {
    /** When the newest snapshot was stored: what is certain even without any WAL. */
    readonly guaranteed: Date | null;

    /** What the node acknowledged after this time is lost if the cluster dies now. */
    readonly reached: Date | null;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): RecoveryTimes;
}

/** Live files that neither the backup nor the source has. */
export class AbsentTable extends Data {
    /** The node. */
    readonly node: string;

    /** The database's id. */
    readonly database: number;

    /** The table's id. */
    readonly table: number;

    /** How many files. */
    readonly files: number;

    /** How many rows they had. */
    readonly rows: number;

    /** The newest row's time. */
    readonly newest: Date;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): AbsentTable;
}

/**
 * The proof that a backup restores.
 *
 * `String()` shows it as text. `certify` makes one from any tree; a backup keeps the one that it was committed with.
 */
export class Certificate extends Data {
    /** Every clause, in order. */
    readonly clauses: readonly ClauseResult[];

    /** Where each node can be recovered to. */
    readonly recovery: readonly RecoveryPoint[];

    /** Where each node can be recovered to, by its id. */
    readonly recoveryPoints: { readonly [node: string]: RecoveryTimes };

    /** Live files that neither the backup nor the source has, per node and table. */
    readonly absent: readonly AbsentTable[];

    /** Findings that violate nothing. */
    readonly findings: readonly Finding[];

    /** How many objects were compared by what. */
    readonly checkedBy: { readonly [check in CheckedBy]?: number };

    /** The sequence of the live catalog. */
    readonly catalogSequence: number | null;

    /** Parquet files that no manifest names: copied, never certified. */
    readonly orphans: number;

    /** Whether no clause is violated. */
    readonly holds: boolean;

    /**
     * Whether the tree is proven to restore: no clause is violated, and what its bytes must tell (C1 to C5) is known.
     */
    readonly isProven: boolean;

    /** The clauses that are violated. */
    readonly violatedClauses: readonly Clause[];

    /** Every violation that is kept, clause by clause. */
    readonly violations: readonly Finding[];

    /** How many live files are absent. */
    readonly absentFiles: number;

    /** One line: the violated clauses, each with its first reason. */
    readonly summary: string;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): Certificate;
}

// Plans and reports

/** What a backup of a cluster would copy. `String()` shows it as text. */
export class BackupPlan extends Data {
    /** The cluster id, or for Core the node id. */
    readonly cluster: string;

    /** Core or Enterprise. */
    readonly edition: Edition;

    /** The source, as a URL without credentials. */
    readonly source: string;

    /** What is copied, in order: each stage is finished before the next one begins. */
    readonly stages: readonly Stage[];

    /** What is skipped, and why. */
    readonly skipped: readonly Skipped[];

    /** What else was found. */
    readonly findings: readonly Finding[];

    /** How many objects it copies. */
    readonly objects: number;

    /** How many bytes. */
    readonly bytes: number;

    /** The same for the same plan on every machine. */
    readonly hash: string;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): BackupPlan;
}

/** What a restore would do: to be shown, approved and run. `String()` shows it as text. */
export class RestorePlan extends Data {
    /** The backup's name. */
    readonly backup: string;

    /** SHA-256 of its root manifest. */
    readonly manifestSha256: string;

    /** The cluster id, or for Core the node id. */
    readonly cluster: string;

    /** Core or Enterprise. */
    readonly edition: Edition;

    /** The target, as a URL without credentials. */
    readonly target: string;

    /** Who keeps the objects of the target. */
    readonly targetIdentity: Identity;

    /** The options that the plan was made with, each of them, as `planRestore` takes them. */
    readonly options: Readonly<RestoreOptions>;

    /** The policy that holds: that of an unfinished restore, where the plan resumes one. */
    readonly policy: Policy;

    /** The id of the unfinished restore that is resumed. */
    readonly resumes: string | null;

    /** Where the boot guard is put, so that no server starts meanwhile. */
    readonly guards: readonly string[];

    /** What happens to each guard at the end, in order. */
    readonly release: readonly RootStep[];

    /** What is copied, in order: each stage is finished before the next one begins. */
    readonly stages: readonly Stage[];

    /** What the target holds besides the backup: names, not touched. */
    readonly kept: readonly string[];

    /** What is skipped, and why. */
    readonly skipped: readonly Skipped[];

    /** The generation of the catalog that servers load. */
    readonly live: Generation;

    /** Which server releases may open the result. */
    readonly servers: ServerReleases;

    /** The nodes whose servers have to be stopped, in order. */
    readonly stop: readonly Node[];

    /** The nodes whose servers are started again, in order. */
    readonly start: readonly Node[];

    /** What the caller has to do. */
    readonly todos: readonly Finding[];

    /** What else was found. */
    readonly findings: readonly Finding[];

    /** How many objects it copies. */
    readonly objects: number;

    /** How many bytes. */
    readonly bytes: number;

    /** The same for the same plan on every machine. */
    readonly hash: string;

    /** Keys at the target that would be overwritten. */
    readonly overwrites: readonly string[];

    /** Keys at the target that would be deleted. */
    readonly deletions: readonly string[];

    /** License files that are not restored. */
    readonly licensesSkipped: readonly string[];

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): RestorePlan;
}

/** A set of copies: all of them are finished before the next stage begins. */
export class Stage extends Data {
    /** What it copies. */
    readonly kind: StageKind;

    /** How many objects it copies. */
    readonly objects: number;

    /** How many bytes. */
    readonly bytes: number;

    /** The keys that it writes. Made at their first use. */
    readonly keys: readonly string[];

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): Stage;
}

/** What happens to the boot guard at the root of one generation of the catalog. */
export class RootStep extends Data {
    /** The key of the root. */
    readonly key: string;

    /** Which generation's. */
    readonly generation: Generation;

    /** `put`: the backup's root takes its place; `remove`: the backup has no catalog of this generation. */
    readonly action: RootAction;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): RootStep;
}

/** Something that a plan skips, and why. */
export class Skipped extends Data {
    /** What kind of item: `objects`, `component`, `object`, `node` or `name`. */
    readonly kind: SkippedKind;

    /** Which one; `null` for objects that have nothing in common but the reason. */
    readonly name: string | null;

    /** Why. */
    readonly reason: SkipReason;

    /** How many objects. 0 where they were not listed. */
    readonly objects: number;

    /** How many bytes. */
    readonly bytes: number;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): Skipped;
}

/** What one pass cost and found. */
export class PassReport extends Data {
    /** Objects listed. */
    readonly listed: number;

    /** Objects copied. */
    readonly copied: number;

    /** Bytes copied. */
    readonly bytes: number;

    /** Objects copied, by the copier that did it. */
    readonly copiers: { readonly [copier: string]: number };

    /**
     * Objects that another copier did because the store refused to copy them by itself, by the copier that had asked
     * it.
     */
    readonly refused: { readonly [copier: string]: number };

    /** Objects listed and gone before their copy. */
    readonly vanished: number;

    /** Objects that changed between listing and copy. */
    readonly changed: number;

    /**
     * Objects of the backup that were not there as they had been written when the pass was to be committed: copied
     * again.
     */
    readonly altered: number;

    /** Objects that were in the backup then and that no record named: deleted. */
    readonly unrecorded: number;

    /** How long it took, in milliseconds. */
    readonly elapsedMs: number;

    /** Clauses that were violated after it. */
    readonly failedClauses: readonly Clause[];

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): PassReport;
}

/** What a place can do, as far as it was found out. What only file systems have is `null` for object stores. */
export class Abilities extends Data {
    /** How an object is created that must not exist yet. */
    readonly createOnly: CreateOnly;

    /** What is on disk when a write has returned. */
    readonly synced: Synced | null;

    /** Whether files can be given the time of their source. */
    readonly times: Times | null;

    /** Whether a file has the same inode at every look. */
    readonly inodes: Inodes | null;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): Abilities;
}

/** What a backup did. */
export class BackupReport extends Data {
    /** The backup's name. */
    readonly name: string;

    /** Complete, or degraded with the caller's consent. */
    readonly status: BackupStatus;

    /** When it began: what was acknowledged before is in it. */
    readonly began: Date;

    /** When it was committed. */
    readonly committed: Date;

    /** The proof. */
    readonly certificate: Certificate;

    /** Where each node can be recovered to, by its id. */
    readonly recoveryPoints: { readonly [node: string]: RecoveryTimes };

    /** What the passes cost and found. */
    readonly passes: readonly PassReport[];

    /** How many objects the backup holds. */
    readonly objects: number;

    /** How many bytes. */
    readonly bytes: number;

    /** What was skipped, and why. */
    readonly skipped: readonly Skipped[];

    /** Names below a node or the cluster that this release does not know: copied. */
    readonly unknown: readonly string[];

    /** License files held; before 3.10 they are bound to the place they were issued for. */
    readonly licenses: readonly string[];

    /** SHA-256 of the root manifest: write it down elsewhere. */
    readonly manifestSha256: string;

    /** What no backup of an object store covers. */
    readonly notCovered: readonly string[];

    /** What the caller has to do, such as to start a server that the orchestrator could not start again. */
    readonly todos: readonly Finding[];

    /** What else the run found. What it found in the cluster is in the certificate. */
    readonly findings: readonly Finding[];

    /** What the repository can do, as far as it was found out. */
    readonly abilities: Abilities | null;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): BackupReport;
}

/** The server releases that open a store. */
export class ServerReleases extends Data {
    /** The oldest that opens it. */
    readonly oldest: string;

    /** The newest that opens it; `null`: all that are known. */
    readonly newest: string | null;

    /** The oldest that migrates it, so that releases after `newest` open it then. */
    readonly migratedBy: string | null;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): ServerReleases;
}

/** What a restore did. */
export class RestoreReport extends Data {
    /** The restore's id, which the boot guard named. */
    readonly restore: string;

    /** The backup. */
    readonly backup: string;

    /** SHA-256 of its root manifest. */
    readonly manifestSha256: string;

    /** The cluster id, or for Core the node id. */
    readonly cluster: string;

    /** The target, as a URL without credentials. */
    readonly target: string;

    /** Objects of the backup that the target holds now. */
    readonly objects: number;

    /** Their bytes. */
    readonly bytes: number;

    /** Those of the objects that an earlier run of the same restore had finished. */
    readonly resumed: number;

    /** Objects deleted because the backup does not hold them. */
    readonly deleted: number;

    /** What the target holds besides the backup: names, not touched. */
    readonly kept: readonly string[];

    /** License files that were not restored. */
    readonly licensesSkipped: readonly string[];

    /** Which server releases may open the result. */
    readonly servers: ServerReleases;

    /** Where each node is recovered to. */
    readonly recovery: readonly RecoveryPoint[];

    /** Where each node is recovered to, by its id. */
    readonly recoveryPoints: { readonly [node: string]: RecoveryTimes };

    /** What the caller has to do. */
    readonly todos: readonly Finding[];

    /** What else the run found. */
    readonly findings: readonly Finding[];

    /** The nodes that the orchestrator started again, in order. */
    readonly started: readonly string[];

    /** What the target can do, as far as it was found out. */
    readonly abilities: Abilities | null;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): RestoreReport;
}

/** What abandoning a restore did. */
export class AbandonReport extends Data {
    /** The restore's id. */
    readonly restore: string;

    /** The backup that it was to restore. */
    readonly backup: string;

    /** Objects that it had copied, deleted again. */
    readonly deleted: number;

    /** Roots of the catalog that are as they were. */
    readonly roots: readonly string[];

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): AbandonReport;
}

/** What verification found. */
export class VerifyReport extends Data {
    /** The backup. */
    readonly backup: string;

    /** How deep it looked. */
    readonly level: VerifyLevel;

    /** Objects that the manifest lists. */
    readonly objects: number;

    /** Objects whose bytes were read and compared. */
    readonly read: number;

    /** Objects whose checksum at the store is the manifest's, at the level `checksums`. */
    readonly confirmed: number;

    /** Objects of which the store or the manifest has no checksum to compare, at the level `checksums`. */
    readonly unconfirmed: number;

    /** Objects of which the manifest has no checksum: whatever their bytes are, nothing shows that they are the right ones. */
    readonly notCompared: number;

    /** What is wrong: the first 100 of each code. Empty: the backup is what it was. */
    readonly problems: readonly Finding[];

    /** How many problems there are in all, by code. */
    readonly counts: { readonly [code: string]: number };

    /** What should be looked at. Nothing of it is wrong. */
    readonly findings: readonly Finding[];

    /** The certificate, made again; `null` at the level `listing`. */
    readonly certificate: Certificate | null;

    /** Whether the backup is what it was. */
    readonly ok: boolean;

    /** How many problems there are in all. */
    readonly problemCount: number;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): VerifyReport;
}

// Backups

/** The root of a backup. */
export class Manifest extends Data {
    /** The format that it was written in. */
    readonly format: number;

    /** The oldest format whose readers understand it. A release that knows only older ones refuses the backup. */
    readonly minReader: number;

    /** The backup's name. */
    readonly name: string;

    /** Complete, or degraded with the caller's consent. */
    readonly status: BackupStatus;

    /** Which release of influx-backup wrote it. */
    readonly writtenBy: string;

    /** When the backup began: what was acknowledged before is in it. */
    readonly began: Date;

    /** When it was committed. */
    readonly committed: Date;

    /** The cluster and its source, without credentials. */
    readonly cluster: ClusterDescription;

    /** How many objects. */
    readonly objectCount: number;

    /** How many bytes. */
    readonly byteCount: number;

    /** The proof as it was at the commit. */
    readonly certificate: Certificate;

    /** What the passes cost and found. */
    readonly passes: readonly PassReport[];

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): Manifest;
}

/** One entry of the list of a repository. */
export class BackupSummary extends Data {
    /** Its name. */
    readonly name: string;

    /** In which state it is, such as `complete` or `damaged`. */
    readonly state: BackupState;

    /** The cluster it was taken from. */
    readonly cluster: string | null;

    /** When it was begun. */
    readonly began: Date | null;

    /** When it was committed. */
    readonly committed: Date | null;

    /** How many objects it holds. */
    readonly objects: number | null;

    /** How many bytes. */
    readonly bytes: number | null;

    /**
     * Why no more is known of it, where it is damaged, newer or unreadable: code, hint and causes, as of any other
     * error.
     */
    readonly reason: ErrorReport | null;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): BackupSummary;
}

/**
 * What an attempt left that ended without a commit. It takes room until `Repository.remove` deletes it.
 *
 * An upload that never became an object counts as one object of no bytes: stores do not tell its size. A bucket's
 * lifecycle rule (`AbortIncompleteMultipartUpload`) removes them too, and Azure does after a week.
 */
export class Leftover extends Data {
    /** The directory of the repository that it lies in: a backup's name. */
    readonly name: string;

    /** What it is. */
    readonly kind: LeftoverKind;

    /** How many files or objects. */
    readonly objects: number;

    /** How many bytes. */
    readonly bytes: number;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): Leftover;
}

/** The marker of a repository, `_influx_backup/repository.json`. The first backup writes it; it is never changed. */
export class RepositoryMarker extends Data {
    /** The version of the format. */
    readonly format: number;

    /** The oldest version of the format whose readers can read this repository. */
    readonly minReader: number;

    /** When the repository was made. */
    readonly created: Date;

    /** Tells this repository from every other one: 32 hexadecimal digits, chosen at random. */
    readonly id: string;

    /** Which release of influx-backup made it. */
    readonly writtenBy: string;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): RepositoryMarker;
}

/** One object of a backup. */
export class ObjectRecord extends Data {
    /** Its key in the source, and where it is restored to. */
    readonly key: string;

    /** How many bytes it had in the source. */
    readonly size: number;

    /** The checksum of these bytes (CRC-64/NVME), where they were read on the way. */
    readonly crc64: string | null;

    /** Their BLAKE3, where they were read on the way and it was wanted. */
    readonly blake3: string | null;

    /** The version of the source that was copied. */
    readonly version: Version;

    /** What the copy was compared by. */
    readonly checkedBy: CheckedBy;

    /** Metadata that the source's store returned with it. */
    readonly attributes: { readonly [name: string]: string };

    /** Where its bytes lie, relative to the repository; `null`: under its own key in the backup. */
    readonly storedAt: string | null;

    /** How many bytes lie there. */
    readonly storedSize: number;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): ObjectRecord;
}

/** A Parquet file that is referred to and that neither the backup nor the source has. */
export class AbsentRecord extends Data {
    /** The node. */
    readonly node: string;

    /** The database's id. */
    readonly database: number;

    /** The table's id. */
    readonly table: number;

    /** Its key. */
    readonly path: string;

    /** How many rows it had. */
    readonly rows: number;

    /** The newest row's time. */
    readonly newest: Date;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): AbsentRecord;
}

/** A committed backup, opened. */
export class Backup extends Data {
    /** Its name: that of the place where it lies. */
    readonly name: string;

    /** Where it lies. */
    readonly location: Location;

    /** SHA-256 of the root manifest: keep it elsewhere, and no change of the backup goes unnoticed. */
    readonly sha256: string;

    /** The repository that it lies in. */
    readonly repository: Location;

    /** Every object that it holds, sorted by key. Made at their first use. */
    readonly objects: readonly ObjectRecord[];

    /** Parquet files that live manifests name and that were gone from the source, with the consent of the caller. */
    readonly absent: readonly AbsentRecord[];

    /** The object of this key; `null` where it holds none. Throws a {@link UsageError} for a text that is no key. */
    object(key: string): ObjectRecord | null;

    /** What the backup holds. */
    readonly manifest: Manifest;
}

// Targets of restores

/** What is at the place that a backup is restored to. Nothing was written to find out. */
export class Target extends Data {
    /** The place, as a URL without credentials. */
    readonly location: string;

    /** Who keeps the objects there. */
    readonly identity: Identity;

    /** When it was inspected. */
    readonly inspected: Date;

    /** Whether it holds nothing at all, files of influx-backup apart. */
    readonly isEmpty: boolean;

    /** The prefixes that hold files of InfluxDB, sorted by id. */
    readonly prefixes: readonly Prefix[];

    /** Top-level names that hold none, sorted. */
    readonly others: readonly string[];

    /** A restore that was begun here and not finished. */
    readonly unfinished: UnfinishedRestore | null;

    /** The process that restores to it now. */
    readonly holder: LeaseHolder | null;

    /** When anything below the prefixes was last written. */
    readonly lastWritten: Date | null;

    /** How long before the inspection something was written, where that is so recent that a server may be running. */
    readonly signsOfLife: number | null;

    /** Every object but those of influx-backup, sorted by key. Made at their first use. */
    readonly objects: readonly ObjectMeta[];

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): Target;
}

/** A restore that was begun and not finished. */
export class UnfinishedRestore extends Data {
    /** Its id, which the boot guard names. */
    readonly restore: string;

    /** The backup that it restores. */
    readonly backup: string;

    /** SHA-256 of that backup's root manifest. */
    readonly manifestSha256: string;

    /** When it was begun. */
    readonly began: Date;

    /** Its policy, which holds for resuming as well. */
    readonly policy: Policy;

    /** Its answer to nodes that the backup lacks, which holds for resuming as well. */
    readonly extraNodes: ExtraNodes;

    /** How far it is. */
    readonly phase: RestorePhase;

    /** Whether it can be abandoned. */
    readonly changes: Changes;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): UnfinishedRestore;
}

/** The process that restores to a target now. */
export class LeaseHolder extends Data {
    /** Which process, and on which host. */
    readonly owner: string;

    /** How long ago its last heartbeat was, in milliseconds. */
    readonly silence: number;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): LeaseHolder;
}

/** A prefix of a target that holds files of InfluxDB. */
export class Prefix extends Data {
    /** The node id or cluster id that it stands for. */
    readonly id: string;

    /** The kinds of objects found, sorted. */
    readonly components: readonly Component[];

    /** The roots of its catalog, oldest generation first. */
    readonly roots: readonly FoundRoot[];

    /** Whether it holds what only nodes hold. */
    readonly isNode: boolean;

    /** Whether it holds any part of a catalog. */
    readonly hasCatalog: boolean;

    /** The uuid of its newest readable catalog. */
    readonly uuid: string | null;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): Prefix;
}

/** A root of the catalog at a target. */
export class FoundRoot extends Data {
    /** Which generation's. */
    readonly generation: Generation;

    /** What stands there: `catalog`, `guard` (of a restore), or `unreadable`. */
    readonly kind: RootContent;

    /** The catalog's uuid, where the file has one. */
    readonly uuid: string | null;

    /** The catalog's sequence, where the file has one. */
    readonly sequence: number | null;

    /** The id of the restore whose guard stands there. */
    readonly restore: string | null;

    /** Why no server would read it. */
    readonly reason: string | null;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): FoundRoot;
}

// Progress

/** How far a job is, and what it is doing. Its counts only grow while it runs. */
export class Progress extends Data {
    /** What the job is doing. */
    readonly phase: Phase;

    /** The pass of a backup, from 1. */
    readonly passNumber: number | null;

    /** What is being copied. */
    readonly stage: StageKind | null;

    /** Milliseconds since the job was started, or from there to its end. */
    readonly elapsedMs: number;

    /** Objects listed so far: what grows before anything is planned. One that is listed again counts again. */
    readonly listed: number;

    /** Objects finished. */
    readonly objects: number;

    /** Bytes of objects that are finished or under way. */
    readonly bytes: number;

    /** Objects planned so far. */
    readonly totalObjects: number;

    /** Bytes planned so far. */
    readonly totalBytes: number;

    /** Objects that were listed and then gone before their copy. */
    readonly vanished: number;

    /** Objects that changed between their listing and their copy. */
    readonly changed: number;

    /** Attempts that failed and were repeated. */
    readonly retries: number;

    /** Objects deleted. */
    readonly deleted: number;

    /**
     * How much of what is planned so far is done, from 0 to 1; `null` as long as nothing is planned.
     *
     * By bytes, or by objects where no bytes are counted. It falls where more is planned.
     */
    readonly fraction: number | null;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): Progress;
}

// Events

/** One event of a job: what happened, when, and as which event in a row. `kind` tells which of the classes it is. */
export type Event =
    | PassStarted
    | CheckStarted
    | StageStarted
    | ProgressEvent
    | Lagged
    | StageFinished
    | Vanished
    | Changed
    | Retry
    | PassFinished
    | Certified
    | Recovery
    | Deleted
    | GuardSet
    | GuardReleased
    | NodeStopped
    | NodeStarted
    | FindingEvent
    | Committed
    | Finished;

/** The class that the classes of events extend. */
export const Event: EventClass;

interface EventClass extends Function {
    /** What `instanceof` is asked for. */
    readonly prototype: Event;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    fromJSON(json: string | object): Event;
}

declare class EventBase extends Data {
    /** Its number, from 1. The next event has the next number, except after `Lagged`. */
    readonly seq: number;

    /** When it happened, by this machine's clock. */
    readonly at: Date;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): Event;
}

/** A pass of a backup begins. */
export class PassStarted extends EventBase {
    /** Always `"pass_started"`. */
    readonly kind: "pass_started";

    /** Its number, from 1. */
    readonly number: number;

    /** Objects listed in the source. */
    readonly listed: number;

    /** Objects to copy. */
    readonly objects: number;

    /** Bytes to copy. */
    readonly bytes: number;
}

/** A restore begins to compare objects of its backup, before it writes anything. */
export class CheckStarted extends EventBase {
    /** Always `"check_started"`. */
    readonly kind: "check_started";

    /** How many objects. */
    readonly objects: number;

    /** Their bytes: all of them are read, but for those that are compared by their store's checksums. */
    readonly bytes: number;
}

/** A stage begins. */
export class StageStarted extends EventBase {
    /** Always `"stage_started"`. */
    readonly kind: "stage_started";

    /** Which one. */
    readonly stage: StageKind;

    /** Objects to copy. */
    readonly objects: number;

    /** Bytes to copy. */
    readonly bytes: number;
}

/** How far the job is. Sent ten times a second at most; one that is not read is replaced by the next. */
export class ProgressEvent extends EventBase {
    /** Always `"progress"`. */
    readonly kind: "progress";

    /** How far it is. */
    readonly progress: Progress;
}

/** Events were dropped because nothing read them: the next event has the number `seq + missed`. */
export class Lagged extends EventBase {
    /** Always `"lagged"`. */
    readonly kind: "lagged";

    /** How many. */
    readonly missed: number;
}

/** A stage is over and, for files, on disk. */
export class StageFinished extends EventBase {
    /** Always `"stage_finished"`. */
    readonly kind: "stage_finished";

    /** Which one. */
    readonly stage: StageKind;
}

/** An object was listed and then gone before its copy. Sent only where object events are asked for. */
export class Vanished extends EventBase {
    /** Always `"vanished"`. */
    readonly kind: "vanished";

    /** The object. */
    readonly key: string;
}

/** An object changed between its listing and its copy. Sent only where object events are asked for. */
export class Changed extends EventBase {
    /** Always `"changed"`. */
    readonly kind: "changed";

    /** The object. */
    readonly key: string;
}

/** Something failed and is tried again. Sent only where object events are asked for. */
export class Retry extends EventBase {
    /** Always `"retry"`. */
    readonly kind: "retry";

    /** The object. */
    readonly key: string;

    /** How many attempts failed so far. */
    readonly attempt: number;

    /** How long it waits, in milliseconds. */
    readonly wait: number;

    /** What failed, with a stable code. */
    readonly code: ErrorCode | (string & {});
}

/** A pass of a backup is over. */
export class PassFinished extends EventBase {
    /** Always `"pass_finished"`. */
    readonly kind: "pass_finished";

    /** Its number. */
    readonly number: number;

    /** What it cost and found. */
    readonly report: PassReport;
}

/** The proof, as far as it holds. */
export class Certified extends EventBase {
    /** Always `"certified"`. */
    readonly kind: "certified";

    /** The certificate. */
    readonly certificate: Certificate;
}

/** Where each node can be recovered to. */
export class Recovery extends EventBase {
    /** Always `"recovery"`. */
    readonly kind: "recovery";

    /** One per node. */
    readonly points: readonly RecoveryPoint[];
}

/**
 * An object was deleted: trimmed from a backup, or from the target of a restore. Sent only where object events are
 * asked for.
 */
export class Deleted extends EventBase {
    /** Always `"deleted"`. */
    readonly kind: "deleted";

    /** The object. */
    readonly key: string;
}

/** The boot guard stands: no server starts on the target. */
export class GuardSet extends EventBase {
    /** Always `"guard_set"`. */
    readonly kind: "guard_set";
}

/** The boot guard is gone: servers may start on the target. */
export class GuardReleased extends EventBase {
    /** Always `"guard_released"`. */
    readonly kind: "guard_released";
}

/** A node was stopped by the orchestrator. */
export class NodeStopped extends EventBase {
    /** Always `"node_stopped"`. */
    readonly kind: "node_stopped";

    /** Its id. */
    readonly node: string;
}

/** A node was started by the orchestrator. */
export class NodeStarted extends EventBase {
    /** Always `"node_started"`. */
    readonly kind: "node_started";

    /** Its id. */
    readonly node: string;
}

/** Something was found, or the caller has to do something: see its severity. */
export class FindingEvent extends EventBase {
    /** Always `"finding"`. */
    readonly kind: "finding";

    /** What was found. */
    readonly finding: Finding;
}

/** The last object is written: the backup counts. */
export class Committed extends EventBase {
    /** Always `"committed"`. */
    readonly kind: "committed";

    /** Its name. */
    readonly name: string;
}

/**
 * The job has ended. Always the last event, also of a job that was cancelled or that panicked. A job that could not be
 * started, as by a wrong option, has no events.
 */
export class Finished extends EventBase {
    /** Always `"finished"`. */
    readonly kind: "finished";

    /** Why it failed, together with what it had found; `null`: it did not. */
    readonly error: ErrorReport | null;
}

// Errors

/** An option that answers an error. */
export class Hint extends Data {
    /** The option, by its name in the options of verbs, such as `policy` or `passes.maxPasses`. */
    readonly option: string;

    /** Its value; `null` where the caller has to choose it. */
    readonly value: string | null;

    /** What it does. */
    readonly text: string;

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): Hint;
}

/** An error as data: everything that a caller needs to branch on it and to show it. */
export class ErrorReport extends Data {
    /** The stable code, one of `ERROR_CODES`. */
    readonly code: ErrorCode | (string & {});

    /** What kind of error it is. */
    readonly category: Category;

    /** What happened, to what, and what to do. */
    readonly message: string;

    /** Options that answer it: each by itself, unless its text says otherwise. */
    readonly hints: readonly Hint[];

    /** Whether the same call may succeed later without anything being changed. */
    readonly retryable: boolean;

    /** The object that it is about. */
    readonly key: string | null;

    /** The location that it is about. */
    readonly location: string | null;

    /** The messages of the errors behind it, the nearest first. */
    readonly causes: readonly string[];

    /** The proof as far as it holds, where it does not hold. */
    readonly certificate: Certificate | null;

    /** What the job that failed had found, and what the caller has to do. */
    readonly findings: readonly Finding[];

    /** The other fields of the error by name, such as `clusters`, `nodes` or `owner`. */
    readonly context: { readonly [name: string]: any };

    /** Reads what `toJSON` gives, as an object or as text. Throws {@link UsageError} for anything else. */
    static fromJSON(json: string | object): ErrorReport;
}

/** An error of influx-backup: what jobs reject with. `report` is all of it as data. */
export class InfluxBackupError extends Error {
    /** Makes the error that a report describes. */
    constructor(report: ErrorReport, options?: { cause?: unknown });

    /** The stable code, one of `ERROR_CODES`. */
    readonly code: ErrorCode;

    /** What kind of error it is; each category has a subclass. */
    readonly category: Category;

    /** The object that it is about. */
    readonly key: string | null;

    /** The location that it is about. */
    readonly location: string | null;

    /** Options that answer it: each by itself, unless its text says otherwise. */
    readonly hints: readonly Hint[];

    /** What the first of `hints` says, for a person. */
    readonly hint: string | null;

    /** Whether the same call may succeed later without anything being changed. */
    readonly retryable: boolean;

    /** The proof as far as it holds, where it does not hold. */
    readonly certificate: Certificate | null;

    /** What the job that failed had found, and what the caller has to do. */
    readonly findings: readonly Finding[];

    /** Everything about the error, as data. `String(error.report)` shows it as the program does. */
    readonly report: ErrorReport;

    /**
     * What is behind it: what a copier or an orchestrator of the caller threw, the reason of the signal that cancelled
     * the job, or an `Error` with the message of the next cause, which has a `cause` as well.
     */
    readonly cause?: unknown;
}

/** The request itself is wrong: an argument or an option. */
export class UsageError extends InfluxBackupError {
    /** Always `"usage"`. */
    readonly category: "usage";
}

/**
 * An option of a verb, or of a store, that is none (`unknown-option`). The message has the near ones. It is a
 * `TypeError`, too.
 */
export class UnknownOptionError extends UsageError implements TypeError {
    /** Always `"unknown-option"`. */
    readonly code: "unknown-option";
}

/** Something that was named does not exist: a cluster, a backup, a directory or bucket. */
export class NotFoundError extends InfluxBackupError {
    /** Always `"not_found"`. */
    readonly category: "not_found";
}

/** It would be unsafe, or the caller has to decide first. */
export class RefusedError extends InfluxBackupError {
    /** Always `"refused"`. */
    readonly category: "refused";
}

/** The name is taken (`backup-exists`). */
export class BackupExistsError extends RefusedError {
    /** Always `"backup-exists"`. */
    readonly code: "backup-exists";
}

/** Another process writes this backup (`backup-in-progress`). */
export class BackupInProgressError extends RefusedError {
    /** Always `"backup-in-progress"`. */
    readonly code: "backup-in-progress";
}

/** A name that no store can hold, or that climbs out of its location (`invalid-key`). */
export class InvalidKeyError extends RefusedError {
    /** Always `"invalid-key"`. */
    readonly code: "invalid-key";
}

/** The restore would do what is not in the plan that was approved (`plan-changed`). */
export class PlanChangedError extends RefusedError {
    /** Always `"plan-changed"`. */
    readonly code: "plan-changed";
}

/** Another process restores to this target (`restore-in-progress`). */
export class RestoreInProgressError extends RefusedError {
    /** Always `"restore-in-progress"`. */
    readonly code: "restore-in-progress";
}

/** The target has an unfinished restore: resume or abandon it (`restore-unfinished`). */
export class RestoreUnfinishedError extends RefusedError {
    /** Always `"restore-unfinished"`. */
    readonly code: "restore-unfinished";
}

/** The target holds data (`target-not-empty`). */
export class TargetNotEmptyError extends RefusedError {
    /** Always `"target-not-empty"`. */
    readonly code: "target-not-empty";
}

/** A certificate does not hold, a verification failed, or a backup is damaged. */
export class NotConsistentError extends InfluxBackupError {
    /** Always `"not_consistent"`. */
    readonly category: "not_consistent";
}

/** A store or file system failed: unreachable, denied, full. */
export class StoreError extends InfluxBackupError {
    /** Always `"store"`. */
    readonly category: "store";
}

/**
 * Wrong credentials, none, or a missing right: also that to set an owner or a mode (`access-denied`, `no-credentials`,
 * `ownership`).
 */
export class AccessDeniedError extends StoreError {
    /** One of `"access-denied"`, `"no-credentials"` and `"ownership"`. */
    readonly code: "access-denied" | "no-credentials" | "ownership";
}

/** Too little space (`no-space`). */
export class NoSpaceError extends StoreError {
    /** Always `"no-space"`. */
    readonly code: "no-space";
}

/** The store does not answer, or a connection transfers nothing (`unreachable`, `stalled`). */
export class StoreTimeoutError extends StoreError {
    /** Either `"unreachable"` or `"stalled"`. */
    readonly code: "unreachable" | "stalled";
}

/** The caller's orchestrator failed. */
export class OrchestratorError extends InfluxBackupError {
    /** Always `"orchestrator"`. */
    readonly category: "orchestrator";
}

/** The job was cancelled, by its signal or its method. A backup or restore can be resumed. */
export class CancelledError extends InfluxBackupError {
    /** Not the name of the class, but the one by which programs know that something was aborted. */
    readonly name: "AbortError";

    /** Always `"cancelled"`. */
    readonly code: "cancelled";

    /** Always `"cancelled"`. */
    readonly category: "cancelled";
}

/** A bug of influx-backup: please report it. */
export class InternalError extends InfluxBackupError {
    /** Always `"internal"`. */
    readonly category: "internal";
}

// Copiers

/**
 * Moves one object, and knows nothing of stages.
 *
 * - The target is complete or untouched, also where the process is killed.
 * - It copies the version of the request; where that has changed it throws {@link SourceChanged}, where it is gone
 *   {@link SourceVanished}.
 * - What it does not know, a `transform` or `transfer` among it, is {@link Unsupported}: the next copier is asked.
 * - It calls `request.checkLease()` directly before it changes the target, stops soon after `context.signal` is
 *   aborted, and reports to `context.moved()`.
 *
 * It retries nothing. A copy that is not at its target is asked for again, as after {@link Corrupt}, for as long as
 * `limits.retry.maxElapsed` allows (5 minutes). What else it throws ends the run, and is the `cause` of what the job
 * rejects with.
 *
 * @example
 * ```ts
 * import { readFile, writeFile } from "node:fs/promises";
 * import { defaultCopiers, Repository, Unsupported, type Copier } from "influx-backup";
 *
 * const mine: Copier = {
 *     async copy(request, context) {
 *         if (request.source.provider !== "file" || request.target.provider !== "file") throw new Unsupported();
 *         const bytes = await readFile(String(request.source.child(request.sourceKey)), { signal: context.signal });
 *         request.checkLease();
 *         await writeFile(String(request.target.child(request.targetKey)), bytes);
 *         context.moved(bytes.length);
 *     },
 * };
 * await new Repository("/backups").backup("/data", { copier: [mine, ...defaultCopiers()] });
 * ```
 */
export interface Copier {
    /**
     * Copies one object.
     *
     * @returns The CRC-64/NVME (sixteen hex digits) of the bytes it read, or nothing.
     */
    copy(request: CopyRequest, context: CopyContext): CopyResult | PromiseLike<CopyResult>;
}

type CopyResult = string | null | undefined | void;

/** The copiers of the package, in their order. It goes into a chain: `copier: [mine, ...defaultCopiers()]`. */
export class NativeCopier {
    private constructor();
    #private;
}

/** One object to move. */
export class CopyRequest {
    private constructor();

    /** Where the object lies. */
    readonly source: Location;

    /** Its key there. */
    readonly sourceKey: string;

    /** Where to copy it to. */
    readonly target: Location;

    /** Its key there. */
    readonly targetKey: string;

    /** How many bytes it has. */
    readonly size: number;

    /** The checksum (CRC-64/NVME, sixteen hex digits) that it is expected to have, where that is known. */
    readonly crc64: string | null;

    /** The entity tag of the version to copy, where the store has them. */
    readonly eTag: string | null;

    /** What is done to the bytes on the way; throw {@link Unsupported} for what is not known. */
    readonly transform: Transform;

    /** How the object may be moved: `any`, or `read_through`, which a copy by the store itself is not. */
    readonly transfer: Transfer;

    /**
     * To be called directly before each request that changes the target. Throws {@link LeaseLost} where another process
     * may have taken it over.
     */
    checkLease(): void;
}

/** What a copier may use besides the request. */
export class CopyContext {
    private constructor();

    /** Aborted when the copy is to stop. */
    readonly signal: AbortSignal;

    /** Reports that this many bytes, a whole number, were moved. */
    moved(bytes: number): void;
}

/** The copiers that a backup and a restore use unless told otherwise: to be put behind those of the caller. */
export function defaultCopiers(): NativeCopier[];

/**
 * Why an object could not be copied, where the run can do something about it.
 *
 * Thrown as itself it is a failure of a store, and the copy is tried again for as long as `limits.retry` allows.
 */
export class CopyError extends Error {
    /** Makes an error of a copy, as of any `Error`. */
    constructor(message?: string, options?: { cause?: unknown });

    /** What became of the copy, by the code that the core has for it. */
    readonly copyCode: ErrorCode;
}

/** This copier does not do such copies: the next one is asked. */
export class Unsupported extends CopyError {
    /** Always `"copy-unsupported"`. */
    readonly copyCode: "copy-unsupported";
}

/** The source no longer exists. */
export class SourceVanished extends CopyError {
    /** Always `"source-vanished"`. */
    readonly copyCode: "source-vanished";
}

/** The source has another version than the one that is wanted. */
export class SourceChanged extends CopyError {
    /** Always `"source-changed"`. */
    readonly copyCode: "source-changed";
}

/** The copy differs from its source: it is tried again for as long as `limits.retry` allows. */
export class Corrupt extends CopyError {
    /** Always `"copy-corrupt"`. */
    readonly copyCode: "copy-corrupt";
}

/**
 * Another process may have taken the target over: nothing may be written to it any more. The run ends and tells why.
 */
export class LeaseLost extends CopyError {
    /** Always `"cancelled"`. */
    readonly copyCode: "cancelled";
}

// Orchestrators

/**
 * Stops and starts servers, node by node; the order is the core's. Methods may be `async`.
 *
 * What a method throws ends the run, and is the `cause` of what the job rejects with.
 */
export interface Orchestrator {
    /** Asks the server of a node to stop. */
    stop(node: Node): unknown;

    /**
     * Whether the server of a node is stopped: only `true` says that. It is asked until it is, for `stopTimeout` at
     * most.
     */
    stopped(node: Node): boolean | PromiseLike<boolean>;

    /** Starts the server of a node. */
    start(node: Node): unknown;
}

// Jobs

/**
 * A running verb, which runs whether or not it is awaited.
 *
 * It is a promise of the result, and an async iterable of events as they happen. Each event is given once: a second
 * loop goes on where the first ended. A loop over a job that fails throws its error after the last event. Events need
 * not be read: they wait in a queue of bounded length, and `Lagged` counts what was dropped.
 *
 * The process stays alive until the job has ended, unless `unref` was called. What was backed up or restored by a job
 * that was cancelled stays: the same call with `onExisting: "resume"` or `onUnfinished: "resume"` goes on there.
 *
 * `then`, `catch` and `finally` give plain promises. Only verbs make jobs.
 *
 * @example
 * ```ts
 * import { Repository } from "influx-backup";
 *
 * const job = new Repository("/backups").backup("/data", { signal: AbortSignal.timeout(3_600_000) });
 * for await (const event of job) {
 *     if (event.kind === "progress") console.log(event.progress.fraction);
 * }
 * const report = await job;
 * console.log(report.status);
 * ```
 */
export class Job<T> extends Promise<T> implements AsyncIterable<Event> {
    private constructor();

    /**
     * Asks the job to stop. It rejects with a {@link CancelledError}, mostly within a second.
     *
     * A commit that is on its way is finished, and servers that were stopped are started again first.
     */
    cancel(): void;

    /** How far the job is now. */
    readonly progress: Progress;

    /** What the job has found so far, in order. */
    readonly findings: readonly Finding[];

    /** Whether the job has ended, in whatever way. */
    readonly isFinished: boolean;

    /** Keeps the process alive until the job has ended, as it is from the start. Returns the job. */
    ref(): this;

    /** Lets the process end before the job. Returns the job. */
    unref(): this;

    /** The events, each once. */
    [Symbol.asyncIterator](): AsyncIterator<Event, undefined, undefined>;
}

// Repositories

/**
 * A location that holds backups, each in a directory of its own. It may be empty or not exist yet: the first backup
 * makes it.
 *
 * Every verb may reject with a {@link UsageError} for a place that is a cluster or a backup, or lies inside one, or for
 * an option that is none or cannot be used; with a {@link RefusedError} where the repository needs a newer release
 * (`unsupported-format`); with a {@link StoreError} where the store failed.
 *
 * @example
 * ```ts
 * import { Repository } from "influx-backup";
 *
 * const repo = new Repository("s3://vault/nightly", { awsRegion: "eu-central-1" });
 * ```
 */
export class Repository {
    /**
     * Contacts no store: the first verb finds out whether the place can be used.
     *
     * @param place - A path, a URL, or a `Location`.
     * @param storeOptions - Options of the store; the environment is their default. Not with a `Location`.
     * @throws {@link UsageError} for a place or an option that cannot be used.
     */
    constructor(place: Place, storeOptions?: StoreOptions | null);

    /** Where it is. */
    readonly location: Location;

    /** The location, as a URL or path without credentials. */
    toString(): string;

    /**
     * The marker of the repository, or `null` where nothing was backed up to it yet.
     *
     * Rejects with a {@link RefusedError} where it cannot be used, and no backup can be added (`damaged-marker`).
     */
    marker(): Promise<RepositoryMarker | null>;

    /**
     * What a backup of this cluster would copy now, from one listing of it. Nothing is written.
     *
     * Arguments and errors are those of `backup`, as far as they can be told before anything is copied.
     *
     * @example
     * ```ts
     * import { Repository } from "influx-backup";
     *
     * console.log(String(await new Repository("/backups").planBackup("/var/lib/influxdb3/data")));
     * ```
     */
    planBackup(source: Place | Cluster, options?: BackupOptions & DiscoverOptions & JobOptions): Job<BackupPlan>;

    /**
     * Takes a backup of a cluster, which may be running, and proves that it restores.
     *
     * A backup that was stopped is resumed with its name and `onExisting: "resume"`.
     *
     * Rejects with
     * - {@link UsageError}: options contradict one another, or the source is a finished backup;
     * - {@link NotFoundError}: there is no cluster at the source (`no-cluster`);
     * - {@link BackupExistsError}: the name is taken;
     * - {@link BackupInProgressError}: another process writes this backup;
     * - {@link RefusedError}: a backup of this name is unfinished (`backup-unfinished`); there are several clusters;
     *   source and repository lie inside one another;
     * - {@link NotConsistentError}: the certificate did not close, and `certificate` says what is missing; or the
     *   source is corrupt (`corrupt-source`). Nothing was committed;
     * - {@link StoreError}: a store failed for longer than `limits` allow;
     * - {@link OrchestratorError}: the orchestrator or a copier of the caller failed.
     *
     * @param source - The cluster, or where it lies.
     * @param options - `BackupOptions`, and with a place as the source `DiscoverOptions`.
     * @returns What was done, with the certificate of the backup.
     *
     * @example
     * ```ts
     * import { Repository } from "influx-backup";
     *
     * const repo = new Repository("/backups");
     * const report = await repo.backup("s3://prod", { name: "monday", limits: { bandwidth: "100MiB" } });
     * console.log(report.status);
     * ```
     */
    backup(source: Place | Cluster, options?: BackupOptions & DiscoverOptions & RunOptions): Job<BackupReport>;

    /**
     * What a restore of a backup would do at a target. Nothing is written: a dry run ends here.
     *
     * Rejects with
     * - {@link UsageError}: options contradict one another, or an owner that this machine does not know;
     * - {@link NotFoundError}: there is no backup of this name (`backup-not-found`);
     * - {@link TargetNotEmptyError}: the target holds data, and `policy` is `empty`;
     * - {@link RestoreInProgressError}: another process restores to the target;
     * - {@link RestoreUnfinishedError}: the target has an unfinished restore of another backup;
     * - {@link RefusedError}: the target is another cluster (`target-foreign`), or has nodes that the backup lacks
     *   (`extra-nodes`); the backup is degraded (`degraded-backup`); target and repository lie inside one another;
     * - {@link NotConsistentError}: the backup is damaged;
     * - {@link StoreError}: a store failed.
     *
     * @param name - The name of the backup.
     * @param target - Where to restore to.
     *
     * @example
     * ```ts
     * import { Repository } from "influx-backup";
     *
     * const repo = new Repository("/backups");
     * const plan = await repo.planRestore("monday", "/var/lib/influxdb3/data", { policy: "replace" });
     * console.log(String(plan), plan.deletions);
     * ```
     */
    planRestore(name: string, target: Place, options?: RestoreOptions & JobOptions): Job<RestorePlan>;

    /**
     * Does what a plan says and nothing else.
     *
     * No server starts on the target before the restore has ended: a boot guard is there as long. A restore that was
     * stopped is resumed with the same arguments and `onUnfinished: "resume"`.
     *
     * A plan that was made while servers ran is seldom still true once an orchestrator has stopped them.
     *
     * Rejects with
     * - {@link UsageError}: the target is not that of the plan;
     * - {@link NotFoundError}: there is no backup of this name (`backup-not-found`);
     * - {@link PlanChangedError}: the restore would do what is not in the plan;
     * - {@link TargetNotEmptyError}: the target holds data, and `policy` is `empty`;
     * - {@link RestoreInProgressError}: another process restores to this target;
     * - {@link RestoreUnfinishedError}: the target has an unfinished restore: resume or abandon it;
     * - {@link RefusedError}: servers may run: neither an orchestrator nor `serversStopped: true` was given;
     * - {@link NotConsistentError}: the backup is damaged;
     * - {@link StoreError}: a store failed for longer than `limits` allow; too little space;
     * - {@link OrchestratorError}: the orchestrator or a copier of the caller failed.
     *
     * @param plan - What `planRestore` gave, and the caller approves.
     *
     * @example
     * ```ts
     * import { Repository } from "influx-backup";
     *
     * const repo = new Repository("/backups");
     * const plan = await repo.planRestore("monday", "/var/lib/influxdb3/data", { policy: "replace" });
     * await repo.restore(plan, { serversStopped: true });
     * ```
     */
    restore(plan: RestorePlan, options?: RestoreRunOptions & ApprovalOptions): Job<RestoreReport>;

    /**
     * Does what a plan says, at a target whose store needs options: a plan holds none, so that it can be shown.
     *
     * @param plan - What `planRestore` gave, and the caller approves.
     * @param target - The target of the plan, as a location with its options; `null`: as the plan has it.
     */
    restore(
        plan: RestorePlan,
        target: Place | null | undefined,
        options?: RestoreRunOptions & ApprovalOptions,
    ): Job<RestoreReport>;

    /**
     * Restores a backup by its name. Nothing of it was approved, unless `approvedHash` is given.
     *
     * @param name - The name of the backup.
     * @param target - Where to restore to.
     *
     * @example
     * ```ts
     * import { Repository } from "influx-backup";
     *
     * const repo = new Repository("/backups");
     * await repo.restore("monday", "/var/lib/influxdb3/data", { policy: "replace", serversStopped: true });
     * ```
     */
    restore(
        name: string,
        target: Place,
        options?: RestoreOptions & RestoreRunOptions & ApprovalOptions,
    ): Job<RestoreReport>;

    /**
     * Every backup and what else lies here, sorted by name. One that cannot be read keeps no other from the list.
     *
     * @example
     * ```ts
     * import { Repository } from "influx-backup";
     *
     * const backups = await new Repository("/backups").list();
     * console.log(backups.filter((backup) => backup.state === "complete").map((backup) => backup.name));
     * ```
     */
    list(options?: ListOptions & JobOptions): Job<readonly BackupSummary[]>;

    /**
     * Opens a committed backup and checks its object list.
     *
     * Rejects with a {@link NotFoundError} where there is no backup of this name (`backup-not-found`), and with a
     * {@link NotConsistentError} where it is damaged (`damaged-backup`).
     *
     * @param name - The name of the backup.
     */
    get(name: string, options?: JobOptions): Job<Backup>;

    /**
     * Verifies a committed backup. What is wrong does not reject: it is in the report, and `ok` is false.
     *
     * Rejects with a {@link NotFoundError} where there is no backup of this name (`backup-not-found`), and with a
     * {@link NotConsistentError} where its own files are damaged (`damaged-backup`).
     *
     * @param name - The name of the backup.
     *
     * @example
     * ```ts
     * import { Repository } from "influx-backup";
     *
     * const report = await new Repository("/backups").verify("monday", { level: "bytes", samplePercent: 5 });
     * console.log(report.ok);
     * ```
     */
    verify(name: string, options?: VerifyOptions & JobOptions): Job<VerifyReport>;

    /**
     * Makes the certificate of a backup again, from the bytes it has now. What is wrong with it does not reject.
     *
     * Rejects with a {@link NotFoundError} where there is no backup of this name (`backup-not-found`), and with a
     * {@link NotConsistentError} where its own files are damaged (`damaged-backup`).
     *
     * @param name - The name of the backup.
     * @param options - `expectSha256`, `limits`; `discover` has no effect on a backup.
     */
    certify(name: string, options?: CertifyOptions & JobOptions): Job<Certificate>;

    /**
     * What attempts that ended without a commit left here, sorted by name. What is being written now is not among it.
     *
     * On S3 it takes the right `s3:ListBucketMultipartUploads`, on Google `storage.multipartUploads.list`.
     */
    leftovers(options?: JobOptions): Job<readonly Leftover[]>;

    /**
     * Deletes a leftover, as far as it still is one. It can be cancelled, and done again.
     *
     * Rejects with a {@link BackupInProgressError} where the backup was resumed since, and with a
     * {@link BackupExistsError} where it was finished since.
     *
     * @param leftover - What `leftovers` gave.
     */
    remove(leftover: Leftover, options?: EventOptions): Job<null>;
}

// Verbs that need no repository. Each may reject with a `UsageError` for an argument that cannot be used, and with a
// `StoreError` where a store failed.

/**
 * Finds the cluster at a location: edition, ids, nodes, catalog.
 *
 * Rejects with a {@link NotFoundError} where there is no cluster (`no-cluster`) or a given id has no objects
 * (`unknown-id`), and with a {@link RefusedError} where there are several clusters, or the catalog cannot say which
 * nodes belong to it: name them.
 *
 * @param source - Where it lies.
 *
 * @example
 * ```ts
 * import { discover } from "influx-backup";
 *
 * const cluster = await discover("/var/lib/influxdb3/data");
 * console.log(cluster.edition);
 * ```
 */
export function discover(source: Place, options?: DiscoverOptions & JobOptions): Job<Cluster>;

/**
 * Lists a cluster once: every object, in the order of listings that a backup uses.
 *
 * Rejects with a {@link NotFoundError} where the location is gone.
 *
 * @param cluster - What `discover` gave.
 *
 * @example
 * ```ts
 * import { discover, inventory } from "influx-backup";
 *
 * console.log((await inventory(await discover("/var/lib/influxdb3/data"))).objects);
 * ```
 */
export function inventory(cluster: Cluster, options?: JobOptions): Job<Inventory>;

/**
 * Judges whether a tree restores: a backup, a copy that a script made, or a cluster that is stopped.
 *
 * A violated clause does not reject: it is in the certificate. Rejects with a {@link NotFoundError} where there is no
 * cluster (`no-cluster`).
 *
 * @param tree - Where it lies, or what `discover` or `Repository.get` gave.
 *
 * @example
 * ```ts
 * import { certify } from "influx-backup";
 *
 * console.log((await certify("/var/lib/influxdb3/restored")).isProven);
 * ```
 */
export function certify(tree: Place | Cluster | Backup, options?: CertifyOptions & JobOptions): Job<Certificate>;

/**
 * Verifies the backup at a place. What is wrong does not reject: it is in the report, and `ok` is false.
 *
 * Rejects with a {@link NotFoundError} where there is no backup at the place (`backup-not-found`), and with a
 * {@link NotConsistentError} where its own files are damaged (`damaged-backup`).
 *
 * @param backup - Where it lies, or what `Repository.get` gave.
 *
 * @example
 * ```ts
 * import { verify } from "influx-backup";
 *
 * console.log((await verify("/backups/monday", { level: "bytes" })).ok);
 * ```
 */
export function verify(backup: Place | Backup, options?: VerifyOptions & JobOptions): Job<VerifyReport>;

/**
 * Looks at what is at the place that a backup would be restored to. Nothing is written.
 *
 * @param target - The place.
 *
 * @example
 * ```ts
 * import { inspect } from "influx-backup";
 *
 * console.log((await inspect("/var/lib/influxdb3/data")).unfinished === null);
 * ```
 */
export function inspect(target: Place, options?: JobOptions): Job<Target>;

/**
 * Undoes an unfinished restore that has overwritten and deleted nothing: the target is as it was.
 *
 * Rejects with
 * - {@link NotFoundError}: there is no unfinished restore (`no-restore`);
 * - {@link RefusedError}: it has changed what was there before (`cannot-abandon`): resume it;
 * - {@link RestoreInProgressError}: another process restores to the target.
 *
 * @param target - Where the restore was begun.
 */
export function abandon(target: Place, options?: AbandonOptions & EventOptions): Job<AbandonReport>;
