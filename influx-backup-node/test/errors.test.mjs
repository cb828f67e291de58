/** Errors: a class for each category and for codes that scripts branch on. */

import assert from "node:assert/strict";
import { once } from "node:events";
import path from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";
import { MessageChannel } from "node:worker_threads";

import * as ib from "influx-backup";

import { Scratch } from "./situations/scratch.mjs";
import sources from "./situations/sources.mjs";
import { committed, core, rejection, repository, scratch } from "./support/clusters.mjs";
import { assertIsWhole, CATEGORIES, CODES_WITH_CLASS, causes, classOf } from "./support/errors.mjs";
import { optionsOf, SECRET } from "./support/in-process-s3.mjs";

/** The report of a real error, to be given other codes. */
const report = (await rejection(ib.discover("/there/is/no/such/directory"))).report.toJSON();

for (const code of Object.keys(ib.ERROR_CODES)) {
    test(`${code} has its class`, () => {
        const { category, meaning } = ib.ERROR_CODES[code];
        assert.ok(meaning);
        const document = { ...report, code, category, message: "the message" };
        const error = new (classOf(code))(ib.ErrorReport.fromJSON(document));
        assert.ok(error instanceof ib.InfluxBackupError && error instanceof Error);
        assert.deepEqual([error.code, error.category, error.message], [code, category, "the message"]);
        assert.ok(String(error).endsWith(": the message"));
    });
}

test("an error is made from a report alone", () => {
    for (const nothing of ["a message", undefined, null, {}, report, new Error("x")]) {
        assert.throws(() => new ib.InfluxBackupError(nothing), TypeError);
        assert.throws(() => new ib.UnknownOptionError(nothing), TypeError);
    }
    class Mine extends ib.NotFoundError {}
    const cause = new Error("why");
    const error = new Mine(ib.ErrorReport.fromJSON(report), { cause });
    assert.ok(error instanceof Mine && error instanceof ib.NotFoundError && !(error instanceof ib.UsageError));
    assert.deepEqual([error.code, error.cause], [report.code, cause]);
});

for (const [name, value] of Object.entries({ stackTraceLimit: undefined, prepareStackTrace: (_, trace) => trace })) {
    test(`a failed job rejects where Error.${name} is unusual`, async () => {
        const before = Error[name];
        Error[name] = value;
        try {
            const error = await rejection(ib.discover("/there/is/no/such/directory"));
            assert.ok(error instanceof ib.NotFoundError);
            assert.ok((await rejection(ib.discover("/tmp", { nme: 1 }))) instanceof ib.UnknownOptionError);
        } finally {
            Error[name] = before;
        }
    });
}

/** A certification of a store that does not answer, for so many milliseconds. */
function away(maxOutage) {
    const location = new ib.Location("s3://bucket", optionsOf("http://127.0.0.1:9"));
    return ib.certify(location, {
        limits: { retry: { maxOutage, maxElapsed: maxOutage }, stallTimeout: maxOutage / 2 },
    });
}

test("the table of codes is whole", () => {
    const categories = Object.values(ib.ERROR_CODES).map(({ category }) => category);
    assert.deepEqual([...new Set(categories)].sort(), [...CATEGORIES].sort());
    assert.ok(CODES_WITH_CLASS.every((code) => code in ib.ERROR_CODES));
    assert.ok(Object.isFrozen(ib.ERROR_CODES) && Object.isFrozen(ib.FINDING_CODES));
});

test("a class has the name that it is exported by", () => {
    const classes = Object.entries(ib).filter(([, it]) => it.prototype instanceof Error);
    assert.ok(classes.length > 25);
    for (const [name, { name: own }] of classes) {
        assert.equal(own, name);
    }
});

test("an error is caught by its class in each way of Node", async () => {
    const missing = () => ib.discover(path.join(scratch(), "missing"));
    await assert.rejects(missing(), ib.NotFoundError);
    await assert.rejects(Promise.reject(await rejection(missing())), ib.NotFoundError);
    assert.ok((await rejection(missing().then(() => assert.fail()))) instanceof ib.NotFoundError);
    assert.ok((await missing().catch((error) => error)) instanceof ib.NotFoundError);
    const [settled] = await Promise.allSettled([missing()]);
    assert.ok(settled.reason instanceof ib.NotFoundError);
    await assert.rejects(async () => {
        for await (const event of missing()) {
            assert.ok(event instanceof ib.Event);
        }
    }, ib.NotFoundError);
    const any = await rejection(Promise.any([missing()]));
    assert.ok(any.errors[0] instanceof ib.NotFoundError);
});

