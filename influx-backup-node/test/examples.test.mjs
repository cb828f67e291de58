/** The scripts of `examples/node`, run as a user runs them. */

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";

import * as ib from "influx-backup";

import {
    committed,
    copyOf,
    core,
    enterprise,
    files,
    first,
    pathOf,
    paths,
    scratch,
    until,
} from "./support/clusters.mjs";
import { minioWithCore } from "./support/minio.mjs";
import { EXAMPLES, run, start } from "./support/scripts.mjs";
import { SOURCES } from "./support/sources.mjs";

/** A backup of the generated cluster needs minutes with it. */
const SLOW = ["--bandwidth", "64KiB"];

const NODES = ["ingester01", "ingester02", "compactor01"];

/** What stands for programs that stop and start nodes. */
const PROGRAMS = path.join(SOURCES, "influx-backup-core", "testing", "programs");

/** The path of a directory that does not exist yet. */
function fresh(name) {
    return path.join(scratch(), name);
}

/** Names and states of the backups in a directory. */
async function backupsOf(directory) {
    return (await new ib.Repository(directory).list()).map(({ name, state }) => [name, state]);
}

/** A directory with the backup `n1` of `core()`, which the test may change. */
async function backups() {
    return copyOf(pathOf((await committed()).location));
}

/** Waits until a backup in a directory is in a state. */
function inState(directory, wanted) {
    return until(async () => (await backupsOf(directory)).some(([, state]) => state === wanted), `a backup ${wanted}`);
}

/** A shell script. */
function shellScript(file, body) {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    return file;
}

test("every script is in the table, and has a test", () => {
    const found = fs.readdirSync(EXAMPLES).filter((name) => /\.(mjs|ts)$/.test(name));
    const table = fs.readFileSync(path.join(EXAMPLES, "README.md"), "utf8");
    assert.deepEqual([...table.matchAll(/^\| \[(.+?)\]\((.+?)\)/gm)].map(([, , link]) => link).sort(), found.sort());
    const tests = fs.readFileSync(new URL(import.meta.url), "utf8");
    assert.deepEqual(
        found.filter((name) => !tests.includes(`"${name}"`)),
        [],
    );
});

test("every script tells how it is used", async () => {
    for (const name of fs.readdirSync(EXAMPLES).filter((name) => /\.(mjs|ts)$/.test(name))) {
        const { code, stdout, stderr } = await run(name);
        assert.deepEqual([name, code, stdout], [name, 2, ""]);
        assert.match(stderr, new RegExp(`^usage: ${name} .*\n$`));
    }
});

// The nightly backup

test("nightly.mjs takes a backup once a day", async () => {
    const directory = fresh("backups");
    const taken = await run("nightly.mjs", [await core(), directory, "--prefix", "tonight"]);
    assert.equal(taken.code, 0, taken.stderr);
    assert.match(
        taken.stdout,
        /^20\S+Z .*\n[\s\S]*\n20\S+Z dbs: 40 objects to copy .*\n[\s\S]*\nbackup tonight-20\S+: complete\n/,
    );
    const [[name, state]] = await backupsOf(directory);
    assert.match(name, /^tonight-\d{4}-\d\d-\d\d$/);
    assert.equal(state, "complete");
    const again = await run("nightly.mjs", [await core(), directory, "--prefix", "tonight"]);
    assert.deepEqual([again.code, again.stdout, again.stderr], [0, `${name} is there already\n`, ""]);
});

test("nightly.mjs names what failed", async () => {
    const missing = fresh("missing");
    const { code, stderr } = await run("nightly.mjs", [missing, fresh("backups")]);
    assert.equal(code, 1);
    assert.ok(stderr.startsWith(`error [location-not-found]: \`file://${missing}\` does not exist`), stderr);
    assert.doesNotMatch(stderr, /\n {4}at /);
});

