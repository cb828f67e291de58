/** Options: names and values of Node, and what is said about wrong ones. */

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";

import * as ib from "influx-backup";
import { generate } from "influx-backup/testing";

import { committed, core, pathOf, rejection, repository, scratch } from "./support/clusters.mjs";

const data = await core();

/** Asserts that nothing was written to a repository. */
function assertIsUntouched(made) {
    assert.equal(fs.existsSync(pathOf(made.location)), false, "nothing was started");
}

test("values of Node are taken", async () => {
    const options = {
        name: "n1",
        limits: {
            bandwidth: "256MiB",
            memory: 64 << 20,
            concurrency: 2,
            stallTimeout: 30_000,
            durability: "relaxed",
            retry: { initialBackoff: 10, maxElapsed: "1m", maxOutage: null },
        },
        passes: { maxPasses: 3, timeLimit: "1m" },
        stopTimeout: "10s",
        derived: "include",
        absenceTolerance: "lenient",
        onCorrupt: "record",
        onUnreadable: "record",
        onViolation: "degrade",
        excludedNodes: [],
        nodeIds: ["node01"],
        clusterId: null,
        objectEvents: true,
        copier: null,
        orchestrator: null,
        signal: null,
    };
    assert.equal((await repository().backup(data, options)).status, "complete");
});

const TAKEN = [
    { limits: { memory: "1.5 MiB" } },
    { limits: { bandwidth: null } },
    { limits: { stallTimeout: 1 } },
    { limits: { stallTimeout: 0.5 } },
    { limits: { stallTimeout: "1m" } },
    { limits: { retry: { maxElapsed: 2 * 86_400_000 } } },
    { limits: {} },
    { limits: undefined },
    { limits: { memory: undefined, retry: { maxElapsed: undefined } } },
    { passes: undefined },
    { name: null },
    { name: undefined },
    { derived: undefined },
    { nodeIds: undefined },
    { nodeIds: Object.freeze(["node01"]) },
    { stopTimeout: 0 },
    { stopTimeout: "0s" },
    { signal: undefined },
    Object.freeze({ limits: Object.freeze({ concurrency: 3 }) }),
    Object.assign(Object.create(null), { name: "n1", limits: Object.assign(Object.create(null), { concurrency: 1 }) }),
    JSON.parse('{"limits": {"concurrency": 1}}'),
];

for (const options of TAKEN) {
    test(`${inspect(options)} is taken`, async () => {
        assert.ok((await repository().planBackup(data, options)).objects > 0);
    });
}

test("options may be absent", async () => {
    for (const options of [undefined, {}]) {
        assert.equal((await ib.discover(data, options)).edition, "core");
    }
    assert.equal((await ib.discover(data)).edition, "core");
});

test("options that inherit are refused, as those of a class", async () => {
    class Options {
        name = "n1";
    }
    const made = repository();
    for (const options of [Object.create({ name: "n1" }), new Options(), new Map([["name", "n1"]])]) {
        await assert.rejects(made.backup(data, options), { name: "TypeError", message: /plain object/ });
    }
    assertIsUntouched(made);
});

test("options are read when the verb is called", async () => {
    const options = { name: "n1", limits: { concurrency: 1 } };
    const job = repository().backup(data, options);
    options.name = "n2";
    options.limits.concurrency = -1;
    assert.equal((await job).name, "n1");
    assert.deepEqual(options, { name: "n2", limits: { concurrency: -1 } }, "and are left as they are");
});

/** Servers that go on. */
const neverStopped = { stop() {}, stopped: () => false, start() {} };

for (const stopTimeout of [400, "400ms"]) {
    test(`a duration is in milliseconds: ${stopTimeout}`, async () => {
        const target = path.join(scratch(), "target");
        const restored = (await committed()).restore("n1", target, { stopTimeout, orchestrator: neverStopped });
        const error = await rejection(restored);
        assert.equal(error.code, "orchestrator");
        assert.ok(
            error.report.causes.some((cause) => cause.includes("400ms")),
            inspect(error),
        );
    });
}

