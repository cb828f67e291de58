/** A job is a promise of a verb's result and an iterable of its events. */

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";

import * as ib from "influx-backup";

import { EXPRESS, withBrokenSession } from "./situations/stores.mjs";
import { committed, core, first, rejection, repository, SLOW, scratch, until } from "./support/clusters.mjs";

async function eventsOf(job) {
    const events = [];
    for await (const event of job) {
        events.push(event);
    }
    return events;
}

test("a job is iterated and awaited", async () => {
    const job = repository().backup(await core(), { name: "n1" });
    const events = await eventsOf(job);
    assert.deepEqual(
        events.map((event) => event.seq),
        events.map((_, index) => index + 1),
    );
    assert.ok(events.every((event) => event instanceof ib.Event));
    assert.ok(events.at(-1) instanceof ib.Finished && events.at(-1).error === null);
    assert.equal(events.filter((event) => event instanceof ib.Finished).length, 1);
    assert.equal((await job).status, "complete");
    assert.equal(job.isFinished, true);
});

test("a job is awaited as often as wanted", async () => {
    const job = repository().backup(await core(), { name: "n1" });
    const [first, second] = await Promise.all([job, job]);
    assert.ok(first instanceof ib.BackupReport);
    assert.equal(first, second);
    assert.equal(await job, first);
    assert.equal(await job.then((report) => report), first);
});

test("every verb returns a job", async () => {
    const data = await core();
    const made = repository();
    const jobs = {
        discover: ib.discover(data),
        certify: ib.certify(data),
        planBackup: made.planBackup(data),
        backup: made.backup(data, { name: "n1" }),
    };
    await jobs.backup;
    const target = path.join(scratch(), "target");
    Object.assign(jobs, {
        inventory: ib.inventory(await jobs.discover),
        verify: ib.verify(made.location.child("n1")),
        inspect: ib.inspect(target),
        list: made.list(),
        get: made.get("n1"),
        certifyOne: made.certify("n1"),
        verifyOne: made.verify("n1"),
        planRestore: made.planRestore("n1", target),
        leftovers: made.leftovers(),
    });
    Object.assign(jobs, { restore: made.restore(await jobs.planRestore) });
    const classes = {
        discover: ib.Cluster,
        certify: ib.Certificate,
        planBackup: ib.BackupPlan,
        backup: ib.BackupReport,
        inventory: ib.Inventory,
        verify: ib.VerifyReport,
        inspect: ib.Target,
        list: Array,
        get: ib.Backup,
        certifyOne: ib.Certificate,
        verifyOne: ib.VerifyReport,
        planRestore: ib.RestorePlan,
        leftovers: Array,
        restore: ib.RestoreReport,
    };
    for (const [name, job] of Object.entries(jobs)) {
        assert.ok(job instanceof ib.Job && job instanceof Promise, name);
        assert.ok((await job) instanceof classes[name], name);
    }
    for (const list of [await jobs.list, await jobs.leftovers]) {
        assert.ok(Object.isFrozen(list));
    }
});

test("what follows a job is a plain promise", async () => {
    const job = ib.discover(await core());
    for (const promise of [job.then(() => 1), job.catch(() => 1), job.finally(() => 1)]) {
        assert.equal(promise.constructor, Promise);
        await promise;
    }
});

test("a promise takes a job as one of its own", async () => {
    const data = await core();
    const [first, second] = await Promise.all([ib.discover(data), Promise.race([ib.discover(data)])]);
    assert.equal(first.edition, "core");
    assert.equal(second.id, first.id);
    assert.equal((await Promise.resolve(ib.discover(data))).id, first.id);
});

