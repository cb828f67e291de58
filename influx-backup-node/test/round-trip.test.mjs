/** Backup, list, verify, plan, restore and certify, on files. */

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";

import * as ib from "influx-backup";
import { generate } from "influx-backup/testing";

import { beforeACopy, stop } from "./situations/scratch.mjs";
import {
    committed,
    core,
    enterprise,
    files,
    first,
    pathOf,
    paths,
    rejection,
    repository,
    scratch,
    whole,
} from "./support/clusters.mjs";

for (const [edition, cluster] of Object.entries({ core, enterprise })) {
    test(`a cluster comes back: ${edition}`, async () => {
        const data = await cluster();
        const before = files(data);
        const target = path.join(scratch(), "restored");
        const made = repository();

        const report = await made.backup(data, { name: "n1" });
        assert.deepEqual([report.name, report.status, report.certificate.isProven], ["n1", "complete", true]);
        assert.ok(report.began <= report.committed && report.committed <= new Date());
        const [summary, ...others] = await made.list();
        assert.deepEqual([summary.name, summary.state, summary.objects], ["n1", "complete", report.objects]);
        assert.equal(others.length, 0);
        assert.equal((await made.get("n1")).sha256, report.manifestSha256);
        const verified = await made.verify("n1", { level: "bytes" });
        assert.deepEqual([verified.ok, verified.read], [true, report.objects]);

        const plan = await made.planRestore("n1", target);
        assert.equal(fs.existsSync(target) && paths(target).length > 0, false, "a plan writes nothing");
        const restored = await made.restore(plan);
        assert.equal(restored.objects, report.objects);
        assert.equal((await ib.certify(target)).isProven, true);
        assert.deepEqual(files(target), whole(data));
        assert.deepEqual(files(data), before, "the source is only read");
    });
}

test("a restore replaces what was damaged", async () => {
    const made = await committed();
    const target = path.join(scratch(), "restored");
    await made.restore(await made.planRestore("n1", target));
    const before = files(target);
    const newer = path.join(path.dirname(first(target, ".wal")), "00000009999.wal");
    fs.writeFileSync(newer, "newer");

    const plan = await made.planRestore("n1", target, { policy: "replace" });
    assert.ok(plan.deletions.some((key) => key.endsWith("00000009999.wal")));
    const refused = await rejection(made.restore(plan));
    assert.ok(refused instanceof ib.RefusedError);
    assert.equal(refused.code, "servers-not-stopped");
    await made.restore(plan, { serversStopped: true });
    assert.deepEqual(files(target), before);
});

test("a plan is restored as itself, as a document, and by its hash", async () => {
    const made = await committed();
    const target = path.join(scratch(), "restored");
    const plan = await made.planRestore("n1", target);
    const kept = ib.RestorePlan.fromJSON(JSON.stringify(plan));
    assert.equal(kept.hash, plan.hash);
    assert.equal((await made.restore(kept)).objects, plan.objects);
    const again = await made.planRestore("n1", target, { policy: "replace" });
    assert.equal((await made.restore(again, target, { serversStopped: true })).objects, again.objects);
    const options = { policy: "replace", serversStopped: true };
    const third = await made.planRestore("n1", target, { policy: "replace" });
    assert.equal((await made.restore("n1", target, { ...options, approvedHash: third.hash })).backup, "n1");
    const changed = await rejection(made.restore("n1", target, { ...options, approvedHash: "0".repeat(64) }));
    assert.ok(changed instanceof ib.PlanChangedError, changed);
    const elsewhere = await rejection(made.restore(third, path.join(scratch(), "other"), { serversStopped: true }));
    assert.ok(elsewhere instanceof ib.PlanChangedError, elsewhere);
});

test("a dry run is text", async () => {
    const made = await committed();
    const text = String(await made.planRestore("n1", path.join(scratch(), "restored")));
    assert.match(text, /^Restore of .*from backup n1 to file:\/\//s);
    assert.match(text, /0 objects are overwritten, 0 deleted/);
    const plan = await made.planBackup(await core());
    assert.ok(String(plan).includes(`plan ${plan.hash}`) && String(plan).includes("WAL fence"));
});

test("verify finds what is wrong", async () => {
    const made = repository();
    await made.backup(await core(), { name: "n1" });
    const parquet = first(path.join(pathOf(made.location), "n1"), ".parquet");
    const damaged = fs.readFileSync(parquet);
    damaged[damaged.length >> 1] ^= 1;
    fs.writeFileSync(parquet, damaged);
    const report = await made.verify("n1", { level: "bytes" });
    assert.equal(report.ok, false);
    assert.deepEqual(
        report.problems.map(({ code, severity }) => [code, severity]),
        [["wrong-bytes", "error"]],
    );
});

test("leftovers are removed", async () => {
    const made = repository();
    await rejection(made.backup(await core(), { name: "n1", copier: beforeACopy(stop) }));
    const [leftover, ...others] = await made.leftovers();
    assert.deepEqual([leftover.name, leftover.kind, others.length], ["n1", "unfinished", 0]);
    await made.remove(leftover);
    assert.deepEqual([...(await made.leftovers())], []);
});

test("a restore that was stopped is inspected and abandoned", async () => {
    const made = await committed();
    const target = path.join(scratch(), "restored");
    await rejection(made.restore("n1", target, { copier: beforeACopy(stop) }));
    const { unfinished } = await ib.inspect(target);
    assert.ok(unfinished instanceof ib.UnfinishedRestore && unfinished.backup);
    assert.ok((await ib.abandon(target)) instanceof ib.AbandonReport);
    assert.equal((await ib.inspect(target)).unfinished, null);
    await made.restore("n1", target);
    assert.ok((await ib.certify(target)).isProven);
});

test("a report has recovery points", async () => {
    const report = await repository().backup(await core(), { name: "n1" });
    const points = Object.values(report.recoveryPoints);
    assert.ok(points.length === 1 && points[0].reached instanceof Date);
});

for (const edition of ["core", "enterprise"]) {
    for (const catalog of ["v1", "v2", "v3"]) {
        test(`a made-up cluster comes back: ${edition} ${catalog}`, async () => {
            const data = path.join(scratch(), "data");
            const target = path.join(scratch(), "restored");
            const made = await generate(data, { edition, catalog, snapshots: 3, fileSize: "2KiB", seed: 5 });
            const sizes = Object.fromEntries(
                paths(data).map((name) => [name, fs.statSync(path.join(data, name)).size]),
            );
            assert.deepEqual({ ...made.objects }, sizes);
            assert.equal(
                made.bytes,
                Object.values(sizes).reduce((sum, size) => sum + size),
            );
            const cluster = await ib.discover(data);
            assert.deepEqual([cluster.edition, cluster.id], [edition, made.catalogOwner]);
            assert.deepEqual(cluster.nodes.map(({ id }) => id).sort(), [...made.registered].sort());

            const backups = repository();
            const report = await backups.backup(cluster, { name: "n1", derived: "include" });
            assert.deepEqual([report.status, report.objects], ["complete", Object.keys(sizes).length]);
            await backups.restore("n1", target, { licenses: "restore" });
            assert.deepEqual(files(target), files(data));
            const certificate = await ib.certify(target);
            assert.ok(certificate.isProven);
            assert.equal(certificate.catalogSequence, made.catalogSequence);
            assert.ok(
                Object.keys(made.nodes).every((node) => certificate.recoveryPoints[node].reached instanceof Date),
            );
        });
    }
}

test("a made-up cluster is only written where nothing is", async () => {
    await assert.rejects(generate(await core()), ib.UsageError);
});
