/** A job and its process: how long it lives, how it ends, and what it reports of failures. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { core, pathOf, repository, SLOW } from "./support/clusters.mjs";
import { run, start } from "./support/programs.mjs";

const data = JSON.stringify(await core());
const slow = JSON.stringify(SLOW);

/** Code that starts a backup, and the repository it goes to. */
function backup(options = "") {
    const made = repository();
    const place = JSON.stringify(pathOf(made.location));
    return { made, code: `new ib.Repository(${place}).backup(${data}, { name: "n1", ${options} })` };
}

/** Asserts that a backup that was stopped without notice is resumed. */
async function assertIsResumed(made, takeover = "after_timeout") {
    const report = await made.backup(JSON.parse(data), { name: "n1", onExisting: "resume", takeover });
    assert.equal(report.status, "complete");
    assert.ok((await made.verify("n1", { level: "bytes" })).ok);
}

test("a process lives as long as its job, and then ends by itself", async () => {
    const { made, code } = backup();
    const ended = await run(`
        const job = ${code};
        process.on("exit", () => console.log(job.isFinished));
    `);
    assert.deepEqual(ended, { code: 0, signal: null, stdout: "true\n", stderr: "" });
    assert.deepEqual(
        (await made.list()).map((one) => one.state),
        ["complete"],
    );
});

test("a process ends after jobs of every kind", async () => {
    const { code } = backup("copier: [copier, ...ib.defaultCopiers()]");
    const ended = await run(`
        const before = process.getActiveResourcesInfo();
        const copier = { async copy() { throw new ib.Unsupported("no"); } };
        const { signal } = new AbortController();
        await ib.discover(${data}, { signal });
        await ib.discover("/there/is/no/such/directory").catch(() => 0);
        for await (const event of ${code}) event.kind;
        const left = ib.certify(${data});
        for await (const event of left) break;
        // The loop has ended, and the job goes on.
        await left;
        const job = ib.certify(${data});
        job.cancel();
        await job.catch(() => 0);
        await new Promise(setImmediate);
        const now = process.getActiveResourcesInfo();
        for (const one of before) now.splice(now.indexOf(one), now.includes(one) ? 1 : 0);
        console.log(JSON.stringify(now.filter((one) => one !== "Immediate")));
    `);
    assert.deepEqual(ended, { code: 0, signal: null, stdout: "[]\n", stderr: "" });
});

test("a job that is unreferenced lets its process end", async () => {
    const { made, code } = backup(`limits: ${slow}`);
    const ended = await run(`
        const job = ${code};
        console.log(job.unref() === job);
    `);
    assert.deepEqual(ended, { code: 0, signal: null, stdout: "true\n", stderr: "" });
    await assertIsResumed(made);
});

test("a job that is referenced again keeps its process", async () => {
    const { made, code } = backup();
    const ended = await run(`
        const job = ${code};
        job.unref();
        job.unref();
        console.log(job.ref() === job);
    `);
    assert.deepEqual(ended, { code: 0, signal: null, stdout: "true\n", stderr: "" });
    assert.deepEqual(
        (await made.list()).map((one) => one.state),
        ["complete"],
    );
});

test("an unreferenced job with a copier in Node lets its process end", async () => {
    const { made, code } = backup("copier: { copy: () => new Promise(() => undefined) }");
    const ended = await run(`${code}.unref();`);
    assert.deepEqual(ended, { code: 0, signal: null, stdout: "", stderr: "" });
    await assertIsResumed(made);
});

const FAILING = `ib.discover("/there/is/no/such/directory")`;
const COUNTING = `
    let count = 0;
    process.on("unhandledRejection", (error) => { count += 1; console.log(error.code); });
    process.on("exit", () => console.log(count));
`;
const HANDLED = {
    "is not handled": [`${FAILING};`, "location-not-found\n1\n"],
    "is iterated": [
        `try { for await (const event of ${FAILING}) event; } catch { console.log("thrown"); }`,
        "thrown\n0\n",
    ],
    "is iterated, and awaited": [
        `const job = ${FAILING};
         let thrown = 0;
         try { for await (const event of job) event; } catch { thrown += 1; }
         try { await job; } catch { thrown += 1; }
         console.log(thrown);`,
        "2\n0\n",
    ],
    "is iterated with a break": [`for await (const event of ${FAILING}) break;`, "0\n"],
    "is iterated later": [
        `const job = ${FAILING};
         job.catch(() => 0);
         await new Promise((resolve) => setTimeout(resolve, 100));
         try { for await (const event of job) event; } catch { console.log("thrown"); }`,
        "thrown\n0\n",
    ],
    "is awaited": [`try { await ${FAILING}; } catch { console.log("thrown"); }`, "thrown\n0\n"],
    "has a handler that throws": [
        `${FAILING}.catch(() => { throw Object.assign(new Error(), { code: "mine" }); });`,
        "mine\n1\n",
    ],
    "is iterated by an asynchronous function that is not handled": [
        `(async () => { for await (const event of ${FAILING}) event; })();`,
        "location-not-found\n1\n",
    ],
    "has an argument that cannot be used": [`ib.discover(5);`, /^[a-z-]+\n1\n$/i],
    "is aborted": [`ib.discover(${data}, { signal: AbortSignal.abort() });`, "cancelled\n1\n"],
};