test("nightly.mjs is stopped and started again", async () => {
    const directory = fresh("backups");
    const running = start("nightly.mjs", [await core(), directory, ...SLOW]);
    await inState(directory, "in_progress");
    const meanwhile = await run("nightly.mjs", [await core(), directory]);
    assert.equal(meanwhile.code, 75);
    assert.match(meanwhile.stderr, /^error \[backup-in-progress\]/);
    running.child.kill("SIGTERM");
    const { code, stderr } = await running.ended;
    assert.deepEqual([code, stderr.includes("the next attempt resumes it")], [143, true]);
    const [[name, state]] = await backupsOf(directory);
    assert.equal(state, "unfinished");
    assert.equal((await run("nightly.mjs", [await core(), directory])).code, 0);
    assert.deepEqual(await backupsOf(directory), [[name, "complete"]]);
});

// The drill

test("restore-drill.mjs restores the newest backup", async () => {
    const directory = await backups();
    await new ib.Repository(directory).backup(await core(), { name: "a-newer-one" });
    const room = scratch();
    const drill = await run("restore-drill.mjs", [directory, "--scratch", room, "--max-age", 1]);
    assert.equal(drill.code, 0, drill.stderr);
    assert.match(drill.stdout, /^certificate: no violations[\s\S]*\nnode01: 20\S+Z\na-newer-one restores\n$/);
    assert.deepEqual(fs.readdirSync(room), []);
    const old = await run("restore-drill.mjs", [directory, "--max-age", 0]);
    assert.deepEqual([old.code, old.stderr], [1, "a-newer-one restores, but it is 0.0 hours old\n"]);
});

test("restore-drill.mjs finds damage", async () => {
    const empty = fresh("empty");
    const nothing = await run("restore-drill.mjs", [empty]);
    assert.deepEqual([nothing.code, nothing.stderr], [1, `no complete backup in file://${empty}\n`]);
    const directory = await backups();
    fs.rmSync(first(path.join(directory, "n1"), ".parquet"));
    const room = scratch();
    const damaged = await run("restore-drill.mjs", [directory, "--scratch", room]);
    assert.deepEqual([damaged.code, damaged.stdout, fs.readdirSync(room)], [1, "", []]);
    assert.match(damaged.stderr, /^error \[damaged-backup\]/);
});

// S3 to S3

test("s3-to-s3.mjs uses two accounts", async (t) => {
    const minio = await minioWithCore(t, "s3://prod/data");
    if (!minio) return;
    const env = {};
    for (const [name, value] of Object.entries(minio.environment)) {
        Object.assign(env, { [`SOURCE_${name}`]: value, [`VAULT_${name}`]: value });
    }
    const places = ["s3://prod/data", "s3://vault/nightly"];
    const taken = await run("s3-to-s3.mjs", [...places, "--name", "n1", "--concurrency", 4], { env });
    assert.equal(taken.code, 0, taken.stderr);
    assert.match(taken.stdout, /^backup n1: complete\n/);
    assert.ok((await new ib.Repository("s3://vault/nightly", minio.options).verify("n1", { level: "bytes" })).ok);
    // The credentials of one account are not used for the other.
    env.SOURCE_AWS_SECRET_ACCESS_KEY = "wrong";
    const refused = await run("s3-to-s3.mjs", [...places, "--name", "n2"], { env });
    assert.deepEqual([refused.code, refused.stdout], [1, ""]);
    assert.match(refused.stderr, /^error \[access-denied\].*s3:\/\/prod\/data/);
});

test("s3-to-s3.mjs names what failed", async () => {
    const env = { SOURCE_AWS_REGOIN: "eu-central-1" };
    const { code, stdout, stderr } = await run("s3-to-s3.mjs", ["s3://prod", "s3://vault/nightly"], { env });
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /^error \[unknown-option\].*`awsRegion`/);
});

// A dry run