const UNKNOWN = [
    [{ nam: "n1" }, "nam", "name"],
    [{ limits: { bandwith: 1 } }, "bandwith", "bandwidth"],
    [{ limits: { retry: { maxElapsd: 1 } } }, "maxElapsd", "maxElapsed"],
    [{ on_existing: "resume" }, "on_existing", "onExisting"],
    [{ onexisting: "resume" }, "onexisting", "onExisting"],
    [{ limits: { stall_timeout: 1 } }, "stall_timeout", "stallTimeout"],
    [{ objectEvent: true }, "objectEvent", "objectEvents"],
    [{ copiers: [] }, "copiers", "copier"],
    [{ orchestratr: {} }, "orchestratr", "orchestrator"],
    [{ sgnal: AbortSignal.abort() }, "sgnal", "signal"],
    [{ polcy: "x" }, "polcy", null],
    [{ constructor: 1 }, "constructor", null],
    [{ toString: 1 }, "toString", null],
    [{ "": 1 }, "", null],
    [{ "näme\n": 1 }, "näme", null],
];

for (const [options, name, near] of UNKNOWN) {
    test(`${inspect(options)} is a TypeError${near ? ` that names ${near}` : ""}`, async () => {
        const made = repository();
        const error = await rejection(made.backup(data, options));
        assert.ok(error instanceof TypeError && error instanceof ib.UnknownOptionError, inspect(error));
        assert.equal(error.code, "unknown-option");
        assert.ok(error.message.includes(name), error.message);
        const expected = near ? `did you mean \`${near}\`?` : "is not an option of this call";
        assert.ok(error.message.includes(near?.length > 9 ? near : expected), error.message);
        assertIsUntouched(made);
    });
}

test("an unknown option of each verb is a TypeError", async () => {
    const made = await committed();
    const target = path.join(scratch(), "target");
    const plan = await made.planRestore("n1", target);
    const cluster = await ib.discover(data);
    const starts = {
        discover: () => ib.discover(data, { nope: 1 }),
        inventory: () => ib.inventory(cluster, { nope: 1 }),
        certify: () => ib.certify(data, { nope: 1 }),
        verify: () => ib.verify(made.location.child("n1"), { nope: 1 }),
        inspect: () => ib.inspect(data, { nope: 1 }),
        abandon: () => ib.abandon(data, { nope: 1 }),
        planBackup: () => made.planBackup(data, { nope: 1 }),
        backup: () => made.backup(data, { nope: 1 }),
        planRestore: () => made.planRestore("n1", target, { nope: 1 }),
        restore: () => made.restore(plan, { nope: 1 }),
        "restore with a target": () => made.restore(plan, target, { nope: 1 }),
        "restore of a name": () => made.restore("n1", target, { nope: 1 }),
        "restore of a plan with options of planning": () => made.restore(plan, { policy: "replace" }),
        list: () => made.list({ nope: 1 }),
        get: () => made.get("n1", { nope: 1 }),
        certifyOne: () => made.certify("n1", { nope: 1 }),
        verifyOne: () => made.verify("n1", { nope: 1 }),
        leftovers: () => made.leftovers({ nope: 1 }),
    };
    for (const [verb, start] of Object.entries(starts)) {
        const error = await rejection(start());
        assert.ok(error instanceof TypeError && /nope|policy/.test(error.message), `${verb}: ${inspect(error)}`);
    }
    assert.equal(fs.existsSync(target), false);
    await assert.rejects(generate(path.join(scratch(), "data"), { snapshot: 3 }), TypeError);
});

class Limits {
    concurrency = 0;
}

const cyclic = {};
cyclic.limits = cyclic;