for (const [what, [code, expected]] of Object.entries(HANDLED)) {
    test(`a failed job that ${what} is reported once`, async () => {
        const { stdout, stderr } = await run(COUNTING + code);
        assert.equal(stderr, "");
        if (expected instanceof RegExp) {
            assert.match(stdout, expected);
        } else {
            assert.equal(stdout, expected);
        }
    });
}

test("a rejection that nothing handles ends the process, with the error", async () => {
    const ended = await run(`${FAILING}; setTimeout(() => undefined, 30_000);`);
    assert.equal(ended.code, 1);
    assert.equal(ended.stderr.split("location-not-found").length, 2, ended.stderr);
});

test("a backup is resumed after process.exit", async () => {
    const { made, code } = backup(`limits: ${slow}`);
    const ended = await run(`
        const job = ${code};
        while (job.progress.bytes === 0) await new Promise((resolve) => setTimeout(resolve, 10));
        process.on("exit", () => console.log(Date.now()));
        process.exit(7);
    `);
    const elapsed = Date.now() - Number(ended.stdout);
    assert.deepEqual([ended.code, ended.signal, ended.stderr], [7, null, ""]);
    assert.ok(elapsed < 3000, `${elapsed} ms`);
    await assertIsResumed(made);
});

test("a backup is resumed after an exception that ends its process", async () => {
    const { made, code } = backup(`limits: ${slow}`);
    const ended = await run(`
        const job = ${code};
        for await (const event of job) if (event instanceof ib.StageStarted) throw new Error("mine");
    `);
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /Error: mine/);
    await assertIsResumed(made);
});

for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"]) {
    test(`a backup is resumed after ${signal}`, async () => {
        const { made, code } = backup(`limits: ${slow}`);
        const program = start(`
            for await (const event of ${code}) if (event instanceof ib.StageStarted) console.log("begun");
        `);
        await program.writes("begun");
        program.child.kill(signal);
        const began = performance.now();
        const ended = await program.ended;
        assert.deepEqual([ended.code, ended.signal], [null, signal], "the default of Node stays");
        assert.ok(performance.now() - began < 3000);
        await assertIsResumed(made, "immediately");
    });
}

test("a signal of the process may abort a job", async () => {
    const { made, code } = backup(`limits: ${slow}, signal: controller.signal`);
    const program = start(`
        const controller = new AbortController();
        process.once("SIGTERM", () => controller.abort());
        try {
            for await (const event of ${code}) if (event instanceof ib.StageStarted) console.log("begun");
        } catch (error) {
            console.log(error.code);
        }
    `);
    await program.writes("begun");
    program.child.kill("SIGTERM");
    const ended = await program.ended;
    assert.equal(ended.code, 0, ended.stderr);
    assert.ok(ended.stdout.endsWith("cancelled\n"));
    await assertIsResumed(made);
});

test("a job that is dropped goes on", async () => {
    const { made, code } = backup(`limits: { bandwidth: "8MiB" }`);
    const ended = await run(
        `
        (() => { ${code}; })();
        const collect = setInterval(gc, 10);
        collect.unref();
        gc();
    `,
        "--expose-gc",
    );
    assert.deepEqual([ended.code, ended.stderr], [0, ""]);
    assert.deepEqual(
        (await made.list()).map((one) => one.state),
        ["complete"],
    );
});

test("a job that is started at the end is no crash", async () => {
    const ended = await run(`process.on("exit", () => { ib.discover(${data}).catch(() => 0); console.log("exit"); });`);
    assert.deepEqual(ended, { code: 0, signal: null, stdout: "exit\n", stderr: "" });
});

test("the package is loaded again in one process", async () => {
    const { made, code } = backup(`limits: ${slow}`);
    const ended = await run(`
        import { createRequire } from "node:module";
        const require = createRequire(${JSON.stringify(import.meta.resolve("influx-backup"))});
        const file = require.resolve("influx-backup");
        const before = process.listenerCount("exit");
        let again;
        for (let load = 0; load < 12; load += 1) {
            for (const name of Object.keys(require.cache)) if (!name.endsWith(".node")) delete require.cache[name];
            again = require(file);
        }
        console.log((await again.discover(${data})).edition, (await ib.discover(${data})).edition);
        console.log(process.listenerCount("exit") - before);
        const job = ${code.replace("ib.", "again.")};
        while (job.progress.bytes === 0) await new Promise((resolve) => setTimeout(resolve, 10));
        process.exit(0);
    `);
    assert.deepEqual(ended, { code: 0, signal: null, stdout: "core core\n0\n", stderr: "" });
    await assertIsResumed(made);
});
