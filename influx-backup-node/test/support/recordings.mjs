/** Recorded servers, which lie beside the repository: found as the tests in Rust find them. */

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

import { notRun, scratch } from "./clusters.mjs";
import { SOURCES } from "./sources.mjs";

const named = process.env.INFLUX_BACKUP_FIXTURES;

/** The directory of the recordings. */
export const RECORDINGS = named ?? path.join(SOURCES, "..", "shared", "fixtures");

/** What each recording is known to hold, or `null` where there is no recording; then the test is skipped. */
export function expected(t) {
    const file = path.join(RECORDINGS, "expected.json");
    if (!fs.existsSync(file)) {
        const missing = `no recordings in ${RECORDINGS}: set INFLUX_BACKUP_FIXTURES to their directory`;
        notRun(t, missing, { explicit: named !== undefined });
        return null;
    }
    return JSON.parse(fs.readFileSync(file));
}

/** Unpacks a recording by its name. */
export function unpack(name) {
    const target = path.join(scratch(), name);
    fs.mkdirSync(target);
    execFileSync("tar", ["-xzf", path.join(RECORDINGS, `${name}.tar.gz`), "-C", target]);
    return target;
}
