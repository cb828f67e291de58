/** Recorded servers are found, backed up, certified and restored byte for byte. */

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";

import * as ib from "influx-backup";

import { files, repository, scratch, whole } from "./support/clusters.mjs";
import { expected, unpack } from "./support/recordings.mjs";

const TRACES = ["trace-3.3.0", "trace-3.6.0", "trace-3.10.1", "trace-3.10.1-wal-holes"];
const STORES = ["core-3.3.0", "core-3.6.0", "core-3.10.1", "core-upgraded-3.3-3.6-3.10", "core-3.10.1-wal-hole"];

test("every recording is tested", (t) => {
    const known = expected(t);
    if (known) {
        assert.deepEqual(Object.keys(known).sort(), [...STORES].sort());
    }
});

for (const name of STORES) {
    test(`a recorded server is discovered: ${name}`, async (t) => {
        const known = expected(t)?.[name];
        if (!known) {
            return;
        }
        const data = unpack(name);
        const cluster = await ib.discover(data);
        const { description } = cluster;
        assert.deepEqual([description.edition, description.id], [known.edition, known.node]);
        assert.deepEqual(
            description.nodes.map(({ id, roles }) => [id, [...roles]]),
            [[known.node, ["data"]]],
        );
        assert.deepEqual(
            description.catalogs.map((it) => it.generation),
            Object.keys(known.catalogs),
        );
        const live = description.catalogs.filter((it) => it.state === "live");
        assert.deepEqual(
            live.map((it) => it.generation),
            [known.catalog_generation],
        );
        for (const nothing of ["foreign", "unknown", "unclaimedNodes", "notes"]) {
            assert.deepEqual([...description[nothing]], [], nothing);
        }
        const { listings } = await ib.inventory(cluster);
        const keys = listings.flatMap((listing) => listing.entries.map((meta) => meta.key));
        assert.deepEqual(keys.sort(), Object.keys(files(data)).sort());
    });

    test(`a recorded server comes back: ${name}`, async (t) => {
        const known = expected(t)?.[name];
        if (!known) {
            return;
        }
        const data = unpack(name);
        const target = path.join(scratch(), "restored");
        const before = files(data);
        const made = repository();

        const report = await made.backup(data, { name: "n1" });
        assert.equal(report.status, "complete");
        assert.equal(report.passes.length, 1, "a stopped store takes one pass");
        const [point, ...others] = report.certificate.recovery;
        assert.equal(others.length, 0);
        assert.equal(point.reached.wal, known.recovery_wal);
        assert.equal(point.guaranteed.snapshot, known.last_snapshot);
        assert.deepEqual(report.recoveryPoints[point.node].reached, point.reached.time);
        assert.ok((await made.verify("n1", { level: "bytes" })).ok);

        const restored = await made.restore(await made.planRestore("n1", target));
        assert.deepEqual(restored.recoveryPoints, report.recoveryPoints);
        assert.deepEqual(files(target), whole(data));
        assert.deepEqual(files(data), before, "the source is only read");

        assert.ok((await made.certify("n1")).isProven);
        assert.ok((await ib.certify(await made.get("n1"))).isProven);
        const certificate = await ib.certify(data);
        assert.ok(certificate.holds);
        // Whether a number of the WAL was burned or lost only a run that looked for it can tell.
        assert.equal(certificate.isProven, !name.includes("wal-hole"));
    });
}

/** Writes what a server had in its store after this part of a trace. */
function replay(trace, data, part) {
    const operations = fs.readFileSync(path.join(trace, "ops.jsonl"), "utf8").trim().split("\n").map(JSON.parse);
    for (const operation of operations.slice(0, Math.trunc(operations.length * part))) {
        const file = path.join(data, operation.path);
        if (operation.op === "put") {
            fs.mkdirSync(path.dirname(file), { recursive: true });
            fs.copyFileSync(path.join(trace, "blobs", operation.blob), file);
        } else {
            fs.unlinkSync(file);
        }
    }
}

for (const name of TRACES) {
    for (const part of [0.5, 1]) {
        test(`what a live server had comes back: ${name}, ${part * 100} %`, async (t) => {
            if (!expected(t)) {
                return;
            }
            const data = path.join(scratch(), "data");
            const target = path.join(scratch(), "restored");
            replay(unpack(name), data, part);
            const made = repository();
            assert.equal((await made.backup(data, { name: "n1" })).status, "complete");
            await made.restore("n1", target);
            assert.deepEqual(files(target), whole(data));
            assert.ok((await ib.certify(target)).holds);
        });
    }
}
