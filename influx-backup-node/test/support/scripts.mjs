/** The scripts of `examples/node`, started as a user starts them. */

import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript-5";

import { scratch } from "./clusters.mjs";

/** Where they are. */
export const EXAMPLES = fileURLToPath(new URL("../../../examples/node", import.meta.url));

/** Milliseconds after which a script is killed: none that tests start runs as long. */
const TOO_LONG = 60_000;

/** What a script has: no options of stores but those given. */
function environment(more) {
    const kept = Object.entries(process.env).filter(([name]) => !/^(AWS|AZURE|GOOGLE)_/.test(name));
    return { ...Object.fromEntries(kept), ...more };
}

/** The path of a script that every supported release of Node.js runs. */
function runnable(name) {
    const file = path.join(EXAMPLES, name);
    if (!name.endsWith(".ts")) {
        return file;
    }
    const { outputText } = ts.transpileModule(fs.readFileSync(file, "utf8"), {
        compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    const made = path.join(scratch(), `${path.basename(name, ".ts")}.mjs`);
    fs.writeFileSync(made, outputText.replace('"influx-backup"', JSON.stringify(import.meta.resolve("influx-backup"))));
    return made;
}

/** A script that runs. */
class Script {
    stdout = "";
    stderr = "";

    constructor(name, given, { env, input = "" }) {
        this.child = spawn(process.execPath, [runnable(name), ...given], { env: environment(env), stdio: "pipe" });
        if (input !== null) {
            this.child.stdin.end(input);
        }
        const timer = setTimeout(() => this.child.kill("SIGKILL"), TOO_LONG);
        for (const stream of ["stdout", "stderr"]) {
            this.child[stream].setEncoding("utf8").on("data", (text) => {
                this[stream] += text;
            });
        }
        /** The exit code, the signal, and all that was written. */
        this.ended = new Promise((resolve) => {
            this.child.on("close", (code, signal) => {
                clearTimeout(timer);
                resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
            });
        });
    }
}

/** Starts a script. Its input is a text, or is written to it where that is `null`. */
export function start(name, given = [], options = {}) {
    return new Script(name, given.map(String), options);
}

/** Runs a script to its end. */
export function run(name, given, options) {
    return start(name, given, options).ended;
}
