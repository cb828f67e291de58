/** Restores to targets that hold something else, are unfinished, or change meanwhile. */

import fs from "node:fs";
import path from "node:path";

import * as ib from "influx-backup";
import { generate } from "influx-backup/testing";

import { first, pathOf, paths, rejection } from "../support/clusters.mjs";
import { copyOfCommitted } from "./backups.mjs";
import { beforeACopy, stop, thrownWithin } from "./scratch.mjs";
import { unprivileged } from "./unprivileged.mjs";

/** A target with an unfinished restore of `n1`. */
async function unfinished(scratch) {
    const target = scratch.at("restored");
    const plan = await scratch.committed.planRestore("n1", target);
    const copier = beforeACopy(stop, ".parquet");
    await rejection(scratch.committed.restore(plan, { copier, limits: { concurrency: 1 } }));
    return target;
}

/** A WAL file that a server would write next. */
function newer(file) {
    return path.join(path.dirname(file), "00000009999.wal");
}

export default {
    async "target-not-empty"({ committed, core }) {
        await committed.planRestore("n1", core);
    },

    async "target-foreign"(scratch) {
        const other = scratch.at("other");
        await generate(other, { edition: "core", seed: 7 });
        await scratch.committed.planRestore("n1", other, { policy: "replace" });
    },

    async "extra-nodes"({ repository, enterprise }) {
        await repository.backup(enterprise, { name: "n1", excludedNodes: ["ingester02"] });
        await repository.planRestore("n1", enterprise, { policy: "replace" });
    },

    async "servers-not-stopped"({ committed, data }) {
        await committed.restore(await committed.planRestore("n1", data, { policy: "replace" }));
    },

    async "server-running"(scratch) {
        const write = (request) => {
            const wal = newer(pathOf(request.target, request.targetKey));
            fs.mkdirSync(path.dirname(wal), { recursive: true });
            fs.writeFileSync(wal, "written by a server");
        };
        const plan = await scratch.committed.planRestore("n1", scratch.at("restored"));
        await scratch.committed.restore(plan, { copier: beforeACopy(write, ".wal") });
    },

    async "verify-failed"(scratch) {
        const target = scratch.at("restored");
        const copier = beforeACopy(() => fs.writeFileSync(first(target, ".catalog"), "changed"), "/wal/");
        const plan = await scratch.committed.planRestore("n1", target);
        await scratch.committed.restore(plan, { copier, limits: { concurrency: 1 } });
    },

    async "restore-unfinished"(scratch) {
        const target = await unfinished(scratch);
        await scratch.committed.restore(await scratch.committed.planRestore("n1", target));
    },

    async "restore-in-progress"(scratch) {
        const plan = await scratch.committed.planRestore("n1", scratch.at("restored"));
        const copier = beforeACopy(() => scratch.committed.restore(plan));
        await thrownWithin(scratch.committed.restore(plan, { copier }));
    },

    async "plan-changed"({ committed, data }) {
        const plan = await committed.planRestore("n1", data, { policy: "replace" });
        fs.writeFileSync(newer(first(data, ".wal")), "newer");
        await committed.restore(plan, { serversStopped: true });
    },

    async "no-restore"(scratch) {
        const plan = await scratch.committed.planRestore("n1", scratch.at("restored"));
        await scratch.committed.restore(plan, { onUnfinished: "resume" });
    },

    async "cannot-abandon"(scratch) {
        const target = await unfinished(scratch);
        const catalog = path.join(target, "node01", "catalog");
        for (const name of paths(catalog)) {
            fs.unlinkSync(path.join(catalog, name));
        }
        await ib.abandon(target);
    },

    async "damaged-journal"(scratch) {
        const target = await unfinished(scratch);
        const journal = first(target, "restore.json");
        fs.truncateSync(journal, fs.statSync(journal).size - 20);
        await scratch.committed.planRestore("n1", target);
    },

    async ownership(scratch) {
        const repository = copyOfCommitted(scratch);
        await unprivileged(scratch.tmp, async () => {
            const target = scratch.at("restored");
            await repository.restore(await repository.planRestore("n1", target, { ownership: { owner: "0:0" } }));
        });
    },
};
