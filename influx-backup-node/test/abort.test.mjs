/** An `AbortSignal` stops a job in each of its phases, within a second, and what it leaves can be resumed. */

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";

import * as ib from "influx-backup";

import {
    committed,
    core,
    enterprise,
    first,
    pathOf,
    rejection,
    repository,
    SLOW,
    scratch,
    until,
} from "./support/clusters.mjs";
import { optionsOf, serve } from "./support/in-process-s3.mjs";

/** How many requests of a job may wait at a time: those that read, and those that list. */
const CONCURRENCY = 16 + 16;

/** Milliseconds in which a job stops. */
const SOON = 1000;

function assertIsAborted(error, signal) {
    assert.ok(error instanceof ib.CancelledError, `${error?.stack}`);
    assert.deepEqual([error.name, error.code, error.category], ["AbortError", "cancelled", "cancelled"]);
    assert.equal(error.cause, signal.reason);
}

test("a signal that is aborted already starts nothing", async () => {
    const signal = AbortSignal.abort();
    const made = repository();
    const data = await core();
    const verbs = {
        discover: () => ib.discover(data, { signal }),
        certify: () => ib.certify(data, { signal }),
        verify: () => ib.verify(data, { signal }),
        inspect: () => ib.inspect(data, { signal }),
        abandon: () => ib.abandon(data, { signal }),
        planBackup: () => made.planBackup(data, { signal }),
        backup: () => made.backup(data, { name: "n1", signal }),
        planRestore: () => made.planRestore("n1", path.join(scratch(), "target"), { signal }),
        restore: () => made.restore("n1", path.join(scratch(), "target"), { signal }),
        list: () => made.list({ signal }),
        get: () => made.get("n1", { signal }),
        leftovers: () => made.leftovers({ signal }),
    };
    for (const [verb, start] of Object.entries(verbs)) {
        const job = start();
        assert.ok(job instanceof ib.Job, verb);
        assertIsAborted(await rejection(job), signal);
        await assert.rejects(async () => {
            for await (const event of start()) {
                assert.ok(event instanceof ib.Finished, verb);
            }
        }, ib.CancelledError);
    }
    await assert.rejects(made.get("n1"), ib.NotFoundError, "no backup was begun");
});

for (const reason of [new RangeError("mine"), "a text", null, 0, { of: "the caller" }]) {
    test(`the cause is the reason of the signal: ${reason}`, async () => {
        const signal = AbortSignal.abort(reason);
        const error = await rejection(ib.discover(await core(), { signal }));
        assertIsAborted(error, signal);
        const controller = new AbortController();
        const job = repository().backup(await core(), { limits: SLOW, signal: controller.signal });
        controller.abort(reason);
        assertIsAborted(await rejection(job), controller.signal);
    });
}

test("a timeout stops a job", async () => {
    const made = repository();
    const signal = AbortSignal.timeout(300);
    const error = await rejection(made.backup(await core(), { name: "n1", limits: SLOW, signal }));
    assertIsAborted(error, signal);
    assert.equal(error.cause.name, "TimeoutError");
    assert.equal((await made.backup(await core(), { name: "n1", onExisting: "resume" })).status, "complete");
});

test("any of several signals stops a job", async () => {
    const controller = new AbortController();
    const signal = AbortSignal.any([controller.signal, AbortSignal.timeout(60_000)]);
    const job = repository().backup(await core(), { limits: SLOW, signal });
    controller.abort();
    assertIsAborted(await rejection(job), signal);
});

test("null is no signal", async () => {
    assert.equal((await ib.discover(await core(), { signal: null })).edition, "core");
});

test("a signal that is aborted after the end changes nothing", async () => {
    const controller = new AbortController();
    const job = ib.discover(await core(), { signal: controller.signal });
    const cluster = await job;
    controller.abort();
    assert.equal(await job, cluster);
});

test("one signal stops several jobs", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const data = await core();
    const jobs = [1, 2, 3].map(() => repository().backup(data, { limits: SLOW, signal }));
    await until(() => jobs.every((job) => job.progress.bytes > 0), "progress");
    controller.abort();
    for (const error of await Promise.all(jobs.map(rejection))) {
        assertIsAborted(error, signal);
    }
});

test("no listener stays at a signal", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    for (let number = 0; number < 20; number += 1) {
        await ib.discover(await core(), { signal });
        await rejection(ib.discover("/there/is/no/such/directory", { signal }));
        await rejection(ib.discover(await core(), { signal, nme: 1 }));
        const job = ib.certify(await core(), { signal });
        job.cancel();
        await job.catch(() => undefined);
    }
    assert.deepEqual(getEventListeners(signal, "abort"), []);
});

for (const signal of [5, "signal", {}, { aborted: true }, new AbortController()]) {
    test(`what is no signal is refused: ${signal}`, async () => {
        const made = repository();
        const error = await rejection(made.backup(await core(), { signal }));
        assert.ok(error instanceof TypeError, `${error}`);
        assert.match(error.message, /signal/);
        assert.equal(fs.existsSync(path.dirname(String(made.location))), false, "nothing was started");
    });
}

/** Servers that stop and start at once. */
const servers = { stop() {}, stopped: () => true, start() {} };

/** A copier that leaves copying to the next, once what has happened meanwhile is known. */
const attentive = {
    async copy() {
        await setImmediate();
        await setImmediate();
        throw new ib.Unsupported("the next copier does it");
    },
};

const attentively = () => ({ copier: [attentive, ...ib.defaultCopiers()], limits: { concurrency: 1 } });

function nameOf(event) {
    return [event.kind, event.stage ?? event.progress?.phase].filter(Boolean).join(" ");
}