/** Wrong values, the option that is named, and what else is said. */
const WRONG = [
    [{ limits: { bandwidth: 0 } }, "limits.bandwidth", "0"],
    [{ limits: { bandwidth: -1 } }, "limits.bandwidth", "64MiB"],
    [{ limits: { bandwidth: 1.5 } }, "limits.bandwidth", "64MiB"],
    [{ limits: { bandwidth: true } }, "limits.bandwidth", "64MiB"],
    [{ limits: { bandwidth: Number.NaN } }, "limits.bandwidth", ""],
    [{ limits: { bandwidth: Number.POSITIVE_INFINITY } }, "limits.bandwidth", ""],
    [{ limits: { bandwidth: 2 ** 53 } }, "limits.bandwidth", ""],
    [{ limits: { bandwidth: 2 ** 70 } }, "limits.bandwidth", ""],
    [{ limits: { bandwidth: 1n } }, "limits.bandwidth", ""],
    [{ limits: { memory: null } }, "limits.memory", "a number of bytes"],
    [{ limits: { memory: "lots" } }, "limits.memory", "64 MiB"],
    [{ limits: { concurrency: 0 } }, "limits.concurrency", "0"],
    [{ limits: { concurrency: "4" } }, "limits.concurrency", "a whole number"],
    [{ limits: { concurrency: 2.5 } }, "limits.concurrency", "a whole number"],
    [{ limits: { concurrency: -1 } }, "limits.concurrency", "a whole number"],
    [{ limits: { concurrency: true } }, "limits.concurrency", "a whole number"],
    [{ limits: { concurrency: 2 ** 53 } }, "limits.concurrency", ""],
    [{ limits: { stallTimeout: 0 } }, "limits.stallTimeout", "0"],
    [{ limits: { stallTimeout: -1 } }, "limits.stallTimeout", "90s"],
    [{ limits: { stallTimeout: "soon" } }, "limits.stallTimeout", "90s"],
    [{ limits: { stallTimeout: true } }, "limits.stallTimeout", "a number of milliseconds"],
    [{ limits: { stallTimeout: Number.NaN } }, "limits.stallTimeout", ""],
    [{ limits: { stallTimeout: new Date(0) } }, "limits.stallTimeout", ""],
    [{ limits: 5 }, "limits", ""],
    [{ limits: [1] }, "limits", ""],
    [{ limits: null }, "limits", ""],
    [{ limits: "x" }, "limits", ""],
    [{ limits: new Limits() }, "limits", ""],
    [{ limits: new Map([["concurrency", 1]]) }, "limits", ""],
    [{ limits: () => ({}) }, "limits", ""],
    [{ passes: { maxPasses: 0 } }, "passes.maxPasses", "at least 1"],
    [{ derived: "incl" }, "derived", "`exclude` or `include`"],
    [{ derived: true }, "derived", "`exclude` or `include`"],
    [{ derived: null }, "derived", "`exclude` or `include`"],
    [{ onViolation: "Fail" }, "onViolation", "`fail` or `degrade`"],
    [{ takeover: false }, "takeover", "`after_timeout` or `immediately`"],
    [{ name: 5 }, "name", "a string"],
    [{ name: "" }, "name", ""],
    [{ name: Symbol("secret") }, "name", ""],
    [{ name: () => "n1" }, "name", ""],
    [{ name: 5n }, "name", ""],
    [{ name: ["n1"] }, "name", ""],
    [{ name: new Date(0) }, "name", ""],
    [{ name: /n1/ }, "name", ""],
    [{ name: Buffer.from("secret") }, "name", ""],
    [{ name: Promise.resolve("n1") }, "name", ""],
    [{ name: new Proxy({}, {}) }, "name", ""],
    [{ nodeIds: "n1" }, "nodeIds", "a list"],
    [{ nodeIds: ["n1", 5] }, "nodeIds", "a string"],
    [{ nodeIds: [Symbol("secret")] }, "nodeIds", ""],
    [{ nodeIds: [undefined] }, "nodeIds", ""],
    // biome-ignore lint/suspicious/noSparseArray: it is what is tested
    [{ nodeIds: [, "n1"] }, "nodeIds", ""],
    [{ nodeIds: new Set(["n1"]) }, "nodeIds", ""],
    [{ nodeIds: { length: 1, 0: "n1" } }, "nodeIds", ""],
    [{ nodeIds: null }, "nodeIds", "a list"],
    [{ objectEvents: 1 }, "objectEvents", ""],
    [{ objectEvents: "yes" }, "objectEvents", ""],
    [{ objectEvents: null }, "objectEvents", ""],
    [cyclic, "limits", ""],
];

