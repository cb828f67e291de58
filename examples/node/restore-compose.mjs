/**
 * Rolls a cluster that runs under Docker Compose back to a backup: stops its services, restores, starts them again.
 *
 *     node restore-compose.mjs compose.yaml /backups nightly-2026-01-02 /srv/influxdb3/data
 *
 * Services have the names of the nodes. Exit code: 0 done and started, 1 failed, or a server is still stopped, 2 usage.
 */

import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { InfluxBackupError, Repository } from "influx-backup";

const run = promisify(execFile);

const [file, place, name, target] = process.argv.slice(2);
if (target === undefined) {
    console.error("usage: restore-compose.mjs COMPOSE_FILE REPOSITORY NAME TARGET");
    process.exit(2);
}

/** @param {string[]} words */
async function compose(...words) {
    return (await run("docker", ["compose", "--file", file, ...words])).stdout.trim();
}

/**
 * Stops and starts the services of the compose file. The order is that of the restore: data nodes first.
 *
 * @type {import("influx-backup").Orchestrator}
 */
const services = {
    stop: (node) => compose("stop", node.id),
    async stopped(node) {
        // What restarts runs again in a moment, and what is paused goes on: neither is stopped.
        const states = ["--status=running", "--status=restarting", "--status=paused"];
        return (await compose("ps", "--quiet", ...states, node.id)) === "";
    },
    start: (node) => compose("start", node.id),
};

try {
    // By name, not by a plan: servers that still run write until they are stopped, and no plan made before holds then.
    const report = await new Repository(place).restore(name, target, { policy: "replace", orchestrator: services });
    console.log(String(report));
    process.exitCode = report.todos.some((todo) => todo.code === "servers-stopped") ? 1 : 0;
} catch (error) {
    console.error(error instanceof InfluxBackupError ? String(error.report) : error);
    process.exitCode = 1;
}
