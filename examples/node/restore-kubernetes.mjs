/**
 * Rolls a cluster that runs in Kubernetes back to a backup: scales its nodes to zero, restores, scales them up again.
 *
 *     node restore-kubernetes.mjs --namespace influx s3://vault/nightly nightly-2026-01-02 s3://prod
 *
 * Each node is a StatefulSet of one pod, named after the node's id, as is the label `app.kubernetes.io/instance` of its pods.
 * Exit code: 0 done and started, 1 failed, or a server is still stopped, 2 usage.
 */

import { execFile } from "node:child_process";
import { parseArgs, promisify } from "node:util";

import { InfluxBackupError, Repository } from "influx-backup";

const run = promisify(execFile);

const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { namespace: { type: "string", default: "default" } },
});
if (positionals.length !== 3) {
    console.error("usage: restore-kubernetes.mjs [--namespace NAME] REPOSITORY NAME TARGET");
    process.exit(2);
}
const [place, name, target] = positionals;

/** @param {string[]} words */
async function kubectl(...words) {
    return (await run("kubectl", ["--namespace", values.namespace, ...words])).stdout.trim();
}

/**
 * Stops a node by `kubectl scale --replicas=0`, and starts it by `--replicas=1`.
 *
 * @type {import("influx-backup").Orchestrator}
 */
const scale = {
    stop: (node) => kubectl("scale", `statefulset/${node.id}`, "--replicas=0"),
    async stopped(node) {
        // The object of a pod is there until its containers have ended: a pod that terminates still writes.
        const pods = `--selector=app.kubernetes.io/instance=${node.id}`;
        return (await kubectl("get", "pods", pods, "--output=name")) === "";
    },
    start: (node) => kubectl("scale", `statefulset/${node.id}`, "--replicas=1"),
};

try {
    // By name, not by a plan: servers that still run write until they are stopped, and no plan made before holds then.
    const report = await new Repository(place).restore(name, target, { policy: "replace", orchestrator: scale });
    console.log(String(report));
    process.exitCode = report.todos.some((todo) => todo.code === "servers-stopped") ? 1 : 0;
} catch (error) {
    console.error(error instanceof InfluxBackupError ? String(error.report) : error);
    process.exitCode = 1;
}