test("no verb throws", async () => {
    const made = repository();
    const starts = {
        "no place": () => ib.discover(),
        "a number as a place": () => ib.discover(5),
        "null as a place": () => made.backup(null),
        "an array as options": async () => made.backup(await core(), []),
        "a text as options": async () => made.backup(await core(), "n1"),
        "a number as a name": () => made.get(5),
        "no name": () => made.verify(),
        "no cluster": () => ib.inventory({}),
        "a class as a copier": async () => made.backup(await core(), { copier: Map }),
        "no leftover": () => made.remove({}),
        "a plan that is none": () => made.restore({}),
        "no target": () => made.restore("n1"),
    };
    for (const [what, start] of Object.entries(starts)) {
        let job;
        assert.doesNotThrow(() => (job = start()), what);
        const error = await rejection(job);
        assert.ok(error instanceof TypeError || error instanceof ib.InfluxBackupError, `${what}: ${inspect(error)}`);
        assert.ok(error.message, what);
    }
    assert.equal(fs.existsSync(path.dirname(String(made.location))), false, "nothing was started");
});

test("a failed job throws out of the loop, once", async () => {
    const job = (await committed()).backup(await core(), { name: "n1" });
    const events = [];
    await assert.rejects(async () => {
        for await (const event of job) {
            events.push(event);
        }
    }, ib.BackupExistsError);
    const finished = events.at(-1);
    assert.ok(finished instanceof ib.Finished && finished.error instanceof ib.ErrorReport);
    assert.equal(finished.error.code, "backup-exists");
    const error = await rejection(job);
    assert.ok(error instanceof ib.BackupExistsError);
    assert.deepEqual(error.report, finished.error);
});

test("a panic ends its job alone", async () => {
    await withBrokenSession(async (options) => {
        const job = ib.certify(new ib.Location(EXPRESS, options));
        await assert.rejects(eventsOf(job), ib.InternalError);
        const error = await rejection(job);
        assert.equal(error.code, "internal");
        assert.ok(
            error.report.causes.some((cause) => cause.includes("panicked")),
            inspect(error),
        );
    });
    assert.ok((await ib.certify(await core())).holds);
});

test("a job that fails at once throws out of the loop, too", async () => {
    const job = repository().backup(await core(), { nme: "n1" });
    await assert.rejects(eventsOf(job), ib.UnknownOptionError);
});

test("a second loop gets what the first left", async () => {
    const job = repository().backup(await core(), { name: "n1" });
    const events = [];
    for await (const event of job) {
        events.push(event);
        if (events.length === 2) {
            break;
        }
    }
    assert.equal((await job).status, "complete", "the job goes on after `break`");
    events.push(...(await eventsOf(job)));
    assert.ok(events.at(-1) instanceof ib.Finished);
    assert.deepEqual(await eventsOf(job), []);
    assert.deepEqual(
        events.map((event) => event.seq),
        events.map((_, index) => index + 1),
    );
});

test("an iterator may be asked without a loop, for many events at once", async () => {
    const job = repository().backup(await core(), { name: "n1" });
    const iterator = job[Symbol.asyncIterator]();
    const [first, second] = await Promise.all([iterator.next(), iterator.next()]);
    assert.deepEqual([first.done, first.value.seq, second.done, second.value.seq], [false, 1, false, 2]);
    assert.equal((await iterator.return()).done, true);
    assert.equal((await job).status, "complete");
});

test("two loops share the events", async () => {
    const job = repository().backup(await core(), { name: "n1" });
    const [one, other] = await Promise.all([eventsOf(job), eventsOf(job)]);
    const numbers = [...one, ...other].map((event) => event.seq);
    assert.deepEqual(new Set(numbers).size, numbers.length, "each event is seen once");
    assert.equal([...one, ...other].filter((event) => event instanceof ib.Finished).length, 1);
});

test("progress and findings are those of now", async () => {
    const job = repository().backup(await core(), { name: "n1", limits: SLOW });
    assert.ok(job.progress instanceof ib.Progress);
    assert.equal(job.isFinished, false);
    await until(() => job.progress.bytes > 0, "progress");
    assert.equal(job.progress.phase, "copying");
    assert.ok(job.progress.totalBytes > job.progress.bytes);
    assert.ok(Array.isArray(job.findings) && Object.isFrozen(job.findings));
    assert.ok(inspect(job).includes("Job"));
    job.cancel();
    await rejection(job);
    assert.equal(job.isFinished, true);
});