for (const [options, name, allowed] of WRONG) {
    test(`${inspect(options)} names its option, and what is allowed`, async () => {
        const made = repository();
        const error = await rejection(made.backup(data, options));
        assert.ok(error instanceof TypeError || error instanceof ib.UsageError, inspect(error));
        if (error instanceof ib.UsageError) {
            assert.ok(["invalid-option", "invalid-request", "unknown-option"].includes(error.code), error.code);
        }
        assert.ok(error.message.includes(`\`${name}`), error.message);
        assert.ok(error.message.includes(allowed), error.message);
        assert.ok(
            !error.message.includes("secret") && !/[a-z]_[a-z]/.test(error.message.replace("after_timeout", "")),
            error.message,
        );
        assertIsUntouched(made);
    });
}

for (const own of [new RangeError("mine"), Object.freeze(new Error("frozen")), null, undefined, "a text"]) {
    test(`what a getter of an option throws is the error: ${own}`, async () => {
        const made = repository();
        const throwing = (name) =>
            Object.defineProperty({}, name, {
                enumerable: true,
                get() {
                    throw own;
                },
            });
        const stack = own?.stack;
        for (const options of [throwing("name"), throwing("signal"), { limits: throwing("concurrency") }]) {
            let job;
            assert.doesNotThrow(() => {
                job = made.backup(data, options);
            });
            assert.equal(await rejection(job), own);
        }
        assert.equal(own?.stack, stack);
        assertIsUntouched(made);
    });
}

test("a key that is a prototype changes none", async () => {
    const made = repository();
    const hostile = ['{"__proto__": {"name": "n1"}}', '{"limits": {"__proto__": {"concurrency": 1}}}'];
    for (const text of [...hostile, '{"constructor": {"prototype": {"polluted": 1}}}']) {
        const error = await rejection(made.backup(data, JSON.parse(text)));
        assert.ok(error instanceof ib.UnknownOptionError, inspect(error));
        assert.match(error.message, /__proto__|constructor/);
    }
    assert.equal({}.polluted, undefined);
    assert.equal({}.name, undefined);
    assert.throws(() => new ib.Location("s3://bucket", JSON.parse('{"__proto__": {"awsRegion": "x"}}')), ib.UsageError);
    assertIsUntouched(made);
});

test("a polluted prototype gives no options", async () => {
    const polluted = {
        onExisting: "nonsense",
        copier: "nonsense",
        orchestrator: "nonsense",
        objectEvents: "nonsense",
        signal: AbortSignal.abort(),
    };
    Object.assign(Object.prototype, polluted);
    try {
        assert.equal((await repository().backup(data, { name: "n1" })).status, "complete");
        assert.equal((await repository().backup(data)).status, "complete");
    } finally {
        for (const name of Object.keys(polluted)) {
            delete Object.prototype[name];
        }
    }
});

for (const options of [5, "name", true, [], [{ name: "n1" }], () => ({}), Symbol("x"), 5n, new Date()]) {
    test(`${inspect(options)} are no options`, async () => {
        const made = repository();
        const error = await rejection(made.backup(data, options));
        assert.ok(error instanceof TypeError || error instanceof ib.UsageError, inspect(error));
        assert.match(error.message, /option/i);
        assertIsUntouched(made);
    });
}

const OF_VERIFY = [
    [{ level: 3 }, "level"],
    [{ level: "all" }, "level"],
    [{ samplePercent: 0 }, "samplePercent"],
    [{ samplePercent: 101 }, "samplePercent"],
    [{ samplePercent: "5" }, "samplePercent"],
    [{ samplePercent: 5.5 }, "samplePercent"],
];

for (const [options, name] of OF_VERIFY) {
    test(`verify names ${inspect(options)}`, async () => {
        const error = await rejection((await committed()).verify("n1", options));
        assert.ok(error instanceof ib.UsageError && error.message.includes(`\`${name}\``), inspect(error));
    });
}

