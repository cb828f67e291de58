/** Jobs in worker threads. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

import * as ib from "influx-backup";

import { core, pathOf, repository, SLOW, until } from "./support/clusters.mjs";
import { module, run } from "./support/programs.mjs";

const data = await core();

/** Starts a worker with `ib`, `parent`, `place` and `data`, and the repository of `place`. */
function worker(source) {
    const made = repository();
    const own = `import { parentPort as parent, workerData } from "node:worker_threads";
        const { place, data, slow } = workerData;
        ${source}`;
    const workerData = { place: pathOf(made.location), data, slow: SLOW };
    return { made, worker: new Worker(module(own), { workerData }) };
}

async function assertIsResumed(made) {
    assert.equal((await made.backup(data, { name: "n1", onExisting: "resume" })).status, "complete");
}

test("jobs run in several workers and in the main thread", async () => {
    const started = Array.from({ length: 4 }, () =>
        worker(`
            const job = new ib.Repository(place).backup(data, { name: "n1" });
            let count = 0;
            for await (const event of job) count += event instanceof ib.Event ? 1 : 0;
            parent.postMessage({ report: (await job).toJSON(), count });
        `),
    );
    const messages = started.map(({ worker }) => once(worker, "message"));
    const exits = started.map(({ worker }) => once(worker, "exit"));
    const own = await repository().backup(data, { name: "n1" });
    for (const [{ report, count }] of await Promise.all(messages)) {
        assert.equal(ib.BackupReport.fromJSON(report).status, own.status);
        assert.ok(count > 5);
    }
    assert.deepEqual(await Promise.all(exits), [[0], [0], [0], [0]], "a worker ends by itself");
    for (const { made } of started) {
        assert.ok((await made.verify("n1")).ok);
    }
});

test("a worker that is terminated cancels its job, and the process lives", async () => {
    const { made, worker: one } = worker(`
        const job = new ib.Repository(place).backup(data, { name: "n1", limits: slow });
        for await (const event of job) if (event instanceof ib.StageStarted) parent.postMessage("begun");
    `);
    await once(one, "message");
    const began = performance.now();
    assert.equal(await one.terminate(), 1);
    assert.ok(performance.now() - began < 3000);
    await until(async () => {
        const [{ state }] = await made.list();
        return state === "unfinished";
    }, "the end of the job");
    await assertIsResumed(made);
});

test("a worker is terminated while its copiers run", async () => {
    for (const copy of ["async copy() { await new Promise(() => 0); }", "copy() { for (;;); }"]) {
        const { made, worker: one } = worker(`
            const copier = { ${copy} };
            const job = new ib.Repository(place).backup(data, { name: "n1", copier });
            parent.postMessage("begun");
            await job;
        `);
        await once(one, "message");
        await until(async () => (await made.list()).length === 1, "a backup that has begun");
        await one.terminate();
        await until(async () => (await made.list())[0].state === "unfinished", "the end of the job");
        await assertIsResumed(made);
    }
});

test("workers that end while jobs run do not crash the process", async () => {
    const ended = await run(`
        import { Worker, isMainThread, parentPort } from "node:worker_threads";
        import fs from "node:fs";
        import { fileURLToPath } from "node:url";
        const place = ${JSON.stringify(pathOf(repository().location))};
        if (isMainThread) {
            for (let round = 0; round < 5; round += 1) {
                const workers = [0, 1, 2, 3].map(() => new Worker(fileURLToPath(import.meta.url)));
                await Promise.all(workers.map((one, index) => new Promise((resolve) => {
                    one.on("message", () => setTimeout(async () => resolve(await one.terminate()), index * 7));
                })));
            }
            console.log((await ib.discover(${JSON.stringify(data)})).edition);
        } else {
            for (let number = 0; number < 3; number += 1) {
                const own = new ib.Repository(\`\${place}-\${process.hrtime.bigint()}\`);
                own.backup(${JSON.stringify(data)}, { name: "n1", limits: ${JSON.stringify(SLOW)} });
                ib.certify(${JSON.stringify(data)});
            }
            parentPort.postMessage("begun");
        }
    `);
    assert.deepEqual([ended.code, ended.signal, ended.stdout], [0, null, "core\n"], ended.stderr);
});

test("process.exit in a worker ends the worker alone", async () => {
    const { made, worker: one } = worker(`
        const job = new ib.Repository(place).backup(data, { name: "n1", limits: slow });
        for await (const event of job) if (event instanceof ib.StageStarted) process.exit(3);
    `);
    assert.deepEqual(await once(one, "exit"), [3]);
    await until(async () => (await made.list())[0].state === "unfinished", "the end of the job");
    await assertIsResumed(made);
});

test("an error of a worker arrives as an error", async () => {
    const { worker: one } = worker(`await ib.discover("/there/is/no/such/directory");`);
    const [error] = await once(one, "error");
    assert.match(error.message, /no\/such\/directory/);
    assert.equal(error.name, "NotFoundError");
});

test("an unreferenced job lets its worker end", async () => {
    const { made, worker: one } = worker(
        `new ib.Repository(place).backup(data, { name: "n1", limits: slow }).unref();`,
    );
    assert.deepEqual(await once(one, "exit"), [0]);
    await until(async () => (await made.list()).every(({ state }) => state === "unfinished"), "the end of the job");
});