/** The names of the events of a job, each once, in their order. */
async function kindsOf(job) {
    const kinds = new Set();
    for await (const event of job) {
        kinds.add(nameOf(event));
    }
    return [...kinds];
}

/** Aborts a job at the first event of a kind. Returns whether it was stopped, or had ended before. */
async function abortAt(kind, start) {
    const controller = new AbortController();
    const { signal } = controller;
    const job = start(signal);
    let began;
    try {
        for await (const event of job) {
            if (began === undefined && nameOf(event) === kind) {
                began = performance.now();
                controller.abort(new Error(kind));
            }
        }
        await job;
    } catch (error) {
        assertIsAborted(error, signal);
        assert.ok(performance.now() - began < SOON, `${kind}: ${performance.now() - began} ms`);
        return true;
    }
    return false;
}

test("a backup is stopped at each kind of event, and resumed", async () => {
    const data = await enterprise();
    const options = () => ({ name: "n1", orchestrator: servers, ...attentively() });
    const kinds = await kindsOf(repository().backup(data, options()));
    assert.ok(kinds.length > 10, `${kinds}`);
    const stopped = [];
    for (const kind of kinds) {
        const made = repository();
        if (await abortAt(kind, (signal) => made.backup(data, { ...options(), signal }))) {
            stopped.push(kind);
            const report = await made.backup(data, { name: "n1", onExisting: "resume" });
            assert.equal(report.status, "complete");
        }
        assert.ok((await made.verify("n1", { level: "bytes" })).ok, kind);
    }
    const stages = kinds.filter((kind) => kind.startsWith("stage_started"));
    assert.ok(stages.length > 3);
    assert.deepEqual(
        stages.filter((kind) => !stopped.includes(kind)),
        [],
    );
});

test("a restore is stopped at each kind of event, and resumed", async () => {
    const backups = await committed();
    const restored = async () => {
        const target = path.join(scratch(), "target");
        await backups.restore("n1", target);
        fs.writeFileSync(path.join(path.dirname(first(target, ".wal")), "00000009999.wal"), "newer");
        return target;
    };
    const options = () => ({ policy: "replace", orchestrator: servers, ...attentively() });
    const kinds = await kindsOf(backups.restore("n1", await restored(), options()));
    assert.ok(kinds.includes("guard_set") && kinds.includes("guard_released"), `${kinds}`);
    const stopped = [];
    for (const kind of kinds) {
        const target = await restored();
        if (await abortAt(kind, (signal) => backups.restore("n1", target, { ...options(), signal }))) {
            stopped.push(kind);
            const { unfinished } = await ib.inspect(target);
            const resume = { policy: "replace", serversStopped: true, onUnfinished: unfinished ? "resume" : "refuse" };
            assert.equal((await backups.restore("n1", target, resume)).backup, "n1");
        }
        assert.ok((await ib.certify(target)).isProven, kind);
        assert.equal((await ib.inspect(target)).unfinished, null);
    }
    const stages = kinds.filter((kind) => kind.startsWith("stage_started"));
    assert.ok(stages.length > 3);
    assert.deepEqual(
        stages.filter((kind) => !stopped.includes(kind)),
        [],
    );
});

/** Verbs that read a cluster. */
const READING = {
    discover: (source, options) => ib.discover(source, options),
    certify: (source, options) => ib.certify(source, options),
    planBackup: (source, options) => repository().planBackup(source, options),
    backup: (source, options) => repository().backup(source, options),
};

for (const [verb, start] of Object.entries(READING)) {
    test(`${verb} is stopped at each request`, async () => {
        await stopAtEachRequest(await core(), start);
    });
}

/** Verbs that read a repository. */
const OF_BACKUP = {
    get: (backups, options) => backups.get("n1", options),
    list: (backups, options) => backups.list(options),
    verify: (backups, options) => backups.verify("n1", { level: "bytes", ...options }),
    planRestore: (backups, options) => backups.planRestore("n1", path.join(scratch(), "target"), options),
    restore: (backups, options) => backups.restore("n1", path.join(scratch(), "target"), options),
};

for (const [verb, start] of Object.entries(OF_BACKUP)) {
    test(`${verb} is stopped at each request`, async () => {
        const directory = pathOf((await committed()).location);
        await stopAtEachRequest(directory, (location, options) => start(new ib.Repository(location), options));
    });
}

/** Runs a verb on a store of this process, aborts it at its n-th request for many n, and asserts that it stops. */
async function stopAtEachRequest(directory, start) {
    let requests = 0;
    let at = Infinity;
    let controller = new AbortController();
    let began;
    const store = await serve(directory, () => {
        requests += 1;
        if (requests === at) {
            began = performance.now();
            controller.abort(new Error(`request ${at}`));
        }
    });
    const location = new ib.Location("s3://bucket", optionsOf(store.endpoint));
    try {
        await start(location, {});
        const total = requests;
        assert.ok(total > 1);
        const step = Math.ceil(total / 25);
        let stopped = 0;
        for (let number = 1; number <= total - 1; number += step) {
            [requests, at, controller, began] = [0, number, new AbortController(), undefined];
            const { signal } = controller;
            const error = await start(location, { signal }).then(
                () => undefined,
                (thrown) => thrown,
            );
            // A run may have fewer requests, as what is read at once differs. One of which all requests are on their way
            // may end before it is stopped.
            if (error === undefined && (began === undefined || requests - number <= CONCURRENCY)) {
                continue;
            }
            stopped += 1;
            assertIsAborted(error, signal);
            const elapsed = performance.now() - began;
            assert.ok(elapsed < SOON, `request ${number} of ${total}: ${elapsed} ms`);
            assert.deepEqual(getEventListeners(signal, "abort"), []);
        }
        assert.ok(stopped >= total / step / 2, `${stopped} of ${total}`);
    } finally {
        await store.close();
    }
}
