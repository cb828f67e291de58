/** Copies that fail, and what the caller brings along. */

import fs from "node:fs";

import * as ib from "influx-backup";

import { first } from "../support/clusters.mjs";
import { unprivileged } from "./unprivileged.mjs";

const AT_ONCE = { initialBackoff: 10, maxElapsed: 100, maxOutage: 100 };

/** Backs up with a copier that fails in one way. */
function failing(error) {
    return async ({ repository, core }) => {
        const copier = {
            copy() {
                throw error();
            },
        };
        await repository.backup(core, { copier, limits: { retry: AT_ONCE } });
    };
}

/** What a copier throws that has a reason of its own, by its code. */
function own(code) {
    class Own extends ib.CopyError {
        copyCode = code;
    }
    return () => new Own("the reason");
}

export default {
    "copy-unsupported": failing(() => new ib.Unsupported("nothing at all")),
    "copy-refused": failing(own("copy-refused")),
    "copy-corrupt": failing(() => new ib.Corrupt("a bit is missing")),
    "copier-failed": failing(() => new RangeError("mine")),
    "read-only": failing(own("read-only")),
    "object-not-found": failing(own("object-not-found")),
    "source-unexpected": failing(own("source-unexpected")),
    "object-unreadable": failing(own("object-unreadable")),
    "object-archived": failing(own("object-archived")),

    async orchestrator({ repository, core }) {
        const broken = {
            stop(node) {
                throw new RangeError(node.id);
            },
            stopped: () => false,
            start() {},
        };
        await repository.backup(core, { orchestrator: broken });
    },

    async cancelled({ repository, core }) {
        const job = repository.backup(core);
        job.cancel();
        await job;
    },

    async "access-denied"({ tmp, data, repository }) {
        fs.chmodSync(first(data, ".parquet"), 0);
        await unprivileged(tmp, () => repository.backup(data));
    },
};
