/**
 * Backs up files, with Parquet copied by a command of your own: a gentle one, or one that a filer accelerates.
 *
 *     node command-copier.mjs /var/lib/influxdb3/data /backups -- ionice -c 3 cp
 *     node command-copier.mjs /var/lib/influxdb3/data /backups -- rsync --bwlimit=50m
 *     node command-copier.mjs /var/lib/influxdb3/data /backups -- rclone copyto
 *
 * The command is called with two more arguments, the file and where to copy it to. Without one, the native copiers do as well,
 * and share blocks where the file system can. Exit code: 0 taken, 1 failed, 2 usage, 130 stopped.
 */

import { execFile } from "node:child_process";
import fs from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";

import * as ib from "influx-backup";

const run = promisify(execFile);

/**
 * Copies Parquet files by a command, and leaves all else, which is small, to the next copier.
 *
 * @implements {ib.Copier}
 */
class CommandCopier {
    /** @param {string[]} command */
    constructor(command) {
        this.command = command;
    }

    /**
     * @param {ib.CopyRequest} request
     * @param {ib.CopyContext} context
     */
    async copy(request, context) {
        const isFile = request.source.provider === "file" && request.target.provider === "file";
        if (!isFile || !request.sourceKey.endsWith(".parquet") || request.transform !== "none") {
            throw new ib.Unsupported("only Parquet, from files to files");
        }
        const source = pathOf(request.source, request.sourceKey);
        const target = pathOf(request.target, request.targetKey);
        await fs.access(source).catch((cause) => {
            throw new ib.SourceVanished(source, { cause });
        });
        await fs.mkdir(path.dirname(target), { recursive: true });
        // The target is complete or not there: `#1` is a file that is being written, which `leftovers` finds after a crash.
        const part = `${target}#1`;
        try {
            const [program, ...first] = this.command;
            await run(program, [...first, source, part], { signal: context.signal }).catch((cause) => {
                // A `CopyError` is tried again; any other error ends the backup at once.
                throw new ib.CopyError(`${program} failed: ${(cause.stderr || cause.message).trim()}`, { cause });
            });
            if ((await fs.stat(part)).size !== request.size) {
                throw new ib.SourceChanged(source);
            }
            request.checkLease();
            await fs.rename(part, target);
        } finally {
            await fs.rm(part, { force: true });
        }
        context.moved(request.size);
    }
}

/**
 * Where an object of a file store lies.
 *
 * @param {ib.Location} location
 * @param {string} key
 */
function pathOf(location, key) {
    return path.join(fileURLToPath(String(location)), key);
}

const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { "max-elapsed": { type: "string", default: "5m" } },
});
const [source, place, ...command] = positionals;
if (command.length === 0) {
    console.error("usage: command-copier.mjs [--max-elapsed 5m] SOURCE REPOSITORY -- COMMAND…");
    process.exit(2);
}
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());

try {
    const report = await new ib.Repository(place).backup(source, {
        copier: [new CommandCopier(command), ...ib.defaultCopiers()],
        limits: { retry: { maxElapsed: values["max-elapsed"] } },
        signal: stop.signal,
    });
    console.log(String(report));
} catch (error) {
    console.error(error instanceof ib.InfluxBackupError ? String(error.report) : error);
    process.exitCode = error instanceof ib.CancelledError ? 130 : 1;
}
