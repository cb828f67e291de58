/**
 * A worker that takes backups from a queue. After a crash, also after `kill -9`, the next attempt resumes what was begun.
 *
 *     echo '{ "source": "s3://prod", "repository": "s3://vault/nightly", "name": "monday" }' > /var/spool/backups/monday.json
 *     node worker.mjs /var/spool/backups
 *
 * The queue is a directory, so that this needs nothing else: `monday.json` waits, `monday.PID.taken` is taken by that process,
 * `monday.progress` is its heartbeat, `monday.done` or `monday.failed` is what came of it. SIGTERM cancels the backup and gives
 * the task back. Exit code: 0 stopped, 2 usage.
 */

import fs from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { BackupExistsError, CancelledError, InfluxBackupError, Repository } from "influx-backup";

/**
 * @typedef {{ source: string, repository: string, name: string, bandwidth?: string }} Backup
 * @typedef {{ id: string, taken: string, holderDied: boolean, backup: Backup }} Task
 */

/** In place of a queue: BullMQ has `new Worker(name, process)`, `updateProgress`; Temporal activities and `heartbeat`. */
class Directory {
    /** @param {string} directory */
    constructor(directory) {
        this.directory = directory;
    }

    /** @param {string} name */
    file(name) {
        return path.join(this.directory, name);
    }

    /**
     * A task that waits, or that a process took which is no longer there.
     *
     * @returns {Promise<Task | undefined>}
     */
    async take() {
        for (const name of await fs.readdir(this.directory)) {
            const [, id, pid] = name.match(/^(.+?)(?:\.(\d+)\.taken|\.json)$/) ?? [];
            if (id === undefined || (pid !== undefined && isAlive(Number(pid)))) {
                continue;
            }
            const taken = this.file(`${id}.${process.pid}.taken`);
            try {
                await fs.rename(this.file(name), taken);
            } catch {
                continue; // Another worker was quicker.
            }
            const backup = JSON.parse(await fs.readFile(taken, "utf8"));
            return { id, taken, holderDied: pid !== undefined, backup };
        }
    }

    /**
     * @param {Task} task
     * @param {object} progress
     */
    async heartbeat(task, progress) {
        await fs.writeFile(this.file(`${task.id}.progress`), JSON.stringify(progress));
    }

    /**
     * @param {Task} task
     * @param {"done" | "failed"} state
     * @param {object} result
     */
    async end(task, state, result) {
        await fs.writeFile(this.file(`${task.id}.${state}`), `${JSON.stringify(result)}\n`);
        await fs.rm(task.taken);
    }

    /** @param {Task} task */
    async giveBack(task) {
        await fs.rename(task.taken, this.file(`${task.id}.json`));
    }
}

/**
 * Whether another process holds a task. One with the number of this process was there before: containers begin at 1.
 *
 * @param {number} pid
 */
function isAlive(pid) {
    try {
        return pid !== process.pid && process.kill(pid, 0);
    } catch (error) {
        return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
    }
}

/**
 * Takes the backup of a task.
 *
 * @param {Task} task
 */
async function backUp(task) {
    const { source, repository, name, bandwidth } = task.backup;
    try {
        const job = new Repository(repository).backup(source, {
            name,
            onExisting: "resume",
            // Another process holds the backup until it has been silent for ten minutes. Here it is known that it died, so that
            // there is nothing to wait for. A queue that only missed heartbeats does not know: leave this out there.
            takeover: task.holderDied ? "immediately" : "after_timeout",
            limits: { bandwidth },
            signal: stop.signal,
        });
        for await (const event of job) {
            if (event.kind === "progress") {
                await queue.heartbeat(task, event.progress);
            }
        }
        return await job;
    } catch (error) {
        if (error instanceof BackupExistsError) {
            return (await new Repository(repository).get(name)).manifest; // It died after the commit.
        }
        throw error;
    }
}

const [directory] = process.argv.slice(2);
if (directory === undefined) {
    console.error("usage: worker.mjs DIRECTORY");
    process.exit(2);
}
const queue = new Directory(directory);
const stop = new AbortController();
process.once("SIGINT", () => stop.abort()).once("SIGTERM", () => stop.abort());

while (!stop.signal.aborted) {
    const task = await queue.take();
    if (task) {
        console.log(`${task.id}: ${task.holderDied ? "resumed after a crash" : "taken"}`);
        try {
            const { name, status } = await backUp(task);
            await queue.end(task, "done", { name, status });
            console.log(`${task.id}: ${status}`);
            continue;
        } catch (error) {
            if (!(error instanceof InfluxBackupError)) {
                throw error;
            }
            console.error(String(error.report));
            if (error.retryable || error instanceof CancelledError) {
                await queue.giveBack(task);
            } else {
                await queue.end(task, "failed", error.report);
            }
        }
    }
    await sleep(1000, undefined, { signal: stop.signal }).catch(() => {});
}