test("findings are those of the report", async () => {
    const target = path.join(scratch(), "target");
    await (await committed()).restore("n1", target);
    fs.writeFileSync(path.join(target, "mine.txt"), "mine");
    const job = (await committed()).restore("n1", target, { policy: "replace", serversStopped: true });
    const { findings, todos } = await job;
    assert.deepEqual([...job.findings], [...findings, ...todos]);
    assert.ok(findings.some((finding) => finding.code === "kept-entries" && finding.message.includes("mine.txt")));
    assert.ok(job.findings.every((finding) => finding instanceof ib.Finding && finding.code in ib.FINDING_CODES));
});

test("a job can be cancelled", async () => {
    const made = repository();
    const job = made.backup(await core(), { name: "n1", limits: SLOW });
    await until(() => job.progress.bytes > 0, "progress");
    const began = performance.now();
    assert.equal(job.cancel(), undefined);
    job.cancel();
    const error = await rejection(job);
    assert.ok(performance.now() - began < 1000);
    assert.ok(error instanceof ib.CancelledError);
    assert.deepEqual([error.name, error.code, error.category], ["AbortError", "cancelled", "cancelled"]);
    assert.equal((await made.backup(await core(), { name: "n1", onExisting: "resume" })).status, "complete");
});

test("a job that has ended is not cancelled any more", async () => {
    const job = ib.discover(await core());
    const cluster = await job;
    job.cancel();
    assert.equal(await job, cluster);
});

test("many jobs run at a time", async () => {
    const data = await core();
    const made = Array.from({ length: 20 }, repository);
    const reports = await Promise.all(made.map((one, index) => one.backup(data, { name: `n${index}` })));
    assert.deepEqual(
        reports.map((report) => report.name),
        made.map((_, index) => `n${index}`),
    );
    assert.ok((await Promise.all(made.map((one, index) => one.verify(`n${index}`)))).every((report) => report.ok));
});

test("jobs whose events nothing reads end", async () => {
    const made = repository();
    made.backup(await core(), { name: "n1" });
    await until(async () => (await made.list()).some((backup) => backup.state === "complete"), "the backup");
});

test("an event is there as soon as it happens", async () => {
    const job = repository().backup(await core(), { name: "n1", limits: SLOW });
    for await (const event of job) {
        if (event instanceof ib.ProgressEvent && event.progress.bytes > 0) {
            break;
        }
    }
    assert.equal(job.isFinished, false);
    job.cancel();
    await rejection(job);
});

/** A restore that replaces 3,000 objects of another backup deletes them, with an event each. */
test("events that are not read do not pile up", async () => {
    const made = repository();
    const target = path.join(scratch(), "target");
    await made.backup(await core(), { name: "n1" });
    await made.restore("n1", target);
    const parquet = first(target, ".parquet");
    for (let number = 0; number < 3000; number += 1) {
        fs.copyFileSync(parquet, path.join(path.dirname(parquet), `${number}.parquet`));
    }
    const options = { policy: "replace", serversStopped: true, objectEvents: true };
    const job = made.restore("n1", target, options);
    const report = await job;
    const events = await eventsOf(job);
    assert.equal(report.deleted, 3000);
    assert.ok(events.length < 3000, `${events.length}`);
    const [lagged, ...others] = events.filter((event) => event instanceof ib.Lagged);
    assert.equal(others.length, 0);
    assert.ok(lagged.missed > 0);
    const after = events[events.indexOf(lagged) + 1];
    assert.equal(after.seq, lagged.seq + lagged.missed);
});

test("events of single objects are sent where they are asked for", async () => {
    const made = repository();
    const target = path.join(scratch(), "target");
    await made.backup(await core(), { name: "n1" });
    await made.restore("n1", target);
    const extra = path.join(path.dirname(first(target, ".parquet")), "9.parquet");
    const restored = async (objectEvents) => {
        fs.writeFileSync(extra, "newer");
        const options = { policy: "replace", serversStopped: true, objectEvents };
        return (await eventsOf(made.restore("n1", target, options))).filter((event) => event instanceof ib.Deleted);
    };
    assert.deepEqual(await restored(undefined), []);
    const [deleted] = await restored(true);
    assert.equal(path.join(target, deleted.key), extra);
});
