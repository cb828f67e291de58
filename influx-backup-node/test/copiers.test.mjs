/** Copiers of the caller. */

import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";

import * as ib from "influx-backup";

import { core, pathOf, rejection, repository, scratch, until } from "./support/clusters.mjs";
import { causes } from "./support/errors.mjs";
import { run } from "./support/programs.mjs";
import { THROWN } from "./support/thrown.mjs";

const data = await core();

/** Copies WAL and leaves the rest to the next copier. */
class Mine {
    copied = [];

    copy(request, context) {
        if (!request.sourceKey.includes("/wal/")) {
            throw new ib.Unsupported("only WAL");
        }
        const target = pathOf(request.target, request.targetKey);
        fs.mkdirSync(path.dirname(target), { recursive: true });
        fs.copyFileSync(pathOf(request.source, request.sourceKey), `${target}#1`);
        request.checkLease();
        fs.renameSync(`${target}#1`, target);
        context.moved(request.size);
        this.copied.push(request.sourceKey);
    }
}

/** The same, asynchronously. */
class MineAsync extends Mine {
    async copy(request, context) {
        await sleep(1);
        super.copy(request, context);
    }
}

for (const Class of [Mine, MineAsync]) {
    test(`own copiers chain with the native ones: ${Class.name}`, async () => {
        const made = repository();
        const copier = new Class();
        const report = await made.backup(data, { name: "n1", copier: [copier, ...ib.defaultCopiers()] });
        const [done] = report.passes;
        assert.equal(done.copiers[Class.name], copier.copied.length);
        assert.ok(copier.copied.length > 0 && report.objects > copier.copied.length);
        const total = Object.values(done.copiers).reduce((sum, count) => sum + count, 0);
        assert.equal(total, report.objects);
        assert.ok((await made.verify("n1", { level: "bytes" })).ok);
    });
}

test("an object with a copy method is a copier", async () => {
    const keys = [];
    const copier = {
        copy: (request) => {
            keys.push(request.sourceKey);
            throw new ib.Unsupported("the next");
        },
    };
    const report = await repository().backup(data, { copier: [copier, ...ib.defaultCopiers()] });
    assert.ok(keys.length >= report.objects);
});

test("a request and a context have what a copier needs", async () => {
    const seen = [];
    const copier = {
        copy(request, context) {
            seen.push({ request, context });
            throw new ib.Unsupported("the next");
        },
    };
    const made = repository();
    await made.backup(data, { name: "n1", copier: [copier, ...ib.defaultCopiers()] });
    await made.restore("n1", path.join(scratch(), "target"), { copier: [copier, ...ib.defaultCopiers()] });
    for (const { request, context } of seen) {
        assert.ok(request instanceof ib.CopyRequest && context instanceof ib.CopyContext);
        assert.ok(request.source instanceof ib.Location && request.target instanceof ib.Location);
        assert.ok(request.sourceKey && request.targetKey && Number.isSafeInteger(request.size));
        assert.ok(request.crc64 === null || /^[0-9a-f]{16}$/.test(request.crc64));
        assert.ok(request.eTag === null || typeof request.eTag === "string");
        assert.deepEqual([request.transform, ["any", "read_through"].includes(request.transfer)], ["none", true]);
        assert.ok(context.signal instanceof AbortSignal);
        assert.ok(inspect(request).includes(request.sourceKey), inspect(request));
    }
    assert.ok(
        seen.some(({ request }) => request.crc64 !== null),
        "a restore knows the checksum",
    );
});

test("a request that is kept does no harm after its run", async () => {
    const kept = [];
    const copier = {
        copy(request, context) {
            kept.push({ request, context });
            throw new ib.Unsupported("the next");
        },
    };
    await repository().backup(data, { copier: [copier, ...ib.defaultCopiers()] });
    const [{ request, context }] = kept;
    context.moved(1);
    try {
        request.checkLease();
    } catch (error) {
        assert.ok(error instanceof ib.CopyError, `${error}`);
    }
    assert.equal(typeof request.sourceKey, "string");
});

test("a copier may return the checksum of what it read", async () => {
    const made = repository();
    await made.backup(data, { name: "n1" });
    const target = path.join(scratch(), "target");
    const copier = {
        async copy(request) {
            const file = pathOf(request.target, request.targetKey);
            fs.mkdirSync(path.dirname(file), { recursive: true });
            fs.copyFileSync(pathOf(request.source, request.sourceKey), file);
            return request.crc64 ?? undefined;
        },
    };
    await made.restore("n1", target, { copier: [copier, ...ib.defaultCopiers()] });
    assert.ok((await ib.certify(target)).holds);
});

