/**
 * Takes tonight's backup: for cron, a timer of systemd or a CronJob of Kubernetes.
 *
 *     node nightly.mjs s3://prod s3://vault/nightly
 *
 * Credentials come from the environment (AWS_…, AZURE_…, GOOGLE_…). Exit code: 0 the backup is there, 75 it failed and may
 * succeed later, 1 it failed, 2 usage, 130 or 143 it was stopped.
 *
 * No old backup is deleted: how long they are kept is for you to say. Each is whole by itself, so to drop one, delete its
 * directory.
 */

import os from "node:os";
import { parseArgs } from "node:util";

import { BackupExistsError, CancelledError, InfluxBackupError, Repository } from "influx-backup";

/** EX_TEMPFAIL of sysexits.h: what a scheduler should start again. */
const TRY_AGAIN = 75;

const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { prefix: { type: "string", default: "nightly" }, bandwidth: { type: "string" } },
});
if (positionals.length !== 2) {
    console.error("usage: nightly.mjs SOURCE REPOSITORY [--prefix NAME] [--bandwidth BYTES_A_SECOND]");
    process.exit(2);
}
const [source, place] = positionals;

// Node.js ends at once on these signals. With a listener the backup is cancelled, and the next attempt resumes it without a wait.
const stop = new AbortController();
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
    process.once(signal, () => stop.abort(os.constants.signals[signal]));
}

const name = `${values.prefix}-${new Date().toISOString().slice(0, 10)}`;
try {
    const job = new Repository(place).backup(source, {
        name,
        onExisting: "resume", // An attempt of tonight that died is continued.
        limits: { bandwidth: values.bandwidth },
        signal: stop.signal,
    });
    let next = Date.now() + 60_000;
    for await (const event of job) {
        // How far it is comes ten times a second: a line a minute is enough. How it ended is below.
        if (event.kind === "progress" ? Number(event.at) >= next : event.kind !== "finished") {
            console.log(`${event.at.toISOString()} ${event}`);
            next = Number(event.at) + 60_000;
        }
    }
    console.log(String(await job));
} catch (error) {
    if (error instanceof BackupExistsError) {
        console.log(`${name} is there already`);
    } else if (error instanceof CancelledError) {
        console.error(`${name} was stopped: the next attempt resumes it`);
        process.exitCode = 128 + Number(error.cause);
    } else if (error instanceof InfluxBackupError) {
        console.error(String(error.report));
        process.exitCode = error.retryable ? TRY_AGAIN : 1;
    } else {
        throw error;
    }
}
