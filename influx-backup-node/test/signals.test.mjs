/** Signals that several jobs share, that other listeners have, or that are none. */

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import fs from "node:fs";
import { test } from "node:test";
import { inspect } from "node:util";

import * as ib from "influx-backup";

import { core, pathOf, rejection, repository, SLOW } from "./support/clusters.mjs";
import { run } from "./support/programs.mjs";

const data = await core();

test("many jobs on one signal warn of nothing, and are all stopped", async () => {
    const ended = await run(`
        const controller = new AbortController();
        const { signal } = controller;
        const jobs = Array.from({ length: 30 }, () => ib.certify(${JSON.stringify(data)}, { signal }));
        await jobs[0];
        controller.abort();
        const ended = await Promise.allSettled(jobs);
        console.log(ended.length, ended.every(({ reason }) => reason === undefined || reason.code === "cancelled"));
    `);
    assert.deepEqual(ended, { code: 0, signal: null, stdout: "30 true\n", stderr: "" });
});

test("a signal has one listener for all its jobs, and none after the last", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const jobs = [1, 2, 3].map(() => repository().backup(data, { limits: SLOW, signal }));
    assert.equal(getEventListeners(signal, "abort").length, 1);
    jobs[0].cancel();
    await rejection(jobs[0]);
    assert.equal(getEventListeners(signal, "abort").length, 1);
    controller.abort();
    for (const error of await Promise.all(jobs.slice(1).map(rejection))) {
        assert.equal(error.cause, signal.reason);
    }
    assert.equal(getEventListeners(signal, "abort").length, 0);
    const again = await rejection(ib.discover(data, { signal }));
    assert.equal(again.cause, signal.reason);
});

test("a listener that stops the event stops no job from being cancelled", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    signal.addEventListener("abort", (event) => event.stopImmediatePropagation());
    const job = repository().backup(data, { limits: SLOW, signal });
    controller.abort();
    assert.equal((await rejection(job)).name, "AbortError");
});

const listen = () => undefined;

/** What is not quite a signal. */
const HALF = [
    { aborted: false },
    { aborted: false, addEventListener: listen },
    { addEventListener: listen, removeEventListener: listen },
    {
        aborted: false,
        addEventListener() {
            throw new RangeError("mine");
        },
        removeEventListener: listen,
    },
    new EventTarget(),
];

for (const signal of HALF) {
    test(`what is not quite a signal is refused: ${inspect(signal)}`, async () => {
        const made = repository();
        let job;
        assert.doesNotThrow(() => {
            job = made.backup(data, { signal });
        });
        const error = await rejection(job);
        assert.ok(error instanceof TypeError || error instanceof RangeError, inspect(error));
        assert.equal(job.isFinished, true);
        assert.equal(fs.existsSync(pathOf(made.location)), false, "nothing was started");
    });
}