test("servers are stopped or not", async () => {
    const made = await committed();
    for (const serversStopped of ["yes", 1, null]) {
        const error = await rejection(made.restore("n1", path.join(scratch(), "target"), { serversStopped }));
        assert.ok(error instanceof ib.UsageError && error.message.includes("`serversStopped`"), inspect(error));
    }
    for (const serversStopped of [true, "confirmed_by_caller", false]) {
        const report = await made.restore("n1", path.join(scratch(), "target"), { serversStopped });
        assert.equal(report.backup, "n1");
    }
});

test("options of generate are named", async () => {
    for (const [name, value] of Object.entries({ nodes: -1, edition: "oss", catalog: "v9", fileSize: "big" })) {
        const directory = path.join(scratch(), "data");
        const error = await rejection(generate(directory, { [name]: value }));
        assert.ok(error instanceof ib.UsageError && error.message.includes(`\`${name}\``), inspect(error));
        assert.equal(fs.existsSync(directory), false);
    }
});

test("generate takes a path or a URL of a file", async () => {
    for (const directory of [undefined, null, 5, {}, new URL("http://localhost/data")]) {
        await assert.rejects(generate(directory), TypeError);
    }
    assert.equal(fs.existsSync("undefined"), false);
    const directory = path.join(scratch(), "data");
    assert.equal((await generate(pathToFileURL(directory), { edition: "core" })).catalogOwner, "node01");
    assert.equal((await ib.discover(directory)).edition, "core");
});

test("each choice is taken, and a wrong one is told all", async () => {
    const choices = {
        absenceTolerance: ["strict", "lenient"],
        derived: ["exclude", "include"],
        onCorrupt: ["fail", "record"],
        onExisting: ["refuse", "resume"],
        onUnreadable: ["refuse", "record"],
        onViolation: ["fail", "degrade"],
        takeover: ["after_timeout", "immediately"],
    };
    const made = repository();
    for (const [option, values] of Object.entries(choices)) {
        for (const value of values) {
            const options = { name: "n1", onExisting: "resume", [option]: value };
            assert.ok((await made.planBackup(data, options)).objects > 0);
        }
        const error = await rejection(made.planBackup(data, { [option]: "nothing like it" }));
        assert.ok(
            values.every((value) => error.message.includes(`\`${value}\``)),
            error.message,
        );
    }
});

test("options of a store are taken, and named in camelCase", () => {
    const { identity } = new ib.Location("s3://vault", { awsRegion: "eu-central-1", awsAllowHttp: true });
    assert.equal(identity.toJSON().region, "eu-central-1");
    for (const [options, near] of [
        [{ awsregion: "x" }, "awsRegion"],
        [{ awsRegon: "x" }, "awsRegion"],
        [{ aws_region: "x" }, "awsRegion"],
    ]) {
        assert.throws(
            () => new ib.Location("s3://bucket", options),
            (error) => error.code === "unknown-option" && error instanceof TypeError && error.message.includes(near),
            inspect(options),
        );
    }
    assert.throws(() => new ib.Repository("s3://bucket", { nonsense: "x" }), ib.UnknownOptionError);
});

test("an option of a store that is null or undefined is not given", () => {
    process.env.AWS_REGION = "eu-central-1";
    try {
        for (const awsRegion of [null, undefined]) {
            const { identity } = new ib.Location("s3://vault", { awsRegion, awsAllowHttp: true });
            assert.equal(identity.toJSON().region, "eu-central-1");
        }
    } finally {
        delete process.env.AWS_REGION;
    }
});

test("a place may be a text, a URL or a location", async () => {
    for (const place of [data, `file://${data}`, pathToFileURL(data), new ib.Location(data)]) {
        assert.equal((await ib.discover(place)).id, "node01");
    }
    assert.equal((await ib.certify(await ib.discover(data))).holds, true);
    const made = await committed();
    const backup = await made.get("n1");
    assert.equal((await ib.certify(backup)).holds, true);
    assert.equal((await ib.verify(backup)).ok, true);
    assert.equal((await ib.verify(pathToFileURL(path.join(pathOf(made.location), "n1")))).ok, true);
});
