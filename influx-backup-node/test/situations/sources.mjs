/** Sources that are no cluster, several, or damaged. */

import fs from "node:fs";
import path from "node:path";

import * as ib from "influx-backup";
import { generate } from "influx-backup/testing";

import { copyOf, first, paths } from "../support/clusters.mjs";
import { withoutParquet } from "./backups.mjs";

export default {
    async link({ data, repository }) {
        const wal = path.dirname(first(data, ".wal"));
        fs.symlinkSync(path.join(data, "nothing"), path.join(wal, "00000009999.wal"));
        await repository.backup(data);
    },

    async "no-cluster"({ tmp }) {
        await ib.discover(tmp);
    },

    async "several-clusters"({ data }) {
        copyOf(path.join(data, "node01"), path.join(data, "node02"));
        await ib.discover(data);
    },

    async "nodes-required"({ tmp }) {
        const data = path.join(tmp, "data");
        await generate(data, { edition: "enterprise" });
        copyOf(path.join(data, "cluster01"), path.join(data, "cluster02"));
        await ib.discover(data, { clusterId: "cluster01" });
    },

    async "unknown-id"({ core }) {
        await ib.discover(core, { nodeIds: ["other"] });
    },

    async "upgraded-engine"({ data }) {
        const snapshots = path.join(path.dirname(first(data, ".wal")), "..", "pt_snapshots");
        fs.mkdirSync(snapshots);
        fs.writeFileSync(path.join(snapshots, "1"), "snapshot");
        await ib.discover(data);
    },

    async "corrupt-source"({ data, repository }) {
        const newest = paths(data).findLast((name) => name.endsWith(".wal"));
        fs.writeFileSync(path.join(data, newest), "corrupt");
        await repository.backup(data);
    },

    async "not-consistent"({ data, repository }) {
        await repository.backup(withoutParquet(data));
    },
};
