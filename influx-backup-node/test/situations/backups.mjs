/** Backups that are taken, written by two, unfinished or damaged. */

import fs from "node:fs";
import path from "node:path";

import * as ib from "influx-backup";

import { copyOf, first, pathOf, paths, rejection } from "../support/clusters.mjs";
import { beforeACopy, stop, thrownWithin } from "./scratch.mjs";

/** A copy of the repository `committed`, to be damaged. */
export function copyOfCommitted(scratch) {
    copyOf(pathOf(scratch.committed.location), scratch.at("backups"));
    return scratch.repository;
}

/** Removes all Parquet files of a cluster. */
export function withoutParquet(data) {
    for (const name of paths(data).filter((name) => name.endsWith(".parquet"))) {
        fs.unlinkSync(path.join(data, name));
    }
    return data;
}

function marker(scratch) {
    return path.join(scratch.at("backups"), "_influx_backup", "repository.json");
}

export default {
    async "backup-exists"({ committed, core }) {
        await committed.backup(core, { name: "n1" });
    },

    async "backup-in-progress"({ repository, core }) {
        const copier = beforeACopy(() => repository.backup(core, { name: "n1" }));
        await thrownWithin(repository.backup(core, { name: "n1", copier }));
    },

    async "backup-unfinished"({ repository, core }) {
        await rejection(repository.backup(core, { name: "n1", copier: beforeACopy(stop) }));
        await repository.backup(core, { name: "n1" });
    },

    async "lease-lost"({ repository, core }) {
        const takeOver = { name: "n1", onExisting: "resume", takeover: "immediately" };
        const copier = beforeACopy(() => repository.backup(core, takeOver));
        await repository.backup(core, { name: "n1", copier });
    },

    async "backup-not-found"({ committed }) {
        await committed.get("other");
    },

    async "unsupported-format"(scratch) {
        const repository = copyOfCommitted(scratch);
        const document = JSON.parse(fs.readFileSync(marker(scratch)));
        fs.writeFileSync(marker(scratch), JSON.stringify({ ...document, format: 99, min_reader: 99 }));
        await repository.list();
    },

    async "damaged-backup"(scratch) {
        const repository = copyOfCommitted(scratch);
        const manifest = first(path.join(pathOf(repository.location), "n1"), "manifest.json");
        fs.truncateSync(manifest, fs.statSync(manifest).size - 20);
        await repository.get("n1");
    },

    async "untrusted-backup"({ committed }) {
        await committed.verify("n1", { expectSha256: "00".repeat(32) });
    },

    async "damaged-marker"(scratch) {
        const repository = copyOfCommitted(scratch);
        fs.writeFileSync(marker(scratch), "{");
        await repository.backup(scratch.core, { name: "n2" });
    },

    /** A copier that deletes the object that was copied before, and leaves copying to the next. */
    async "backup-altered"({ repository, core }) {
        let previous;
        const deleting = {
            copy(request) {
                if (previous) {
                    fs.unlinkSync(previous);
                }
                previous = pathOf(request.target, request.targetKey);
                throw new ib.Unsupported("the next copier does it");
            },
        };
        await repository.backup(core, { copier: [deleting, ...ib.defaultCopiers()], limits: { concurrency: 1 } });
    },

    async "degraded-backup"({ repository, data, tmp }) {
        await repository.backup(withoutParquet(data), { name: "n1", onViolation: "degrade" });
        await repository.planRestore("n1", path.join(tmp, "restored"));
    },
};
