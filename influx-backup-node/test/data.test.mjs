/** Data: each class can be shown, compared, spread, cloned, and written and read as JSON. */

import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";

import * as ib from "influx-backup";
import * as testing from "influx-backup/testing";

import { committed, core, pathOf, rejection, repository, scratch } from "./support/clusters.mjs";
import { CLASSES, documents, fieldsOf, isEvent } from "./support/documents.mjs";

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

const all = await documents();

/** Up to twenty values of a class. */
function valuesOf(name) {
    assert.ok(all[name], `no value of ${name}`);
    return all[name].slice(0, 20);
}

function read(name, json) {
    return (isEvent(name) ? ib.Event : CLASSES[name]).fromJSON(json);
}

/** Calls `look` with everything in a value. */
function walk(value, look, place = "") {
    look(value, place);
    if (value !== null && typeof value === "object" && !(value instanceof Date)) {
        for (const [name, item] of Array.isArray(value) ? value.entries() : fieldsOf(value)) {
            walk(item, look, `${place}.${name}`);
        }
    }
}

/** A value without its classes. */
function plain(value) {
    if (value === null || typeof value !== "object" || value instanceof Date) {
        return value;
    }
    return Array.isArray(value)
        ? value.map(plain)
        : Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item)]));
}

const NAMES = Object.keys(CLASSES).filter((name) => name !== "Event");

test("there are values of every class", () => {
    assert.ok(NAMES.length > 60, `${NAMES}`);
    assert.deepEqual(Object.keys(all).sort(), NAMES.sort());
});

for (const name of NAMES) {
    test(`${name} is written and read`, () => {
        for (const document of valuesOf(name)) {
            assert.equal(document.constructor, CLASSES[name]);
            const json = document.toJSON();
            assert.deepEqual(JSON.parse(JSON.stringify(document)), json, "the document is plain data");
            for (const again of [read(name, json), read(name, JSON.stringify(document))]) {
                assert.deepEqual(again, document);
                assert.deepEqual(again.toJSON(), json);
                assert.deepEqual(fieldsOf(again), fieldsOf(document));
            }
            assert.ok(
                Object.keys(json).every((key) => /^[a-z0-9_/.-]+$/i.test(key) && !/[a-z][A-Z]/.test(key)),
                name,
            );
        }
    });

    test(`${name} is shown`, () => {
        for (const document of valuesOf(name)) {
            const shown = inspect(document);
            assert.ok(shown.startsWith(name), shown);
            for (const field of Object.keys(document)) {
                assert.ok(shown.includes(field), `${field} is not in ${shown}`);
            }
            const text = String(document);
            assert.ok(text.trim() && !text.includes("[object"), text);
        }
    });

    test(`${name} has fields of its own, which are frozen`, () => {
        for (const document of valuesOf(name)) {
            walk(document, (value, place) => {
                if (value !== null && typeof value === "object" && !(value instanceof Date)) {
                    assert.ok(Object.isFrozen(value), `${name}${place}`);
                }
            });
            assert.throws(() => {
                document.other = 1;
            }, TypeError);
            const plain = { ...document };
            assert.deepEqual(Object.keys(plain), Object.keys(document));
            assert.ok(
                Object.keys(document).every((key) => /^[a-z][A-Za-z0-9]*$/.test(key)),
                `${Object.keys(document)}`,
            );
            assert.ok(Object.values(document).every((value) => typeof value !== "function" && value !== undefined));
        }
    });

    test(`${name} has times, numbers and texts of Node`, () => {
        for (const document of valuesOf(name)) {
            walk(document, (value, place) => {
                assert.notEqual(typeof value, "bigint", place);
                assert.notEqual(value, undefined, `${place}: what is missing is null`);
                if (typeof value === "number") {
                    assert.ok(Number.isSafeInteger(value) || /fraction|percent/i.test(place), `${place} is ${value}`);
                }
                if (value instanceof Date) {
                    assert.ok(Number.isFinite(value.getTime()), place);
                }
                assert.ok(typeof value !== "string" || !TIME.test(value), `${place} is a time as text`);
            });
            const json = document.toJSON();
            for (const [field, value] of fieldsOf(document)) {
                const written = json[field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)];
                if (value instanceof Date && written !== undefined) {
                    assert.equal(value.getTime(), Date.parse(written), field);
                }
            }
        }
    });

    test(`${name} is cloned`, () => {
        for (const document of valuesOf(name)) {
            const cloned = structuredClone(document);
            assert.notEqual(cloned, document);
            assert.deepEqual(plain(cloned), plain(document));
        }
    });

    test(`${name} is not made from something else`, () => {
        assert.throws(() => new CLASSES[name](), TypeError);
        const values = [
            "something else",
            "{",
            "",
            '"text"',
            "[1]",
            "null",
            "5",
            null,
            undefined,
            5,
            true,
            1n,
            Symbol("x"),
        ];
        for (const value of values) {
            assert.throws(
                () => CLASSES[name].fromJSON(value),
                (error) =>
                    error.code === "invalid-document" || (error instanceof TypeError && typeof value !== "string"),
                inspect(value),
            );
        }
    });
}

