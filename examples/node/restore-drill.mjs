/**
 * Restores the newest backup into a scratch directory, certifies what is there, and deletes it again.
 *
 *     node restore-drill.mjs s3://vault/nightly --scratch /mnt/scratch --max-age 26
 *
 * No server takes part, and the cluster is not touched. Exit code: 0 the backup restores and is young enough, 1 it is not,
 * 2 usage.
 */

import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

import { certify, InfluxBackupError, Repository } from "influx-backup";

const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { scratch: { type: "string", default: os.tmpdir() }, "max-age": { type: "string", default: "Infinity" } },
});
const longest = Number(values["max-age"]);
if (positionals.length !== 1 || Number.isNaN(longest)) {
    console.error("usage: restore-drill.mjs REPOSITORY [--scratch DIRECTORY] [--max-age HOURS]");
    process.exit(2);
}
const repository = new Repository(positionals[0]);

/** The newest complete backup. */
async function newest() {
    const complete = (await repository.list()).filter((backup) => backup.state === "complete");
    return complete.sort((a, b) => Number(a.committed) - Number(b.committed)).at(-1);
}

/**
 * Restores a backup to a directory that does not stay, and certifies what is there.
 *
 * @param {string} name
 */
async function drill(name) {
    const scratch = await fs.mkdtemp(path.join(values.scratch, "influx-backup-drill-"));
    try {
        const target = path.join(scratch, "data");
        // What is deleted at the end need not be safe from a power failure.
        await repository.restore(name, target, { limits: { durability: "relaxed" } });
        return await certify(target);
    } finally {
        await fs.rm(scratch, { recursive: true });
    }
}

/** Returns what is wrong, or nothing. */
async function main() {
    const backup = await newest();
    if (!backup) {
        return `no complete backup in ${repository.location}`;
    }
    const certificate = await drill(backup.name);
    console.log(String(certificate));
    for (const [node, point] of Object.entries(certificate.recoveryPoints)) {
        console.log(`${node}: ${point.reached?.toISOString() ?? "holds no rows"}`);
    }
    if (!certificate.isProven) {
        return `${backup.name} does not restore: ${certificate.summary}`;
    }
    const age = (Date.now() - Number(backup.committed)) / 3_600_000;
    if (age > longest) {
        return `${backup.name} restores, but it is ${age.toFixed(1)} hours old`;
    }
    console.log(`${backup.name} restores`);
}

try {
    const wrong = await main();
    if (wrong) {
        console.error(wrong);
        process.exitCode = 1;
    }
} catch (error) {
    console.error(error instanceof InfluxBackupError ? String(error.report) : error);
    process.exitCode = 1;
}
