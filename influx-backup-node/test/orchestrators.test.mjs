/** Orchestrators of the caller. */

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";

import * as ib from "influx-backup";

import { core, enterprise, pathOf, rejection, repository, scratch, until } from "./support/clusters.mjs";
import { causes } from "./support/errors.mjs";
import { THROWN } from "./support/thrown.mjs";

const data = await core();

const NO_ORCHESTRATOR = [5, {}, { stop() {}, start() {} }, class Servers {}, "servers", []];

for (const orchestrator of NO_ORCHESTRATOR) {
    test(`${inspect(orchestrator)} is no orchestrator`, async () => {
        const made = repository();
        const error = await rejection(made.backup(data, { orchestrator }));
        assert.ok(error instanceof TypeError || error instanceof ib.UsageError, inspect(error));
        assert.match(error.message, /`orchestrator`/);
        assert.equal(fs.existsSync(pathOf(made.location)), false, "nothing was started");
    });
}

/** Servers of a cluster. */
class Servers {
    running = new Set(["compactor01", "ingester01", "ingester02"]);
    calls = [];

    stop(node) {
        assert.ok(node instanceof ib.Node);
        this.calls.push(`stop ${node.id}`);
        this.running.delete(node.id);
    }

    stopped(node) {
        return !this.running.has(node.id);
    }

    start(node) {
        this.calls.push(`start ${node.id}`);
        this.running.add(node.id);
    }
}

/** The same, asynchronously. */
class ServersAsync extends Servers {
    async stop(node) {
        await sleep(1);
        super.stop(node);
    }

    async stopped(node) {
        await sleep(1);
        return super.stopped(node);
    }

    async start(node) {
        await sleep(1);
        super.start(node);
    }
}

for (const Class of [Servers, ServersAsync]) {
    test(`an orchestrator stops and starts servers: ${Class.name}`, async () => {
        const made = repository();
        const target = path.join(scratch(), "target");
        const ofBackup = new Class();
        await made.backup(await enterprise(), { name: "n1", orchestrator: ofBackup });
        assert.deepEqual(
            ofBackup.calls.map((call) => call.split(" ")[0]),
            ["stop", "stop", "stop", "start", "start", "start"],
        );
        await made.restore("n1", target);
        const servers = new Class();
        const plan = await made.planRestore("n1", target, { policy: "replace" });
        const report = await made.restore(plan, { orchestrator: servers });
        assert.deepEqual([...report.started], ["ingester01", "ingester02", "compactor01"]);
        assert.deepEqual(servers.calls.slice(3), ["start ingester01", "start ingester02", "start compactor01"]);
        assert.deepEqual(servers.calls.slice(0, 3).sort(), ["stop compactor01", "stop ingester01", "stop ingester02"]);
    });
}

for (const answer of ["active", "inactive", 1, 0, null, undefined, {}, [], "true", Symbol("x"), 1n]) {
    for (const isAsync of [false, true]) {
        const what = `${isAsync ? "a promise of " : ""}${inspect(answer)}`;
        test(`only true tells that a server is stopped, not ${what}`, async () => {
            const made = repository();
            const target = path.join(scratch(), "target");
            await made.backup(data, { name: "n1" });
            await made.restore("n1", target);
            const orchestrator = { stop() {}, stopped: () => (isAsync ? Promise.resolve(answer) : answer), start() {} };
            const error = await rejection(made.restore("n1", target, { policy: "replace", orchestrator }));
            assert.ok(error instanceof ib.OrchestratorError, inspect(error));
            assert.match(causes(error).at(-1), /^`stopped` of Object returned .*: expected true or false$/s);
            assert.equal((await ib.inspect(target)).unfinished, null);
        });
    }
}

test("a server that does not start is a todo of the report", async () => {
    const orchestrator = {
        stop() {},
        stopped: () => true,
        async start() {
            throw new Error("no power");
        },
    };
    const report = await repository().backup(data, { orchestrator });
    assert.ok(
        report.todos.some((todo) => inspect(todo).includes("no power")),
        inspect(report.todos),
    );
});

for (const method of ["stop", "stopped"]) {
    for (const [index, thrown] of THROWN.entries()) {
        test(`what \`${method}\` of an orchestrator throws is the cause: value ${index}`, async () => {
            const orchestrator = {
                stop() {},
                stopped: () => true,
                start() {},
                [method]() {
                    throw thrown;
                },
            };
            const error = await rejection(repository().backup(data, { orchestrator }));
            assert.ok(error instanceof ib.OrchestratorError);
            assert.equal(error.code, "orchestrator");
            assert.ok("cause" in error && Object.is(error.cause, thrown));
        });
    }
}

test("a CopyError of an orchestrator is the cause, too", async () => {
    const thrown = new ib.Unsupported("mine");
    const orchestrator = {
        stop() {},
        stopped() {
            throw thrown;
        },
        start() {},
    };
    const error = await rejection(repository().backup(data, { orchestrator }));
    assert.equal(error.code, "orchestrator");
    assert.equal(error.cause, thrown);
});

test("an orchestrator that never ends does not keep a cancelled job", async () => {
    const made = repository();
    const calls = [];
    const orchestrator = {
        stop: (node) => calls.push(node.id),
        stopped: () => new Promise(() => undefined),
        start() {},
    };
    const job = made.backup(data, { name: "n1", orchestrator });
    await until(() => calls.length > 0, "a stop");
    job.cancel();
    assert.ok((await rejection(job)) instanceof ib.CancelledError);
    assert.equal((await made.backup(data, { name: "n1", onExisting: "resume" })).status, "complete");
});
