/** Places that lack something, hold something else, or cannot be read as a whole. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";

import * as ib from "influx-backup";

import {
    committed,
    copyOf,
    core,
    enterprise,
    first,
    pathOf,
    rejection,
    repository,
    scratch,
} from "./support/clusters.mjs";
import { optionsOf, serve } from "./support/in-process-s3.mjs";

test("a report has what a directory can do", async () => {
    const made = repository();
    const report = await made.backup(await core(), { name: "n1" });
    const target = path.join(scratch(), "restored");
    const restored = await made.restore("n1", target);
    const replaced = await made.restore("n1", target, { policy: "replace", serversStopped: true });
    for (const { abilities } of [report, restored, replaced]) {
        assert.ok(abilities instanceof ib.Abilities);
        assert.deepEqual([abilities.synced, abilities.times, abilities.inodes], ["all", "kept", "stable"]);
        assert.ok(["hard_link", "rename_no_replace"].includes(abilities.createOnly));
        assert.ok(String(abilities).includes(abilities.createOnly));
    }
    const { abilities: _, ...without } = report.toJSON();
    assert.equal(ib.BackupReport.fromJSON(without).abilities, null, "a report of an earlier release");
});

test("what is no file is passed over", async () => {
    const data = copyOf(await core());
    execFileSync("mkfifo", [path.join(data, "pipe")]);
    assert.deepEqual(
        (await ib.discover(data)).notes.map(({ code }) => code),
        ["passed-over"],
    );
    const made = repository();
    const passed = (findings) => findings.map(({ code }) => code).filter((code) => code === "passed-over");
    assert.deepEqual(passed((await made.planBackup(data)).findings), ["passed-over"]);
    const found = [];
    const job = made.backup(data, { name: "n1" });
    for await (const event of job) {
        if (event.kind === "finding" && event.finding.code === "passed-over") found.push(event.finding.severity);
    }
    assert.deepEqual([(await job).status, found], ["complete", ["info"]]);
    execFileSync("mkfifo", [pathOf(made.location, "n1/pipe")]);
    const target = path.join(scratch(), "restored");
    for (const answer of [
        await made.verify("n1"),
        await made.certify("n1"),
        await made.planRestore("n1", target),
        await made.restore("n1", target),
    ]) {
        assert.deepEqual(passed(answer.findings), ["passed-over"], answer.constructor.name);
    }
});

test("a node that is excluded is not looked at", async () => {
    const data = copyOf(await enterprise());
    const { id } = (await ib.discover(data)).nodes.find(({ roles }) => !roles.includes("compactor"));
    fs.rmSync(path.join(data, id, "wal"), { recursive: true });
    // What cannot be copied, where it is looked at.
    execFileSync("mkfifo", [path.join(data, id, "wal")]);
    const made = repository();
    const error = await rejection(made.backup(data, { name: "n1" }));
    assert.equal(error.code, "link", inspect(error));
    const passed = ({ findings }) => findings.filter(({ code }) => code === "passed-over");
    assert.deepEqual(passed(error.report), []);
    assert.deepEqual(passed(await made.backup(data, { name: "n2", excludedNodes: [id] })), []);
});

test("a directory of a target that is a link is followed where that is wanted", async () => {
    const made = await committed();
    const [target, volume] = [path.join(scratch(), "restored"), path.join(scratch(), "volume")];
    await made.restore("n1", target);
    const wal = path.dirname(first(target, ".wal"));
    fs.renameSync(wal, volume);
    fs.symlinkSync(volume, wal);
    const error = await rejection(made.planRestore("n1", target, { policy: "replace" }));
    assert.equal(error.code, "link", inspect(error));
    assert.deepEqual(
        error.hints.map(({ option, value }) => [option, value]),
        [["linkedDirectories", "follow"]],
    );
    fs.unlinkSync(path.join(volume, fs.readdirSync(volume)[0]));
    const plan = await made.planRestore("n1", target, { policy: "replace", linkedDirectories: "follow" });
    assert.equal((await made.restore(plan, { serversStopped: true })).objects, plan.objects);
    assert.ok(fs.lstatSync(wal).isSymbolicLink());
    const outside = await rejection(ib.certify(target));
    assert.deepEqual(
        outside.hints.map(({ option, value }) => [option, value]),
        [["fileLinks", "anywhere"]],
    );
    assert.ok((await ib.certify(new ib.Location(target, { fileLinks: "anywhere" }))).isProven);
});

/** A copier that cannot read Parquet files, and leaves the rest to the next. */
const unreadable = {
    copy(request) {
        if (!request.sourceKey.endsWith(".parquet")) throw new ib.Unsupported("the next copier does it");
        throw Object.assign(new ib.CopyError("a bad sector"), { copyCode: "object-unreadable" });
    },
};

