/** `npx influx-backup` does what the native program does. */

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";

import * as ib from "influx-backup";

import { EXPRESS, withBrokenSession } from "./situations/stores.mjs";
import { committed, core, notRun, pathOf, scratch, until } from "./support/clusters.mjs";
import { inShell, inTerminal, NATIVE, NO_NATIVE, PROGRAM, run, STARTS, start } from "./support/program.mjs";

const SHELLS = ["bash", "zsh", "fish"];

/** Asserts that nothing of Node.js or of Rust shows where a user looks. */
function assertNoTrace({ stdout, stderr }) {
    assert.doesNotMatch(stdout + stderr, /panicked|\n {4}at |node:internal|Node\.js v/);
}

for (const [how, program] of Object.entries(STARTS)) {
    test(`verbs and exit codes, started ${how}`, async () => {
        const directory = scratch();
        const backups = path.join(directory, "backups");
        const taken = await run(program, "backup", await core(), backups, "--name", "n1", "--json");
        assert.equal(taken.code, 0, taken.stderr);
        assert.equal(JSON.parse(taken.stdout).status, "complete");
        const n1 = path.join(backups, "n1");
        const restored = path.join(directory, "restored");
        for (const [code, ...words] of [
            [0, "verify", n1, "--level", "bytes"],
            [5, "backup", await core(), backups, "--name", "n1"],
            [2, "backup", await core()],
            [0, "restore", n1, restored],
        ]) {
            assert.equal((await run(program, ...words)).code, code, words.join(" "));
        }
        assert.equal((await ib.certify(restored)).isProven, true);
    });

    test(`a panic is one document, started ${how}`, async () => {
        await withBrokenSession(async (options) => {
            const snake = (name) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
            const given = Object.entries(options).flatMap(([name, value]) => [
                "--source-option",
                `${snake(name)}=${value}`,
            ]);
            const ended = await run(program, "list", EXPRESS, ...given, "--json");
            assert.equal(ended.code, 1, ended.stderr);
            assert.equal(JSON.parse(ended.stdout).error.code, "internal");
        });
    });

    test(`a path that is no text, started ${how}`, async () => {
        const line = `place=$1/$'\\xff'; mkdir "$place"; shift; exec "$@" discover "$place"`;
        const ended = await inShell(line, scratch(), ...program);
        assert.ok([2, 5].includes(ended.code), ended.stderr);
        assertNoTrace(ended);
    });

    test(`no bar where no terminal is, started ${how}`, async () => {
        const ended = await run(program, "backup", await core(), path.join(scratch(), "backups"));
        assert.equal(ended.code, 0);
        assert.ok(!(ended.stdout + ended.stderr).includes("\x1b"));
    });

    test(`a closed pipe is no error, started ${how}`, async () => {
        const child = start(program, "certify", await core());
        child.stdout.destroy();
        const ended = await child.ended;
        assert.equal(ended.code, 0, ended.stderr);
        assertNoTrace(ended);
    });

    for (const [number, stream] of ["stdin", "stdout", "stderr"].entries()) {
        test(`${stream} is closed from the start, started ${how}`, async () => {
            const ended = await inShell(`exec "$@" ${number}>&-`, ...program, "discover", await core());
            assert.equal(ended.code, 0, ended.stderr);
            assertNoTrace(ended);
        });
    }

    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
        test(`${signal} stops it in good order, started ${how}`, async () => {
            const { backups, child } = await slow(program);
            child.kill(signal);
            const ended = await child.ended;
            assert.equal(ended.code, 130);
            assert.match(ended.stderr, /error \[cancelled\]/);
            assertNoTrace(ended);
            const resumed = await new ib.Repository(backups).backup(await core(), { name: "n1", onExisting: "resume" });
            assert.equal(resumed.status, "complete");
        });
    }

    test(`a second Ctrl-C, started ${how}`, async () => {
        const { child } = await slow(program);
        child.kill("SIGINT");
        child.kill("SIGINT");
        const ended = await child.ended;
        assert.equal(ended.code, 130);
        assertNoTrace(ended);
    });
}

/** A backup that takes minutes, and has begun. */
async function slow(program) {
    const backups = path.join(scratch(), "same", "backups");
    const child = start(program, "backup", await core(), backups, "--name", "n1", "--bandwidth", "64KiB");
    await until(() => fs.existsSync(path.join(backups, "n1")), "the backup");
    return { backups, child };
}

