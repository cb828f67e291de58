/** The program of the package, and the native one beside it. */

import { spawn } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

import { SOURCES } from "./sources.mjs";

const require = createRequire(import.meta.url);
const top = path.dirname(require.resolve("influx-backup/package.json"));
const script = path.join(top, "..", ".bin", "influx-backup");
const native = path.join(process.env.CARGO_TARGET_DIR ?? path.join(SOURCES, "target"), "debug", "influx-backup");

/** How the program is started. */
export const PROGRAM = [process.execPath, path.join(top, "bin", "influx-backup.cjs")];

/** All ways to start the program: what `npx influx-backup` starts is there only where the package is installed. */
export const STARTS = { "by node": PROGRAM, ...(fs.existsSync(script) && { "by npx": [script] }) };

/** The native program, as cargo builds it, or `null`. */
export const NATIVE = fs.existsSync(native) ? [native] : null;

/** Why there is no native program. */
export const NO_NATIVE = `no native program in ${native}: run \`cargo build --features cli\` first`;

/** Milliseconds after which a program is killed: nothing that tests start runs as long. */
const TOO_LONG = 60_000;

/** Starts a program. `ended` is fulfilled with its exit code, the signal, and what it wrote. */
export function start([file, ...first], ...rest) {
    const stdio = ["ignore", "pipe", "pipe"];
    const child = spawn(file, [...first, ...rest], { stdio, timeout: TOO_LONG, killSignal: "SIGKILL" });
    const wrote = { stdout: "", stderr: "" };
    for (const name of Object.keys(wrote)) {
        child[name].setEncoding("utf8").on("data", (text) => {
            wrote[name] += text;
        });
    }
    child.ended = new Promise((resolve, reject) => {
        child.on("error", reject).on("close", (code, signal) => resolve({ code, signal, ...wrote }));
    });
    return child;
}

/** Runs a program to its end. */
export function run(program, ...rest) {
    return start(program, ...rest).ended;
}

/** Runs a line of bash, in which `"$@"` is the program with arguments. */
export function inShell(line, ...program) {
    return run(["bash", "-c", line, "bash"], ...program);
}

/** Runs a program in a terminal with so many columns; all that it writes is in `stdout`. */
export function inTerminal(columns, ...program) {
    const quoted = program.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
    const line = `stty columns ${columns} rows 40; TERM=xterm exec ${quoted}`;
    return run(["script", "--quiet", "--return", "--command", line, "/dev/null"]);
}
