/** A little of everything, for each version of Node.js. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

import * as ib from "influx-backup";
import * as testing from "influx-backup/testing";

import { core, rejection, repository, scratch } from "./support/clusters.mjs";

const require = createRequire(import.meta.url);

test("a backup is taken, restored and proven", async () => {
    const backups = repository();
    const report = await backups.backup(await core(), { name: "n1" });
    assert.equal(report.status, "complete");
    const target = path.join(scratch(), "restored");
    await backups.restore("n1", target);
    assert.equal((await ib.certify(target)).isProven, true);
});

test("a job is a promise and an iterable of events", async () => {
    const job = repository().backup(await core());
    const numbers = [];
    for await (const event of job) numbers.push(event.seq);
    assert.ok(numbers.length > 1);
    assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
    );
    assert.equal((await job).status, "complete");
});

test("a signal stops a job", async () => {
    const error = await rejection(repository().backup(await core(), { signal: AbortSignal.abort("enough") }));
    assert.ok(error instanceof ib.CancelledError);
    assert.deepEqual([error.name, error.code, error.cause], ["AbortError", "cancelled", "enough"]);
});

test("CommonJS and ESM have the same names and classes", () => {
    for (const [module, required] of [
        [ib, require("influx-backup")],
        [testing, require("influx-backup/testing")],
    ]) {
        const names = Object.keys(module).filter((name) => name !== "default" && name !== "module.exports");
        assert.deepEqual(names.sort(), Object.keys(required).sort());
        for (const name of names) assert.equal(module[name], required[name], name);
    }
});

test("a worker runs a job", async () => {
    const run = `const { parentPort, workerData } = require("node:worker_threads");
        const { certify } = require(workerData.package);
        certify(workerData.tree).then((certificate) => parentPort.postMessage(certificate.isProven));`;
    const workerData = { package: require.resolve("influx-backup"), tree: await core() };
    const worker = new Worker(run, { eval: true, workerData });
    const messages = [];
    worker.on("message", (message) => messages.push(message));
    const code = await new Promise((resolve, reject) => worker.on("error", reject).on("exit", resolve));
    assert.deepEqual([code, messages], [0, [true]]);
});

test("the program", () => {
    const program = path.join(path.dirname(require.resolve("influx-backup/package.json")), "bin", "influx-backup.cjs");
    const shown = execFileSync(process.execPath, [program, "--version"], { encoding: "utf8" });
    assert.equal(shown, `influx-backup ${ib.version}\n`);
});