for (const answer of ["nonsense", "", 5, true, {}, Buffer.from("0123456789abcdef"), Symbol("x"), 5n]) {
    for (const isAsync of [false, true]) {
        const what = `${isAsync ? "resolves to" : "returns"} ${inspect(answer)}`;
        test(`a copier that ${what} is told what to return`, async () => {
            class Wrong {
                copy() {
                    return isAsync ? Promise.resolve(answer) : answer;
                }
            }
            const error = await rejection(repository().backup(data, { name: "n1", copier: new Wrong() }));
            assert.ok(error instanceof ib.OrchestratorError, inspect(error));
            assert.match(causes(error).at(-1), /^`copy` of Wrong returned .*sixteen hex digits$/s);
        });
    }
}

for (const [index, thrown] of THROWN.entries()) {
    for (const isAsync of [false, true]) {
        test(`what a copier ${isAsync ? "rejects with" : "throws"} is the cause: value ${index}`, async () => {
            const copier = {
                copy() {
                    if (isAsync) {
                        return Promise.reject(thrown);
                    }
                    throw thrown;
                },
            };
            const error = await rejection(repository().backup(data, { copier }));
            assert.ok(error instanceof ib.OrchestratorError);
            assert.equal(error.code, "copier-failed");
            assert.ok("cause" in error && Object.is(error.cause, thrown));
        });
    }
}

test("the stack of what a copier throws has the copier", async () => {
    const copier = {
        copy: function copiesNothing() {
            throw new RangeError("mine");
        },
    };
    const { cause } = await rejection(repository().backup(data, { copier }));
    assert.match(cause.stack, /copiesNothing/);
});

test("`then` of what a copier returns is called as that of a promise", async () => {
    const copier = {
        copy: () => ({
            // biome-ignore lint/suspicious/noThenProperty: it is what is tested
            then(_resolve, reject) {
                reject(new RangeError("mine"));
            },
        }),
    };
    const error = await rejection(repository().backup(data, { copier }));
    assert.ok(error.cause instanceof RangeError);
});

const AT_ONCE = { retry: { initialBackoff: 10, maxElapsed: 100, maxOutage: 100 } };

const OF_COPIES = [
    [ib.CopyError, "store-error"],
    [ib.Unsupported, "copy-unsupported"],
    [ib.Corrupt, "copy-corrupt"],
];

for (const [Class, code] of OF_COPIES) {
    test(`${Class.name} of a copier ends a run with ${code}`, async () => {
        const thrown = new Class("the reason");
        assert.deepEqual([thrown.name, thrown.message, thrown.copyCode], [Class.name, "the reason", code]);
        assert.ok(thrown instanceof ib.CopyError && thrown instanceof Error);
        const copier = {
            async copy() {
                throw thrown;
            },
        };
        const error = await rejection(repository().backup(data, { copier, limits: AT_ONCE }));
        assert.equal(error.code, code);
        assert.ok(Class === ib.Unsupported || causes(error).at(-1).endsWith("the reason"), inspect(error));
    });
}

for (const [Class, code] of [
    [ib.SourceVanished, "source-vanished"],
    [ib.SourceChanged, "source-changed"],
]) {
    test(`a run goes on after ${Class.name}`, async () => {
        const thrown = [new Class("once")];
        assert.equal(thrown[0].copyCode, code);
        const copier = {
            copy() {
                throw thrown.pop() ?? new ib.Unsupported("the next");
            },
        };
        const options = { name: "n1", copier: [copier, ...ib.defaultCopiers()], objectEvents: true };
        const made = repository();
        const kinds = [];
        const job = made.backup(data, options);
        for await (const event of job) {
            kinds.push(event.kind);
        }
        assert.ok(kinds.includes(code === "source-vanished" ? "vanished" : "changed"), `${kinds}`);
        assert.equal((await job).status, "complete");
        assert.ok((await made.verify("n1", { level: "bytes" })).ok);
    });
}

test("LeaseLost ends a run, which tells why", async () => {
    const copier = {
        copy() {
            throw new ib.LeaseLost("taken over");
        },
    };
    const error = await rejection(repository().backup(data, { copier }));
    assert.ok(["cancelled", "lease-lost", "copier-failed"].includes(error.code), error.code);
    assert.equal(new ib.LeaseLost().copyCode, "cancelled");
});

test("errors of copies have a cause, and classes of their own", async () => {
    class Mine extends ib.Unsupported {}
    const cause = new Error("why");
    const error = new Mine("the reason", { cause });
    assert.deepEqual([error.cause, error.copyCode, error instanceof ib.Unsupported], [cause, "copy-unsupported", true]);
    const copier = {
        copy() {
            throw error;
        },
    };
    const report = await repository().backup(data, { copier: [copier, ...ib.defaultCopiers()] });
    assert.equal(report.status, "complete");
});