test("a job that is awaited twice is rejected with the same error", async () => {
    const job = ib.discover(path.join(scratch(), "missing"));
    assert.equal(await rejection(job), await rejection(job));
});

test("an option that there is not is a TypeError, too", async () => {
    const error = await rejection(repository().backup(await core(), { nme: "n1" }));
    assert.ok(error instanceof ib.UnknownOptionError && error instanceof ib.UsageError);
    assert.ok(error instanceof TypeError);
    assert.ok(!((await rejection(ib.discover("s3://"))) instanceof TypeError));
    assert.ok(!(new TypeError("x") instanceof ib.UnknownOptionError));
});

test("the certificate of a violated proof is at the error", async () => {
    const error = await rejection(sources["not-consistent"](await Scratch.make()));
    assert.ok(error.certificate instanceof ib.Certificate && !error.certificate.holds);
    assert.deepEqual(error.certificate, error.report.certificate);
    assert.ok(error.findings.every((finding) => finding instanceof ib.Finding));
});

test("other errors have no certificate", async () => {
    const error = await rejection((await committed()).get("n2"));
    assert.deepEqual([error.certificate, error.hint, error.findings.length], [null, null, 0]);
});

test("causes are errors with the messages of the chain", async () => {
    const error = await rejection(away(100));
    assert.ok(error.report.causes.length > 0);
    assert.deepEqual(causes(error), [...error.report.causes]);
    assert.equal(error.cause.constructor, Error);
    assert.equal(error.cause.stack, `Error: ${error.cause.message}`, "and nothing of the package");
    assert.ok(inspect(error).includes(error.cause.message), inspect(error));
});

test("a shown error tells what is known of it", async () => {
    const location = path.join(scratch(), "missing");
    const error = await rejection(ib.discover(location));
    const shown = inspect(error);
    for (const part of ["NotFoundError", error.message, "location-not-found", "not_found", location, "at "]) {
        assert.ok(shown.includes(part), `${part} is not in ${shown}`);
    }
    assert.ok(String(error.report).includes(error.message));
});

test("the stack of an error has the call of the verb", async () => {
    async function caller() {
        return await ib.discover("/there/is/no/such/directory");
    }
    const { stack } = await rejection(caller());
    assert.match(stack, /caller|errors\.test\.mjs/);
});

test("no error has a credential", async () => {
    assertIsWhole(await rejection(away(100)), "unreachable", SECRET);
    for (const value of [[SECRET], { key: SECRET }, Buffer.from(SECRET), Symbol(SECRET), () => SECRET]) {
        assert.throws(
            () => new ib.Location("s3://bucket", { awsSecretAccessKey: value }),
            (error) => {
                assert.ok(error instanceof ib.UsageError && error.message.includes("awsSecretAccessKey"), error);
                return !inspect(error).includes(SECRET);
            },
        );
    }
});

test("no error shows what a value holds that is of the wrong kind", async () => {
    const secret = { awsSecretAccessKey: SECRET };
    const made = repository();
    const data = await core();
    const starts = [
        async () => new ib.Location(secret),
        async () => new ib.Location([SECRET]),
        async () => new ib.Repository(secret),
        async () => new ib.Location(data).contains(secret),
        () => made.backup(secret),
        () => made.backup(data, [SECRET]),
        () => made.backup(data, { signal: secret }),
        () => made.backup(data, { copier: secret }),
        () => made.backup(data, { copier: [secret] }),
        () => made.backup(data, { orchestrator: secret }),
        () => made.backup(data, { objectEvents: SECRET }),
        () => made.backup(data, { name: secret }),
        () => made.get(secret),
        () => made.restore(secret, data),
        () => made.remove(secret),
        () => ib.inventory(secret),
    ];
    for (const start of starts) {
        const error = await rejection(start());
        assert.ok(error instanceof TypeError || error instanceof ib.UsageError, inspect(error));
        assert.ok(!inspect(error).includes(SECRET), inspect(error));
    }
});

test("a message has the options of Node", async () => {
    const error = await rejection(repository().backup(await core(), { onExisting: "resume" }));
    assert.ok(error instanceof ib.UsageError);
    assert.ok(error.message.includes("onExisting") || error.message.includes("name"), error.message);
    assert.ok(!/[a-z]_[a-z]/.test(error.message), error.message);
});

test("an error goes through a message channel as far as Node lets it", async () => {
    const error = await rejection(ib.discover("/there/is/no/such/directory"));
    const { port1, port2 } = new MessageChannel();
    port1.postMessage({ error, report: error.report });
    const [received] = await once(port2, "message");
    port1.close();
    assert.ok(received.error instanceof Error);
    assert.equal(received.error.message, error.message);
    assert.equal(received.report.code, "location-not-found");
});
