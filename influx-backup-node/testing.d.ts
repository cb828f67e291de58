/**
 * For tests of what is built on this package.
 *
 * @packageDocumentation
 */

// Only what is marked so is exported.
export {};

import type { JsonObject, Size } from "./index.js";

type URL = typeof globalThis extends { URL: { prototype: infer Known } }
    ? Known
    : { readonly href: string; readonly protocol: string };

/** What `generate` writes. */
export interface GenerateOptions {
    /** Which InfluxDB 3. Default: `enterprise`. */
    edition?: "core" | "enterprise" | undefined;

    /** How many nodes hold data (Enterprise). Default: 2. */
    nodes?: number | undefined;

    /** How many snapshots each node has taken. Default: 10. */
    snapshots?: number | undefined;

    /** How long each Parquet file is. Default: 64 KiB. */
    fileSize?: Size | undefined;

    /** The generation of the catalog. Default: `v3`. */
    catalog?: "v1" | "v2" | "v3" | undefined;

    /** Another seed: other ids and sizes. Default: 0. */
    seed?: number | undefined;
}

/**
 * Writes a small made-up cluster into a directory that is missing or empty: what servers leave there.
 *
 * The same call writes the same bytes everywhere. It is what `influx-backup generate` writes. Rejects with a
 * `UsageError` where the directory is not empty, and with a `StoreError` where it cannot be written.
 *
 * @param directory - Where to write it: a path, or a `URL` of a file.
 *
 * @example
 * ```ts
 * import { generate } from "influx-backup/testing";
 *
 * const made = await generate("/tmp/cluster", { nodes: 1, snapshots: 3, fileSize: "2KiB" });
 * console.log(made.catalogOwner);
 * ```
 */
export function generate(directory: string | URL, options?: GenerateOptions): Promise<Generated>;

/** A made-up cluster that was written, and what a server should make of it. */
export class Generated {
    private constructor();

    /** The prefix that holds the catalog: the node's id (Core) or the cluster's. */
    readonly catalogOwner: string;

    /** The sequence of the newest log of the live catalog. */
    readonly catalogSequence: number;

    /** The uuid of the catalog. */
    readonly catalogUuid: string;

    /** Every node that the catalog registers. */
    readonly registered: readonly string[];

    /** The nodes that hold data, by their ids. */
    readonly nodes: { readonly [node: string]: GeneratedNode };

    /** Every object with its length in bytes, by its key. */
    readonly objects: { readonly [key: string]: number };

    /** The bytes of all objects. */
    readonly bytes: number;

    /** The document that the program writes. `JSON.stringify` calls it. */
    toJSON(): JsonObject;

    /** It as text, for a person. */
    toString(): string;

    /** Reads what `toJSON` gives, as an object or as text. Throws a `UsageError` for anything else. */
    static fromJSON(json: string | object): Generated;
}

/** What one node of a made-up cluster holds. */
export class GeneratedNode {
    private constructor();

    /** The sequence of the newest snapshot, or `null` where there is none. */
    readonly lastSnapshot: number | null;

    /** The last WAL file that it covers; 0 where there is none. */
    readonly coveredWal: number;

    /** The first and the last WAL file that are there, or `null` where none is. */
    readonly wal: readonly [number, number] | null;

    /** The Parquet files that queries see, absent ones included. */
    readonly files: number;

    /** The keys of the files that are gone without a manifest that records it. */
    readonly absent: readonly string[];

    /** The rows that queries see. */
    readonly rows: readonly number[];

    /** The document that the program writes. `JSON.stringify` calls it. */
    toJSON(): JsonObject;

    /** It as text, for a person. */
    toString(): string;

    /** Reads what `toJSON` gives, as an object or as text. Throws a `UsageError` for anything else. */
    static fromJSON(json: string | object): GeneratedNode;
}