const thrower = {
    get copyCode() {
        throw new Error("a getter");
    },
};

for (const own of [{ copyCode: 5 }, { copyCode: undefined }, { copyCode: "no-such-code" }, { copyCode: {} }, thrower]) {
    test(`a copyCode that is none ends a run: ${inspect(own)}`, async () => {
        const thrown = Object.defineProperties(new ib.CopyError("mine"), Object.getOwnPropertyDescriptors(own));
        const copier = {
            copy() {
                throw thrown;
            },
        };
        const error = await rejection(repository().backup(data, { copier, limits: AT_ONCE }));
        assert.ok(error instanceof ib.InfluxBackupError, inspect(error));
        assert.ok(inspect(error).includes("mine"), inspect(error));
    });
}

test("Corrupt is tried again", async () => {
    const errors = [new ib.Corrupt("a bit"), new ib.CopyError("away")];
    const copier = {
        async copy() {
            throw errors.pop() ?? new ib.Unsupported("the next");
        },
    };
    const limits = { retry: { initialBackoff: 1, maxElapsed: "10s" } };
    const report = await repository().backup(data, { copier: [copier, ...ib.defaultCopiers()], limits });
    assert.equal(report.status, "complete");
    assert.deepEqual(errors, []);
});

test("no copier at all is refused", async () => {
    const made = repository();
    const error = await rejection(made.backup(data, { copier: [] }));
    assert.match(error.message, /`copier` is an empty list/);
    assert.equal(fs.existsSync(pathOf(made.location)), false, "nothing was started");
});

const NO_COPIER = [{}, 5, [new Mine(), 5], "mine", Mine, { copy: 1 }, () => undefined, [[new Mine()]]];

for (const copier of NO_COPIER) {
    test(`${inspect(copier)} is no copier`, async () => {
        const made = repository();
        const error = await rejection(made.backup(data, { copier }));
        assert.ok(error instanceof TypeError || error instanceof ib.UsageError, inspect(error));
        assert.match(error.message, /`copier`/);
        assert.equal(fs.existsSync(pathOf(made.location)), false, "nothing was started");
    });
}

/** A copier that begins, and goes on as long as it is let. */
class Hangs {
    began = 0;
    ended = 0;
    reasons = [];

    async copy(_request, context) {
        this.began += 1;
        await new Promise((resolve) => context.signal.addEventListener("abort", resolve, { once: true }));
        this.reasons.push(context.signal.reason);
        await sleep(50);
        this.ended += 1;
        throw context.signal.reason;
    }
}

for (const how of ["cancel", "signal"]) {
    test(`a copier is told that its job is cancelled: ${how}`, async () => {
        const made = repository();
        const copier = new Hangs();
        const controller = new AbortController();
        const job = made.backup(data, { name: "n1", copier, signal: controller.signal });
        await until(() => copier.began > 0, "a copy");
        if (how === "cancel") {
            job.cancel();
        } else {
            controller.abort(new Error("mine"));
        }
        const error = await rejection(job);
        assert.ok(error instanceof ib.CancelledError, inspect(error));
        assert.equal(copier.ended, copier.began, "the job waits until copies have cleaned up");
        assert.ok(copier.reasons.every((reason) => reason instanceof Error));
        assert.equal((await made.backup(data, { name: "n1", onExisting: "resume" })).status, "complete");
    });
}

test("a copier that never ends does not keep a cancelled job for a second", async () => {
    const made = repository();
    let began = 0;
    const copier = {
        copy() {
            began += 1;
            return new Promise(() => undefined);
        },
    };
    const job = made.backup(data, { name: "n1", copier });
    await until(() => began > 0, "a copy");
    const start = performance.now();
    job.cancel();
    assert.ok((await rejection(job)) instanceof ib.CancelledError);
    assert.ok(performance.now() - start < 1500, `${performance.now() - start} ms`);
    assert.equal((await made.backup(data, { name: "n1", onExisting: "resume" })).status, "complete");
});

test("a copier that outlives its job may not write any more", async () => {
    const requests = [];
    const copier = {
        copy(request) {
            request.checkLease();
            requests.push(request);
            return new Promise(() => undefined);
        },
    };
    const job = repository().backup(data, { copier });
    await until(() => requests.length > 0, "a copy");
    job.cancel();
    assert.ok((await rejection(job)) instanceof ib.CancelledError);
    assert.throws(() => requests[0].checkLease(), ib.LeaseLost);
});

