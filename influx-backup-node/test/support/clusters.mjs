/** Clusters, repositories and directories of a test file. All are gone when its process ends. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import * as ib from "influx-backup";
import { generate } from "influx-backup/testing";

/** Limits that a backup of a generated cluster needs minutes with. */
export const SLOW = { bandwidth: "64KiB", concurrency: 1 };

const top = fs.mkdtempSync(path.join(os.tmpdir(), "influx-backup-"));
const owner = process.pid;
process.on("exit", () => process.pid === owner && fs.rmSync(top, { recursive: true, force: true }));

/** An empty directory. */
export function scratch() {
    return fs.mkdtempSync(path.join(top, "scratch-"));
}

function once(make) {
    let made;
    return () => (made ??= make());
}

/** A cluster of InfluxDB 3 Core, which tests only read. */
export const core = once(async () => {
    const data = path.join(scratch(), "data");
    await generate(data, { edition: "core" });
    return data;
});

/** A cluster of InfluxDB 3 Enterprise, two ingesters and a compactor, which tests only read. */
export const enterprise = once(async () => {
    const data = path.join(scratch(), "data");
    await generate(data);
    return data;
});

/** A repository with the backup `n1` of `core()`, which tests only read. */
export const committed = once(async () => {
    const made = repository();
    await made.backup(await core(), { name: "n1" });
    return made;
});

/** A repository in a directory that does not exist yet. */
export function repository() {
    return new ib.Repository(path.join(scratch(), "backups"));
}

/** Where a location, or an object in it, lies in the file system. */
export function pathOf(location, key = "") {
    return path.join(fileURLToPath(String(location)), key);
}

/** The paths of all files below a directory, relative to it and sorted. */
export function paths(directory) {
    return fs
        .readdirSync(directory, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => path.relative(directory, path.join(entry.parentPath ?? entry.path, entry.name)))
        .sort();
}

/** The checksum of every file below a directory, by its path there. */
export function files(directory) {
    return Object.fromEntries(paths(directory).map((name) => [name, checksum(path.join(directory, name))]));
}

function checksum(file) {
    return createHash("sha1").update(fs.readFileSync(file)).digest("hex");
}

/** What `files` shows of a cluster, without what a server makes again. */
export function whole(directory) {
    const derived = ["/table-snapshots/", "/db-indices/", "/table-index-conversion-completed"];
    return Object.fromEntries(
        Object.entries(files(directory)).filter(([name]) => !derived.some((kind) => `/${name}`.includes(kind))),
    );
}

/** The first file below a directory whose path ends like this. */
export function first(directory, end) {
    const found = paths(directory).find((name) => name.endsWith(end));
    assert.ok(found, `no ${end} in ${directory}`);
    return path.join(directory, found);
}

/** Copies a directory, to be damaged. */
export function copyOf(source, target = path.join(scratch(), "copy")) {
    fs.cpSync(source, target, { recursive: true, preserveTimestamps: true });
    return target;
}

/** Skips a test whose means are missing. Where CI is true that is a failure. */
export function notRun(t, missing, { explicit = false } = {}) {
    assert.ok(!explicit && process.env.CI !== "true", missing);
    t.skip(missing);
}

/** Waits until something is true. */
export async function until(isTrue, what = "what is waited for") {
    for (let waited = 0; !(await isTrue()); waited += 10) {
        assert.ok(waited < 60_000, `${what} does not happen`);
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
}

/** What a promise is rejected with. */
export async function rejection(promise) {
    let value;
    try {
        value = await promise;
    } catch (error) {
        return error;
    }
    assert.fail(`no error, but ${value}`);
}
