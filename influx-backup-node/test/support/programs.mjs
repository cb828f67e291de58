/** Programs that tests start: Node with a module that has `ib`, the package. */

import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

import { scratch } from "./clusters.mjs";

const PACKAGE = import.meta.resolve("influx-backup");

/** Milliseconds after which a program is killed: nothing that tests start runs as long. */
const TOO_LONG = 60_000;

/** Writes a module that has `ib`, and returns its path. */
export function module(source) {
    const file = path.join(scratch(), "program.mjs");
    fs.writeFileSync(file, `import * as ib from ${JSON.stringify(PACKAGE)};\n${source}`);
    return file;
}

/** A program that runs. */
class Program {
    stdout = "";
    stderr = "";

    constructor(file, flags) {
        this.child = spawn(process.execPath, [...flags, file], { stdio: ["ignore", "pipe", "pipe"] });
        const timer = setTimeout(() => this.child.kill("SIGKILL"), TOO_LONG);
        for (const name of ["stdout", "stderr"]) {
            this.child[name].setEncoding("utf8").on("data", (text) => (this[name] += text));
        }
        /** The exit code, the signal, and all that was written. */
        this.ended = new Promise((resolve) => {
            this.child.on("close", (code, signal) => {
                clearTimeout(timer);
                resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
            });
        });
    }

    /** Waits until the program has written this. */
    async writes(text) {
        const seen = new Promise((resolve) => {
            const look = () => this.stdout.includes(text) && resolve(true);
            this.child.stdout.on("data", look);
            look();
        });
        if (!(await Promise.race([seen, this.ended.then(() => this.stdout.includes(text))]))) {
            throw new Error(`the program ended without writing ${text}: ${this.stdout}${this.stderr}`);
        }
    }
}

/** Starts a program. */
export function start(source, ...flags) {
    return new Program(module(source), flags);
}

/** Runs a program to its end. */
export function run(source, ...flags) {
    return start(source, ...flags).ended;
}