test("values that differ are not equal", () => {
    let compared = 0;
    // The documents of two identities differ in what is no field.
    const { Identity: _, ...others } = all;
    // A `Date` has milliseconds, a document has more.
    const cut = (value) => JSON.stringify(value).replace(/(\.\d{3})\d+Z/g, "$1Z");
    for (const [one, ...rest] of Object.values(others)) {
        const other = rest.find((candidate) => cut(candidate) !== cut(one));
        if (other !== undefined) {
            assert.notDeepStrictEqual(one, other);
            compared += 1;
        }
    }
    assert.ok(compared > 20);
});

test("a class of events reads events", () => {
    const [event] = all.StageStarted;
    assert.deepEqual(ib.Event.fromJSON(event.toJSON()), event);
    for (const [name, events] of Object.entries(all).filter(([name]) => isEvent(name))) {
        const [{ kind }] = events;
        assert.ok(
            events.every((one) => one.kind === kind && one instanceof ib.Event && one.at instanceof Date),
            name,
        );
    }
});

test("a finding has the severity of its code", () => {
    for (const finding of all.Finding) {
        const { severity, meaning } = ib.FINDING_CODES[finding.code];
        assert.equal(finding.severity, severity);
        assert.ok(meaning);
    }
});

test("what is no document names its class", () => {
    assert.throws(() => ib.BackupReport.fromJSON("{}"), /^UsageError: .*BackupReport/);
});

test("a document of hostile keys changes no prototype", () => {
    const json = JSON.stringify(all.BackupReport[0]).replace("{", '{"__proto__":{"polluted":1},');
    try {
        ib.BackupReport.fromJSON(json);
    } catch (error) {
        assert.ok(error instanceof ib.UsageError);
    }
    assert.equal({}.polluted, undefined);
});

test("a number that is not safe is an error", () => {
    const json = { ...all.BackupReport[0].toJSON() };
    const text = JSON.stringify(json).replace(/"objects":\d+/, `"objects":${2n ** 60n}`);
    assert.notEqual(text, JSON.stringify(json));
    const message = /^`objects` of BackupReport: 1152921504606846976 is larger than Number\.MAX_SAFE_INTEGER/;
    assert.throws(() => ib.BackupReport.fromJSON(text), { name: "RangeError", message });
});

test("the largest safe integer is a number, and the next one is an error", () => {
    const [largest, next] = ["9007199254740991", "9007199254740992"].map(
        (size) => `{"key":"a","size":${size},"version":{"e_tag":null,"id":null,"modified":"2026-01-01T00:00:00Z"}}`,
    );
    assert.equal(ib.ObjectMeta.fromJSON(largest).size, Number.MAX_SAFE_INTEGER);
    const message = /^`size` of ObjectMeta: 9007199254740992 is larger than/;
    assert.throws(() => ib.ObjectMeta.fromJSON(next), { name: "RangeError", message });
});

test("a field that throws lets fromJSON throw", () => {
    const document = {
        get name() {
            throw new RangeError("mine");
        },
    };
    assert.throws(() => ib.BackupReport.fromJSON(document), { message: /mine/ });
    const cyclic = {};
    cyclic.name = cyclic;
    assert.throws(
        () => ib.BackupReport.fromJSON(cyclic),
        (error) => error instanceof Error,
    );
});

test("a listing is made at its first use, once", () => {
    const [listing] = all.Listing;
    assert.equal(listing.entries, listing.entries);
    assert.ok(Object.isFrozen(listing.entries) && listing.entries[0] instanceof ib.ObjectMeta);
    const [stage] = all.Stage;
    assert.equal(stage.keys, stage.keys);
    assert.ok(Object.isFrozen(stage.keys));
});

test("recovery points are by the ids of nodes", () => {
    const [report] = all.BackupReport;
    const { compactor01, ...ingesters } = report.recoveryPoints;
    assert.ok(compactor01 instanceof ib.RecoveryTimes);
    assert.deepEqual(Object.keys(ingesters).sort(), ["ingester01", "ingester02"]);
    for (const times of Object.values(ingesters)) {
        assert.ok(times instanceof ib.RecoveryTimes && times.reached instanceof Date);
    }
});