test("dry-run.ts does what was shown, once it is told to", async () => {
    const target = copyOf(await core());
    fs.writeFileSync(path.join(path.dirname(first(target, ".wal")), "00000009999.wal"), "newer");
    const given = [await backups(), "n1", target, "--policy", "replace"];
    const before = files(target);
    for (const input of ["no\n", ""]) {
        const refused = await run("dry-run.ts", given, { input });
        assert.deepEqual([refused.code, refused.stderr], [1, "nothing was done\n"]);
        assert.match(refused.stdout, /^Restore of node01 from backup n1 to .*\n/);
        assert.match(refused.stdout, /^ {4}delete node01\/wal\/00000009999\.wal$/m);
        assert.match(refused.stdout, /^\d+ objects, \d+ overwritten, \d deleted\. Are the servers stopped, .*\? $/m);
    }
    assert.deepEqual(files(target), before);
    const restored = await run("dry-run.ts", given, { input: "yes\n" });
    assert.equal(restored.code, 0, restored.stderr);
    assert.ok(restored.stdout.includes(`n1 restored to file://${target}: `), restored.stdout);
    assert.ok(!paths(target).some((name) => name.endsWith("00000009999.wal")));
    assert.ok((await ib.certify(target)).isProven);
});

test("dry-run.ts does nothing else than what was shown", async () => {
    const target = copyOf(await core());
    const wal = path.dirname(first(target, ".wal"));
    fs.writeFileSync(path.join(wal, "00000009999.wal"), "newer");
    const running = start("dry-run.ts", [await backups(), "n1", target, "--policy", "replace"], { input: null });
    await until(() => running.stdout.includes("Are the servers stopped"), "the question");
    fs.writeFileSync(path.join(wal, "00000009998.wal"), "written meanwhile");
    running.child.stdin.end("yes\n");
    const { code, stderr } = await running.ended;
    assert.equal(code, 1);
    assert.match(stderr, /^error \[plan-changed\][\s\S]*\nthe target has changed: start again to see the new plan\n$/);
    assert.ok(fs.existsSync(path.join(wal, "00000009999.wal")));
});

test("dry-run.ts names what failed", async () => {
    const given = [await backups(), "n1", fresh("target"), "--policy", "erase"];
    const { code, stderr } = await run("dry-run.ts", given);
    assert.equal(code, 1);
    assert.match(stderr, /^error \[invalid-option\].*overlay/);
});

// An endpoint

/** The endpoint, with its address. */
async function endpoint(t, ...given) {
    const server = start("event-endpoint.mjs", [...given, "--port", 0]);
    t.after(() => server.child.kill("SIGKILL"));
    await until(() => /port \d+\n/.test(server.stdout) || server.child.exitCode !== null, "a port");
    const [, port] = server.stdout.match(/listening on port (\d+)/) ?? assert.fail(server.stderr);
    return { server, url: `http://127.0.0.1:${port}/backups` };
}

/** All that an iterable gives. */
async function all(iterable) {
    const found = [];
    for await (const item of iterable) {
        found.push(item);
    }
    return found;
}

/** The server-sent events of an answer, to its end. */
async function* eventsOf(response) {
    let text = "";
    for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
        text += part;
        const whole = text.split("\n\n");
        text = whole.pop();
        for (const event of whole) {
            const [, id, kind, data] = event.match(/^id: (\d+)\nevent: (\w+)\ndata: (.*)$/) ?? assert.fail(event);
            yield { id: Number(id), kind, event: ib.Event.fromJSON(data) };
        }
    }
}