test("a backup goes on without objects that cannot be read where that is wanted", async () => {
    const made = repository();
    const data = await core();
    const copier = [unreadable, ...ib.defaultCopiers()];
    const error = await rejection(made.backup(data, { name: "n1", copier }));
    assert.equal(error.code, "object-unreadable", inspect(error));
    assert.deepEqual(
        error.hints.map(({ option, value }) => [option, value]),
        [["onUnreadable", "record"]],
    );
    const report = await made.backup(data, { name: "n2", copier, onUnreadable: "record" });
    assert.deepEqual([report.status, report.certificate.isProven], ["degraded", false]);
    const { verdict, violations } = report.certificate.clauses.find(({ clause }) => clause === "C6");
    assert.deepEqual(
        [verdict, new Set(violations.map(({ code }) => code))],
        ["violated", new Set(["unreadable-object"])],
    );
    assert.ok(report.findings.some(({ code }) => code === "unreadable-object"));
    const recorded = (await made.get("n2")).manifest.toJSON().attested.unreadable;
    assert.deepEqual(recorded.map(({ key }) => key).sort(), violations.map(({ key }) => key).sort());
    assert.deepEqual([...new Set(recorded.map(({ code }) => code))], ["object-unreadable"]);
});

for (const awsAccessKeyId of ["key\n", ' "key"', "key "]) {
    test(`a credential with what none has is refused before a request: ${inspect(awsAccessKeyId)}`, () => {
        assert.throws(
            () => new ib.Location("s3://bucket", { awsAccessKeyId, awsSecretAccessKey: "x" }),
            ({ code, message, report }) =>
                code === "invalid-option" && message.includes("`awsAccessKeyId`") && !("origin" in report.context),
        );
    });
}

test("a value of the environment is named by its variable", () => {
    process.env.AWS_ACCESS_KEY_ID = "key\n";
    try {
        assert.throws(
            () => new ib.Location("s3://bucket"),
            ({ code, report }) =>
                code === "invalid-option" && report.context.origin === "the environment variable AWS_ACCESS_KEY_ID",
        );
    } finally {
        delete process.env.AWS_ACCESS_KEY_ID;
    }
});

test("a store without conditional writes takes backups of one writer", async () => {
    const store = await serve(scratch());
    try {
        const data = await core();
        const options = optionsOf(store.endpoint);
        const error = await rejection(new ib.Repository("s3://bucket", options).backup(data, { name: "n1" }));
        assert.equal(error.code, "store-unsupported", inspect(error));
        assert.deepEqual(
            error.hints.map(({ option }) => option),
            ["objectStoreSingleWriter"],
        );
        const made = new ib.Repository("s3://bucket", { ...options, objectStoreSingleWriter: true });
        const { abilities, findings } = await made.backup(data, { name: "n1" });
        assert.deepEqual({ ...abilities }, { createOnly: "single_writer", synced: null, times: null, inodes: null });
        assert.ok(findings.some(({ code }) => code === "single-writer"));
        assert.ok((await made.verify("n1", { level: "bytes" })).ok);
    } finally {
        await store.close();
    }
});