test("locations are data", async () => {
    const directory = scratch();
    const location = new ib.Location(directory);
    const others = [`file://${directory}`, `${directory}/`, pathToFileURL(directory), location];
    for (const same of others.map((place) => new ib.Location(place))) {
        assert.ok(same.equals(location) && location.equals(same));
        assert.equal(String(same), String(location));
    }
    for (const other of [new ib.Location(path.dirname(directory)), location.child("x")]) {
        assert.equal(location.equals(other), false);
    }
    assert.equal(String(location), pathToFileURL(directory).href);
    assert.ok(location.child("x").parent.equals(location));
    assert.deepEqual([location.provider, location.name], ["file", path.basename(directory)]);
    assert.ok(location.contains(location.child("x/y")) && location.contains(location));
    assert.equal(location.child("x").contains(location), false);
    assert.ok(location.identity instanceof ib.Identity);
    assert.ok(inspect(location).includes(String(location)), inspect(location));
    assert.equal(new ib.Location("/").parent, null);
    const spaced = path.join(directory, "a b%20ü#?");
    assert.equal(pathOf(new ib.Location(spaced)), spaced);
});

test("what is no location is refused", () => {
    const location = new ib.Location("/tmp");
    for (const other of [null, undefined, {}, 5]) {
        assert.throws(() => location.contains(other), TypeError);
        assert.equal(location.equals(other), false);
    }
    for (const tail of [5, null, undefined, {}]) {
        assert.throws(
            () => location.child(tail),
            (error) => error instanceof TypeError || error instanceof ib.UsageError,
        );
    }
    for (const place of [5, null, undefined, {}, [], new URL("http://localhost/"), Symbol("x"), () => "/tmp", ""]) {
        assert.throws(
            () => new ib.Location(place),
            (error) => error instanceof TypeError || error instanceof ib.UsageError,
            inspect(place),
        );
    }
    for (const options of [5, "x", []]) {
        assert.throws(
            () => new ib.Location("s3://bucket", options),
            (error) => error instanceof TypeError || error instanceof ib.UsageError,
        );
    }
    assert.throws(() => new ib.Location(location, { awsRegion: "x" }), TypeError);
    assert.throws(() => ib.Location("/tmp"), TypeError);
});

test("options of a location are not shown", () => {
    const options = { awsRegion: "eu-central-1", awsAccessKeyId: "a-key", awsSecretAccessKey: "a-secret-key" };
    const location = new ib.Location("s3://bucket/a", options);
    assert.ok(location.equals(new ib.Location("s3://bucket/a", { ...options, awsSecretAccessKey: "another" })));
    assert.ok(!location.equals(new ib.Location("s3://bucket/a", { ...options, awsEndpoint: "https://other.example" })));
    const shown = [inspect(location, { showHidden: true, depth: 9 }), JSON.stringify(location), String(location)];
    const cloned = inspect({ ...location });
    for (const text of [...shown, cloned, inspect(new ib.Repository(location), { showHidden: true, depth: 9 })]) {
        assert.ok(!text.includes("a-secret-key") && !text.includes("a-key"), text);
    }
});

test("clusters and backups are shown and compared", async () => {
    const cluster = await ib.discover(await core());
    assert.deepEqual(cluster.toJSON(), (await ib.discover(await core())).toJSON());
    assert.deepEqual(cluster.toJSON(), cluster.description.toJSON());
    assert.deepEqual(
        cluster.nodes.map(({ id, roles }) => [id, [...roles]]),
        [["node01", ["data"]]],
    );
    assert.ok(inspect(cluster).startsWith("Cluster"), inspect(cluster));
    assert.ok(cluster.location.equals(new ib.Location(await core())));
    const made = await committed();
    const backup = await made.get("n1");
    assert.equal(backup.name, "n1");
    assert.ok(backup.location.parent.equals(made.location));
    assert.ok(inspect(backup).startsWith("Backup"), inspect(backup));
    const { key } = backup.objects[0];
    assert.deepEqual(backup.object(key), backup.objects[0]);
    assert.equal(backup.object("no/such/object"), null);
});

test("a repository is shown by its place", async () => {
    const made = repository();
    assert.ok(inspect(made).includes(String(made.location)), inspect(made));
    assert.ok(made.location instanceof ib.Location);
    assert.equal(await made.marker(), null);
    assert.throws(() => ib.Repository("/tmp"), TypeError);
});

test("the same seed makes the same values", async () => {
    const make = (seed) => testing.generate(path.join(scratch(), "data"), { snapshots: 2, fileSize: 512, seed });
    const [one, same, other] = await Promise.all([make(1), make(1), make(2)]);
    assert.deepEqual(one, same);
    assert.notDeepStrictEqual(one, other);
});

test("an event of a failure has the report of the error", async () => {
    const job = (await committed()).backup(await core(), { name: "n1" });
    const events = [];
    try {
        for await (const event of job) {
            events.push(event);
        }
    } catch (error) {
        assert.deepEqual(events.at(-1).error, error.report);
    }
    assert.ok((await rejection(job)) instanceof ib.BackupExistsError);
});
