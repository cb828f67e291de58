/** A hundred runs leave no memory, no handle and no file open. */

import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";

import { core, pathOf, repository } from "./support/clusters.mjs";
import { run } from "./support/programs.mjs";

const MEASURE = `
    import fs from "node:fs";

    const descriptors = () => fs.readdirSync("/proc/self/fd").length;
    const tasks = () => fs.readdirSync("/proc/self/task").length;

    /** Waits until handles that end have ended. */
    async function settle() {
        for (let turn = 0; turn < 10; turn += 1) {
            await new Promise((resolve) => setTimeout(resolve, 5));
            gc();
        }
    }

    /** Whether threads become few again: those that wait for files come, and go ten seconds later. */
    async function areFew(count) {
        for (let turn = 0; count() >= 50 && turn < 300; turn += 1) {
            await new Promise((resolve) => setTimeout(resolve, 100));
        }
        return count() < 50;
    }

    /** Runs something until a hundred runs need no more memory. Caches fill for some time; a leak never ends. */
    async function measure(once) {
        const windows = [];
        const isCalm = ({ heap, resident }) => heap < 100 << 10 && resident < 4 << 20;
        await once();
        await settle();
        const handles = JSON.stringify(process.getActiveResourcesInfo());
        const open = descriptors();
        const threads = tasks();
        while (windows.length === 0 || !isCalm(windows.at(-1))) {
            if (windows.length === 10) throw new Error("memory grows with each run: " + JSON.stringify(windows));
            const before = process.memoryUsage();
            for (let number = 0; number < 100; number += 1) await once();
            await settle();
            const after = process.memoryUsage();
            windows.push({ heap: after.heapUsed - before.heapUsed, resident: after.rss - before.rss });
        }
        console.log(JSON.stringify({
            handles: JSON.stringify(process.getActiveResourcesInfo()) === handles,
            descriptors: descriptors() - open,
            threads: await areFew(() => tasks() - threads),
        }));
    }
`;

/** What is done a hundred times, and more. */
const RUNS = {
    certify: "if (!(await ib.certify(data)).holds) throw new Error();",
    events: "for await (const event of ib.certify(data)) event.toJSON();",
    cancel: `
        const job = made.backup(data, { name: "n1", onExisting: "resume", limits: { bandwidth: "64KiB" } });
        job.cancel();
        await job.catch(() => 0);`,
    fail: `await made.get("missing").catch((error) => error.stack);`,
    refuse: `await made.backup(data, { nme: 1 }).catch((error) => error.stack);`,
    abort: `
        await ib.certify(data, { signal: longLived });
        await ib.certify(data, { signal: AbortSignal.timeout(1) }).catch(() => 0);`,
    copier: `
        const copier = { async copy(request, context) { context.signal.throwIfAborted(); throw mine; } };
        await made.backup(data, { name: "n2", onExisting: "resume", copier, limits }).catch(() => 0);`,
    drop: `
        ib.certify(data);
        for await (const event of ib.certify(data)) break;
        await new Promise((resolve) => setTimeout(resolve, 5));`,
};

for (const [name, code] of Object.entries(RUNS)) {
    test(`a hundred runs leave nothing: ${name}`, async (t) => {
        if (!fs.existsSync("/proc/self/fd")) {
            t.skip("needs /proc");
            return;
        }
        const ended = await run(
            `${MEASURE}
            const data = ${JSON.stringify(await core())};
            const made = new ib.Repository(${JSON.stringify(pathOf(repository().location))});
            const mine = new RangeError("mine");
            const limits = { durability: "relaxed" };
            const { signal: longLived } = new AbortController();
            await measure(async () => { ${code} });`,
            "--expose-gc",
        );
        assert.deepEqual([ended.code, ended.stderr], [0, ""]);
        assert.deepEqual(JSON.parse(ended.stdout), { handles: true, descriptors: 0, threads: true });
    });
}
