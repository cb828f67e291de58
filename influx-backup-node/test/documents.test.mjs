/** Documents are those of the program: what `--json` prints is read, and what the package writes is the same. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import { test } from "node:test";

import * as ib from "influx-backup";

import { committed, core, pathOf, rejection, repository, scratch } from "./support/clusters.mjs";

const manifest = createRequire(import.meta.url).resolve("influx-backup/package.json");
const PROGRAM = path.join(path.dirname(manifest), "bin", "influx-backup.cjs");

/** What the program prints as JSON. */
function printed(...command) {
    return new Promise((resolve) => {
        execFile(process.execPath, [PROGRAM, "--json", ...command], (_, stdout) => resolve(JSON.parse(stdout)));
    });
}

/** Asserts that a class reads a document and writes the same. */
function assertIsRead(Class, json) {
    const read = Class.fromJSON(json);
    assert.ok(read instanceof Class);
    assert.deepEqual(read.toJSON(), json);
    assert.deepEqual(Class.fromJSON(JSON.stringify(json)), read);
    return read;
}

const data = await core();
const made = await committed();
const place = pathOf(made.location);

test("a description of a cluster", async () => {
    const json = await printed("discover", data);
    assert.deepEqual(json, (await ib.discover(data)).toJSON());
    assertIsRead(ib.ClusterDescription, json);
});

test("the list of a repository", async () => {
    const json = await printed("list", place);
    const summaries = await made.list();
    assert.deepEqual(json, JSON.parse(JSON.stringify(summaries)));
    assert.deepEqual(
        json.map((one) => ib.BackupSummary.fromJSON(one)),
        [...summaries],
    );
});

test("a certificate", async () => {
    const json = await printed("certify", data);
    assert.deepEqual(json, (await ib.certify(data)).toJSON());
    assert.ok(assertIsRead(ib.Certificate, json).holds);
});

test("the report of a verification", async () => {
    const json = await printed("verify", path.join(place, "n1"));
    assert.deepEqual(json, (await made.verify("n1")).toJSON());
    assert.ok(assertIsRead(ib.VerifyReport, json).ok);
});

test("the plan of a backup", async () => {
    const read = assertIsRead(ib.BackupPlan, await printed("plan", data, pathOf(repository().location)));
    assert.equal(read.objects, (await made.planBackup(data)).objects);
});

test("the report of a backup, which the package wrote to the same repository", async () => {
    const own = repository();
    const json = await printed("backup", data, pathOf(own.location), "--name", "n1");
    const report = assertIsRead(ib.BackupReport, json);
    assert.equal((await own.get("n1")).sha256, report.manifestSha256);
    assert.equal((await own.restore("n1", path.join(scratch(), "target"))).objects, report.objects);
});

test("an error", async () => {
    const { error } = await printed("discover", path.join(data, "missing"));
    const report = ib.ErrorReport.fromJSON(error);
    assert.deepEqual(report, (await rejection(ib.discover(path.join(data, "missing")))).report);
});