test("the copies of a run that failed are stopped", async () => {
    const hangs = new Hangs();
    let number = 0;
    const copier = {
        async copy(request, context) {
            number += 1;
            if (number === 3) {
                throw new RangeError("mine");
            }
            await hangs.copy(request, context);
        },
    };
    const error = await rejection(repository().backup(data, { copier }));
    assert.ok(error.cause instanceof RangeError, inspect(error));
    await until(() => hangs.ended === hangs.began, "the end of all copies");
});

test("a copier that throws while its job is cancelled is no unhandled rejection", async () => {
    const unhandled = [];
    const listen = (reason) => unhandled.push(reason);
    process.on("unhandledRejection", listen);
    try {
        const copier = new Hangs();
        const job = repository().backup(data, { copier });
        await until(() => copier.began > 0, "a copy");
        job.cancel();
        await rejection(job);
        await sleep(100);
        assert.deepEqual(unhandled, []);
    } finally {
        process.off("unhandledRejection", listen);
    }
});

test("bytes that were moved are progress", async () => {
    let release;
    const released = new Promise((resolve) => {
        release = resolve;
    });
    const copier = {
        async copy(_request, context) {
            context.moved(1000);
            for (const bytes of [-1, 1.5, Number.NaN, "1", null, undefined, 2 ** 60, 1n]) {
                assert.throws(
                    () => context.moved(bytes),
                    (error) => error instanceof Error,
                    inspect(bytes),
                );
            }
            await released;
            throw new ib.Unsupported("the next");
        },
    };
    const job = repository().backup(data, { copier: [copier, ...ib.defaultCopiers()], limits: { concurrency: 1 } });
    try {
        await until(() => job.progress.bytes >= 1000, "progress");
    } finally {
        release();
    }
    await job;
});

test("checkLease throws where another run has taken over", async () => {
    const made = repository();
    const seen = [];
    const copier = {
        async copy(request) {
            if (seen.length === 0) {
                await made.backup(data, { name: "n1", onExisting: "resume", takeover: "immediately" });
                try {
                    request.checkLease();
                    seen.push("held");
                } catch (error) {
                    seen.push(error);
                    throw error;
                }
            }
            throw new ib.Unsupported("the next");
        },
    };
    const options = { name: "n1", copier: [copier, ...ib.defaultCopiers()], limits: { concurrency: 1 } };
    const error = await rejection(made.backup(data, options));
    assert.equal(error.code, "lease-lost");
    // Whether it was lost is known at the next look at the store.
    assert.ok(seen[0] === "held" || seen[0] instanceof ib.LeaseLost, inspect(seen));
});

test("a copier may start verbs of its own", async () => {
    let isFirst = true;
    const copier = {
        async copy() {
            if (isFirst) {
                isFirst = false;
                assert.equal((await ib.discover(data)).edition, "core");
            }
            throw new ib.Unsupported("the next");
        },
    };
    const report = await repository().backup(data, { copier: [copier, ...ib.defaultCopiers()] });
    assert.equal(report.status, "complete");
});

test("a copier is called in the asynchronous context of its verb", async () => {
    const context = new AsyncLocalStorage();
    const seen = new Set();
    const copier = {
        copy() {
            seen.add(context.getStore());
            throw new ib.Unsupported("the next");
        },
    };
    const started = context.run("mine", () => repository().backup(data, { copier: [copier, ...ib.defaultCopiers()] }));
    await started;
    assert.deepEqual([...seen], ["mine"]);
});

test("what a copier throws for each object is not kept", async () => {
    const ended = await run(
        `
        const thrown = [];
        let kept;
        const copier = {
            async copy() {
                if (thrown.length === 20) {
                    await new Promise((resolve) => setTimeout(resolve, 10));
                    gc();
                    kept = thrown.filter((error) => error.deref() !== undefined).length;
                }
                const error = new ib.Unsupported("the next");
                thrown.push(new WeakRef(error));
                throw error;
            },
        };
        const limits = { concurrency: 1 };
        const made = new ib.Repository(${JSON.stringify(pathOf(repository().location))});
        await made.backup(${JSON.stringify(data)}, { copier: [copier, ...ib.defaultCopiers()], limits });
        console.log(kept < 5 || kept);`,
        "--expose-gc",
    );
    assert.deepEqual(ended, { code: 0, signal: null, stdout: "true\n", stderr: "" });
});

test("jobs share a copier", async () => {
    const copier = new MineAsync();
    const jobs = [1, 2, 3].map(() => repository().backup(data, { copier: [copier, ...ib.defaultCopiers()] }));
    const reports = await Promise.all(jobs);
    assert.ok(reports.every((report) => report.status === "complete"));
    assert.equal(copier.copied.length, 3 * reports[0].passes[0].copiers.MineAsync);
});
