/** The main thread is free while a job runs. How free, `benches` measures. */

import assert from "node:assert/strict";
import path from "node:path";
import { before, test } from "node:test";

import * as ib from "influx-backup";
import { generate } from "influx-backup/testing";

import { repository, scratch } from "./support/clusters.mjs";

/** Milliseconds that no turn of the event loop takes. */
const LONG = 250;

/** How often it is tried: a busy machine lets any thread wait now and then, a verb that blocks does so each time. */
const ATTEMPTS = 4;

const data = path.join(scratch(), "data");

before(async () => {
    const made = await generate(data, { edition: "core", snapshots: 1200, fileSize: "1KiB" });
    assert.ok(Object.keys(made.objects).length > 2400);
});

/** The longest time between two turns of a timer while something runs. */
async function longestGap(work) {
    let gap = 0;
    let turns = 0;
    let last = performance.now();
    const tick = () => {
        const now = performance.now();
        gap = Math.max(gap, now - last);
        last = now;
        turns += 1;
    };
    const timer = setInterval(tick, 1);
    try {
        await work();
    } finally {
        clearInterval(timer);
    }
    tick();
    assert.ok(turns > 3, `${turns} turns`);
    return gap;
}

const made = repository();
const names = [];

/** The name of the next backup. */
function name() {
    names.push(`n${names.length + 1}`);
    return names.at(-1);
}

const limits = { durability: "relaxed" };

const RUNS = {
    "a backup": async () => {
        assert.equal((await made.backup(data, { name: name(), limits })).status, "complete");
    },
    "a backup whose events are read": async () => {
        const job = made.backup(data, { name: name(), limits, objectEvents: true });
        for await (const event of job) {
            assert.ok(event instanceof ib.Event);
        }
    },
    "a verification": async () => {
        assert.ok((await made.verify("n1", { level: "bytes" })).ok);
    },
    "a restore": async () => {
        await made.restore("n1", path.join(scratch(), "target"), { limits });
    },
    "a listing": async () => {
        const inventory = await ib.inventory(await ib.discover(data));
        assert.ok(inventory.objects > 2400);
    },
    "a plan": async () => {
        assert.ok((await made.planBackup(data)).objects > 2400);
    },
};

for (const [what, work] of Object.entries(RUNS)) {
    test(`${what} leaves the main thread free`, async () => {
        const gaps = [];
        while (gaps.length < ATTEMPTS && !(gaps.at(-1) < LONG)) {
            gaps.push(await longestGap(work));
        }
        assert.ok(gaps.at(-1) < LONG, `blocked for ${gaps} ms`);
    });
}