test("answers, messages and codes are those of the native program", async (t) => {
    if (!NATIVE) return notRun(t, NO_NATIVE);
    const backups = pathOf((await committed()).location);
    for (const words of [
        ["--help"],
        ["--version"],
        ["backup", "--help"],
        [],
        ["bakup"],
        ["backup", "--nam", "x"],
        ["list", "/no/such/repository"],
        ["list", "/no/such/repository", "--json"],
        ["discover", await core()],
        ["discover", await core(), "--json"],
        ["discover", scratch(), "--json"],
        ["certify", await core()],
        ["verify", path.join(backups, "n1")],
        ["list", backups],
        ["list", backups, "--json"],
        ...SHELLS.map((shell) => ["completions", shell]),
    ]) {
        assert.deepEqual(await run(PROGRAM, ...words), await run(NATIVE, ...words), words.join(" "));
    }
});

test("one document of JSON for an error", async () => {
    const { code, stdout } = await run(PROGRAM, "discover", scratch(), "--json");
    assert.deepEqual([code, JSON.parse(stdout).error.code], [5, "no-cluster"]);
});

for (const columns of [60, 120]) {
    test(`help on a terminal of ${columns} columns is that of the native program`, async (t) => {
        if (!NATIVE) return notRun(t, NO_NATIVE);
        const installed = await inTerminal(columns, ...PROGRAM, "backup", "--help");
        assert.deepEqual(installed, await inTerminal(columns, ...NATIVE, "backup", "--help"));
        assert.equal(installed.code, 0);
        assert.ok(installed.stdout.includes("\x1b["), "colors");
    });
}

for (const [columns, isDrawnOver] of [
    [120, false],
    [50, true],
]) {
    test(`the bar on a terminal of ${columns} columns`, async (t) => {
        if (!NATIVE) return notRun(t, NO_NATIVE);
        for (const program of [PROGRAM, NATIVE]) {
            const place = path.join(scratch(), "backups");
            const words = ["backup", await core(), place, "--bandwidth", "2MiB"];
            const { code, stdout } = await inTerminal(columns, ...program, ...words);
            assert.equal(code, 0, stdout);
            const bars = stdout.matchAll(/\[([=> ]{30})\] pass 1, copying/g);
            const widths = new Set([...bars].map(([, bar]) => bar.split("=").length));
            assert.ok(widths.size > 2, "a bar grows");
            assert.equal(stdout.includes("\x1b[2A"), isDrawnOver, "lines that are too long are drawn over");
        }
    });
}

test("head reads one line", async (t) => {
    if (!NATIVE) return notRun(t, NO_NATIVE);
    const line = `"$@" | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const installed = await inShell(line, ...PROGRAM, "completions", "bash");
    assert.deepEqual(installed, await inShell(line, ...NATIVE, "completions", "bash"));
});

test("what Ctrl-C prints is what the native program prints", async (t) => {
    if (!NATIVE) return notRun(t, NO_NATIVE);
    const ended = [];
    for (const program of [PROGRAM, NATIVE]) {
        const { backups, child } = await slow(program);
        child.kill("SIGINT");
        const { code, stderr } = await child.ended;
        // How far each came is chance.
        const shown = stderr.replaceAll(/^pass 1: .*\n| after \d+ of \d+ objects/gm, "");
        ended.push({ code, shown: shown.replaceAll(path.dirname(path.dirname(backups)), "") });
    }
    assert.deepEqual(ended[0], ended[1]);
});

test("it loads the native module only", async () => {
    const hook = path.join(scratch(), "hook.cjs");
    fs.writeFileSync(hook, 'process.on("exit", () => console.log(Object.keys(require.cache).join("\\n")))');
    const { stdout } = await run([PROGRAM[0], "--require", hook, ...PROGRAM.slice(1)], "--version");
    const loaded = stdout
        .trim()
        .split("\n")
        .slice(1)
        .map((file) => path.basename(file).replace(/\..*\./, ".*."));
    assert.deepEqual(
        loaded.sort(),
        ["hook.cjs", "influx-backup.*.node", "influx-backup.cjs", "native.cjs", "package.json", "platform.cjs"].sort(),
    );
});