test("event-endpoint.mjs streams the events of a backup", async (t) => {
    const directory = fresh("backups");
    const { server, url } = await endpoint(t, await core(), directory);
    const begun = await fetch(`${url}?name=monday`, { method: "POST" });
    assert.deepEqual([begun.status, begun.headers.get("location")], [202, "/backups/monday/events"]);
    const events = await all(eventsOf(await fetch(`${url}/monday/events`)));
    const kinds = events.map(({ kind }) => kind).filter((kind) => kind !== "progress");
    assert.deepEqual([kinds[0], kinds.includes("committed"), kinds.at(-1)], ["pass_started", true, "finished"]);
    assert.ok(events.every(({ id, kind, event }) => event.seq === id && event.kind === kind));
    assert.deepEqual(await backupsOf(directory), [["monday", "complete"]]);
    // Who has seen some events gets the others; who has seen the last is told not to come back.
    const seen = events.findIndex(({ kind }) => kind === "certified");
    const rest = await fetch(`${url}/monday/events`, { headers: { "Last-Event-ID": events[seen].id } });
    const lasting = ({ kind }) => kind !== "progress"; // Each is kept until the next event.
    assert.deepEqual((await all(eventsOf(rest))).filter(lasting), events.slice(seen + 1).filter(lasting));
    const after = await fetch(`${url}/monday/events`, { headers: { "Last-Event-ID": events.at(-1).id } });
    assert.equal(after.status, 204);
    // A name that is taken, and paths that lead nowhere.
    await fetch(`${url}?name=monday`, { method: "POST" });
    const again = await all(eventsOf(await fetch(`${url}/monday/events`)));
    assert.equal(again.at(-1).event.error.code, "backup-exists");
    for (const [path, method] of [
        ["", "POST"],
        ["/tuesday/events", "GET"],
        ["/tuesday", "DELETE"],
        ["/monday", "GET"],
    ]) {
        assert.equal((await fetch(`${url}${path}`, { method })).status, 404, `${method} ${path}`);
    }
    server.child.kill("SIGTERM");
    assert.equal((await server.ended).code, 0);
});

test("event-endpoint.mjs goes on without its client, and stops where it is told to", async (t) => {
    const directory = fresh("backups");
    const { server, url } = await endpoint(t, await core(), directory, ...SLOW);
    await fetch(`${url}?name=monday`, { method: "POST" });
    for await (const { id } of eventsOf(await fetch(`${url}/monday/events`))) {
        assert.equal(id, 1);
        break; // The client goes away.
    }
    await inState(directory, "in_progress");
    assert.equal((await fetch(`${url}?name=monday`, { method: "POST" })).status, 409);
    const waiting = fetch(`${url}/monday/events`).then((response) => all(eventsOf(response)));
    assert.equal((await fetch(`${url}/monday`, { method: "DELETE" })).status, 202);
    assert.equal((await waiting).at(-1).event.error.code, "cancelled");
    assert.deepEqual(await backupsOf(directory), [["monday", "unfinished"]]);
    // The same request resumes it; SIGTERM ends it in good order, too.
    await fetch(`${url}?name=monday`, { method: "POST" });
    const streamed = fetch(`${url}/monday/events`).then((response) => all(eventsOf(response)));
    await inState(directory, "in_progress");
    server.child.kill("SIGTERM");
    assert.equal((await server.ended).code, 0, server.stderr);
    assert.equal((await streamed).at(-1).event.error.code, "cancelled");
    assert.deepEqual(await backupsOf(directory), [["monday", "unfinished"]]);
});

test("event-endpoint.mjs names what failed", async () => {
    const { code, stderr } = await run("event-endpoint.mjs", [await core(), await core(), "--port", 0]);
    assert.equal(code, 1);
    assert.match(stderr, /^error \[overlap\]: /);
});

// A worker

/** A queue with one task. */
function queue(task) {
    const directory = scratch();
    fs.writeFileSync(path.join(directory, "monday.json"), JSON.stringify(task));
    return directory;
}

/** What a queue holds. */
function tasks(directory) {
    return fs.readdirSync(directory).filter((name) => !name.endsWith(".progress"));
}

