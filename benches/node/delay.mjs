/**
 * Prints how late the timers of the main thread are during a backup, in milliseconds, and how many events were read.
 *
 * During a backup by the native program this thread does nothing: what it measures then is the system's own delay.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { monitorEventLoopDelay } from "node:perf_hooks";

import { Repository } from "influx-backup";

/** Milliseconds between two looks; they are part of what the monitor counts. */
const RESOLUTION = 1;

const [way, program, data, backups] = process.argv.slice(2);
const monitor = monitorEventLoopDelay({ resolution: RESOLUTION });
let events = 0;
monitor.enable();
if (way === "native program") {
    const [code] = await once(spawn(program, ["backup", data, backups, "--name", "n"], { stdio: "ignore" }), "exit");
    assert.equal(code, 0);
} else {
    const job = new Repository(backups).backup(data, { name: "n", objectEvents: true });
    for await (const _ of job) {
        events += 1;
    }
    assert.equal((await job).status, "complete");
}
monitor.disable();
const late = (nanoseconds) => Math.max(nanoseconds / 1e6 - RESOLUTION, 0);
const found = { p50: late(monitor.percentile(50)), p99: late(monitor.percentile(99)), max: late(monitor.max), events };
console.log(JSON.stringify(found));
