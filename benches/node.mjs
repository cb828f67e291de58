/**
 * What Node.js costs: the import; backups, checks and restores beside those of the native program; how long a backup
 * keeps the main thread from other work; and the memory of a listing.
 *
 * Usage: node benches/node.mjs PROGRAM [--files N] [--runs N]
 *
 * Ways that are compared run in turn, so that what else the machine does concerns all of them. Each run is a process of
 * its own, and its ratio is to the run of the native program beside it. Medians are printed.
 */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/** The programs that are measured, each a process of its own. */
const script = (name) => fileURLToPath(new URL(`node/${name}.mjs`, import.meta.url));
const CLI = path.join(path.dirname(createRequire(import.meta.url).resolve("influx-backup")), "bin/influx-backup.cjs");

function median(values) {
    const sorted = values.toSorted((one, other) => one - other);
    return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
}

/** What a script prints. */
function measure(name, ...given) {
    return JSON.parse(execFileSync(process.execPath, ["--expose-gc", script(name), ...given], { encoding: "utf8" }));
}

/** Seconds that a command takes: by the clock, and of the processors. */
function cost(command) {
    const timed = ["-c", 'TIMEFORMAT="%R %U %S"; time "$@" >/dev/null 2>&1', "bash", ...command];
    const { status, stderr } = spawnSync("bash", timed, { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } });
    if (status !== 0) {
        throw new Error(`exit code ${status} of ${command.join(" ")}`);
    }
    const [took, user, system] = stderr.trim().split(" ").map(Number);
    return [took, user + system];
}

/** The three ways to do the same. */
function commands(program, verb, { data, backups, target }) {
    const given = {
        backup: ["backup", data, backups, "--name", "n"],
        verify: ["verify", path.join(backups, "n"), "--level", "bytes"],
        restore: ["restore", path.join(backups, "n"), target],
    }[verb];
    return {
        "native program": [program, ...given],
        "npx influx-backup": [process.execPath, CLI, ...given],
        "Repository of Node.js": [process.execPath, script("run"), verb, data, backups, target],
    };
}

/** Prints a line for each verb and each way. */
function compare(program, places, runs) {
    for (const verb of ["backup", "verify", "restore"]) {
        const ways = Object.entries(commands(program, verb, places));
        const costs = ways.map(() => []);
        for (let run = 0; run <= runs; run++) {
            for (let turn = 0; turn < ways.length; turn++) {
                const at = (run + turn) % ways.length;
                if (verb === "backup") {
                    rmSync(places.backups, { recursive: true, force: true });
                }
                rmSync(places.target, { recursive: true, force: true });
                const one = cost(ways[at][1]);
                // The first fills the cache of the system.
                if (run > 0) {
                    costs[at].push(one);
                }
            }
        }
        const [native] = costs;
        ways.forEach(([way], at) => {
            const [clock, processors] = [0, 1].map((which) => {
                const seconds = median(costs[at].map((one) => one[which]));
                const more = (median(costs[at].map((one, run) => one[which] / native[run][which])) - 1) * 100;
                const sign = more < 0 ? "" : "+";
                return `${seconds.toFixed(2).padStart(6)} s ${`${sign}${more.toFixed(1)}`.padStart(5)} %`;
            });
            console.log(`${verb.padEnd(8)} ${way.padEnd(22)} ${clock}   processors ${processors}`);
        });
    }
}

/** Prints how late timers of the main thread are during a backup: its own, and one of the native program. */
function delays(program, { data, backups }, runs) {
    const found = { Repository: [], "native program": [] };
    for (let run = 0; run < runs; run++) {
        for (const [way, all] of Object.entries(found)) {
            rmSync(backups, { recursive: true, force: true });
            all.push(measure("delay", way, program, data, backups));
        }
    }
    for (const [way, all] of Object.entries(found)) {
        const shown = ["p50", "p99", "max"].map((key) => `${key} ${median(all.map((one) => one[key])).toFixed(1)} ms`);
        const read = median(all.map(({ events }) => events));
        console.log(`event loop during a backup by the ${way}: late by ${shown.join(", ")}; ${read} events read`);
    }
}

const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { files: { type: "string", default: "20000" }, runs: { type: "string", default: "7" } },
});
if (positionals.length !== 1) {
    console.error("Usage: node benches/node.mjs PROGRAM [--files N] [--runs N]");
    process.exit(2);
}
const program = path.resolve(positionals[0]);
const runs = Number(values.runs);
const directory = mkdtempSync(path.join(tmpdir(), "influx-backup-bench."));
try {
    const [own, other] = ["influx-backup", "node:http"].map((name) =>
        median(Array.from({ length: 20 }, () => measure("import", name).took)),
    );
    console.log(`import "influx-backup": ${own.toFixed(1)} ms (import "node:http": ${other.toFixed(1)} ms)`);

    const below = ["data", "backups", "target"].map((name) => [name, path.join(directory, name)]);
    const places = Object.fromEntries(below);
    // A snapshot of two nodes is fourteen files.
    const snapshots = String(Math.floor(Number(values.files) / 14));
    execFileSync(program, ["generate", places.data, "--snapshots", snapshots, "--file-size", "16KiB"], {
        stdio: "ignore",
    });
    const files = readdirSync(places.data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const size = files.reduce((sum, { parentPath, name }) => sum + statSync(path.join(parentPath, name)).size, 0);
    console.log(`${files.length} files, ${Math.round(size / 2 ** 20)} MiB, medians of ${runs}`);

    compare(program, places, runs);
    delays(program, places, runs);
    const { objects, listed, made, took } = measure("listing", places.data);
    console.log(
        `inventory of ${objects} objects: ${listed} bytes an object, with all entries made ${made}; ` +
            `they take ${took.toFixed(1)} ms`,
    );
} finally {
    rmSync(directory, { recursive: true, force: true });
}