test("worker.mjs resumes a backup after a crash", async () => {
    const repository = fresh("backups");
    const directory = queue({ source: await core(), repository, name: "n1", bandwidth: "512KiB" });
    const crashes = start("worker.mjs", [directory]);
    const progress = path.join(directory, "monday.progress");
    await until(() => fs.existsSync(progress) && /"objects":[1-9]/.test(fs.readFileSync(progress, "utf8")), "a copy");
    crashes.child.kill("SIGKILL");
    assert.equal((await crashes.ended).signal, "SIGKILL");
    assert.deepEqual(tasks(directory), [`monday.${crashes.child.pid}.taken`]);
    assert.deepEqual(await backupsOf(repository), [["n1", "in_progress"]]);
    const next = start("worker.mjs", [directory]);
    await until(() => tasks(directory)[0] === "monday.done" || next.child.exitCode !== null, "the end of the task");
    next.child.kill("SIGTERM");
    const { code, stdout, stderr } = await next.ended;
    assert.deepEqual([code, stdout, stderr], [0, "monday: resumed after a crash\nmonday: complete\n", ""]);
    assert.deepEqual(tasks(directory), ["monday.done"]);
    assert.ok((await new ib.Repository(repository).verify("n1", { level: "bytes" })).ok);
});

test("worker.mjs gives back what it has not finished", async () => {
    const repository = fresh("backups");
    const directory = queue({ source: await core(), repository, name: "n1", bandwidth: "64KiB" });
    const worker = start("worker.mjs", [directory]);
    await inState(repository, "in_progress");
    // Another worker leaves it alone, and takes the next one.
    const next = { source: fresh("missing"), repository, name: "n2" };
    fs.writeFileSync(path.join(directory, "tuesday.json"), JSON.stringify(next));
    const other = start("worker.mjs", [directory]);
    await until(() => tasks(directory).includes("tuesday.failed"), "the end of the other task");
    assert.equal(other.stdout, "tuesday: taken\n");
    worker.child.kill("SIGTERM");
    const { code, stderr } = await worker.ended;
    assert.equal(code, 0);
    assert.match(stderr, /^error \[cancelled\]/);
    await until(() => other.stdout.endsWith("monday: taken\n"), "the other worker to take it");
    other.child.kill("SIGTERM");
    await other.ended;
    assert.deepEqual(tasks(directory), ["monday.json", "tuesday.failed"]);
    assert.deepEqual(await backupsOf(repository), [["n1", "unfinished"]]);
});

test("worker.mjs keeps what fails apart", async () => {
    const directory = queue({ source: fresh("missing"), repository: fresh("backups"), name: "n1" });
    const worker = start("worker.mjs", [directory]);
    await until(() => tasks(directory)[0] === "monday.failed" || worker.child.exitCode !== null, "the end of the task");
    worker.child.kill("SIGTERM");
    assert.equal((await worker.ended).code, 0);
    const report = ib.ErrorReport.fromJSON(fs.readFileSync(path.join(directory, "monday.failed"), "utf8"));
    assert.equal(report.code, "location-not-found");
});

// Own copiers

test("command-copier.mjs copies Parquet by a command", async () => {
    const directory = fresh("backups");
    const log = fresh("log");
    const tool = shellScript(fresh("tool"), `echo "$2" >> ${log}; exec cp "$@"`);
    const { code, stdout, stderr } = await run("command-copier.mjs", [await core(), directory, "--", tool, "-p"]);
    assert.equal(code, 0, stderr);
    const parquet = paths(await core()).filter((name) => name.endsWith(".parquet"));
    const copied = fs.readFileSync(log, "utf8").trim().split("\n");
    assert.deepEqual(
        copied.sort(),
        (await Promise.all(parquet.map(async (name) => path.join(await core(), name)))).sort(),
    );
    assert.match(stdout, new RegExp(`by CommandCopier ${parquet.length}, local \\d+|CommandCopier ${parquet.length},`));
    const [[name, state]] = await backupsOf(directory);
    assert.equal(state, "complete");
    assert.ok((await new ib.Repository(directory).verify(name, { level: "bytes" })).ok);
    assert.ok(!paths(directory).some((file) => file.includes("#")));
});

test("command-copier.mjs tells what the command told", async () => {
    const directory = fresh("backups");
    const tool = shellScript(fresh("tool"), 'echo part > "$2"; echo "no such filer" >&2; exit 3');
    const given = ["--max-elapsed", "1s", await core(), directory, "--", tool];
    const { code, stdout, stderr } = await run("command-copier.mjs", given);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.ok(stderr.includes(`${tool} failed: no such filer`), stderr);
    assert.ok(!paths(directory).some((file) => file.includes("#")));
});

test("command-copier.mjs ends the command when it is stopped", async () => {
    const directory = fresh("backups");
    const pids = fresh("pids");
    const tool = shellScript(fresh("tool"), `echo $$ >> ${pids}; exec sleep 60`);
    const running = start("command-copier.mjs", [await core(), directory, "--", tool]);
    await until(() => fs.existsSync(pids) && fs.readFileSync(pids, "utf8").includes("\n"), "the command");
    running.child.kill("SIGINT");
    const { code, stderr } = await running.ended;
    assert.deepEqual([code, stderr.startsWith("error [cancelled]")], [130, true]);
    for (const pid of fs.readFileSync(pids, "utf8").trim().split("\n")) {
        await until(() => !fs.existsSync(`/proc/${pid}`), "the end of the command");
    }
    assert.deepEqual(
        (await backupsOf(directory)).map(([, state]) => state),
        ["unfinished"],
    );
    assert.ok(!paths(directory).some((file) => file.includes("#")));
});

// Own orchestrators

/** A `PATH` on which a program is a fake one, and all nodes run. */
function fake(name) {
    const directory = scratch();
    const [STATE, LOG, bin] = ["state", "log", "bin"].map((part) => path.join(directory, part));
    fs.mkdirSync(STATE);
    for (const node of NODES) {
        fs.writeFileSync(path.join(STATE, node), "");
    }
    fs.mkdirSync(bin);
    fs.copyFileSync(path.join(PROGRAMS, name), path.join(bin, name));
    return { PATH: `${bin}${path.delimiter}${process.env.PATH}`, STATE, LOG };
}

const ORCHESTRATORS = [
    ["restore-compose.mjs", "docker", ["compose.yaml"]],
    ["restore-kubernetes.mjs", "kubectl", ["--namespace", "influx"]],
];

/** A directory with the backup `n1` of `enterprise()`, and a copy of it with data that is newer. */
async function outdated() {
    const directory = fresh("backups");
    await new ib.Repository(directory).backup(await enterprise(), { name: "n1" });
    const data = copyOf(await enterprise());
    fs.writeFileSync(path.join(path.dirname(first(data, ".wal")), "00000009999.wal"), "newer");
    return [directory, data];
}

for (const [script, name, given] of ORCHESTRATORS) {
    test(`${script} stops, restores and starts`, async () => {
        const env = fake(name);
        const [directory, data] = await outdated();
        const { code, stdout, stderr } = await run(script, [...given, directory, "n1", data], { env });
        assert.equal(code, 0, stderr);
        assert.ok(stdout.includes(`n1 restored to file://${data}: `), stdout);
        assert.ok(!paths(data).some((file) => file.endsWith("00000009999.wal")));
        assert.ok((await ib.certify(data)).isProven);
        assert.deepEqual(fs.readdirSync(env.STATE).sort(), NODES.toSorted());
        const calls = fs.readFileSync(env.LOG, "utf8").split("\n");
        const nodesOf = (words) =>
            calls.filter((line) => words.test(line)).map((line) => NODES.find((node) => line.includes(node)));
        assert.deepEqual(nodesOf(/ stop |replicas=0/).sort(), NODES.toSorted());
        assert.deepEqual(nodesOf(/ start |replicas=1/), NODES, "data nodes first");
    });

    test(`${script} leaves the data of a server that does not stop`, async () => {
        const env = fake(name);
        shellScript(path.join(env.PATH.split(path.delimiter)[0], name), 'echo "permission denied" >&2; exit 255');
        const [directory, data] = await outdated();
        const before = files(data);
        const { code, stdout, stderr } = await run(script, [...given, directory, "n1", data], { env });
        assert.deepEqual([code, stdout], [1, ""]);
        assert.match(stderr, /^error \[orchestrator\][\s\S]*permission denied/);
        assert.deepEqual(files(data), before);
    });
}
