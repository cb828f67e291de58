/** What situations are made with. */

import path from "node:path";

import * as ib from "influx-backup";

import * as clusters from "../support/clusters.mjs";

/** Clusters and a repository that are only read, and an empty directory for all else. */
export class Scratch {
    static async make() {
        const scratch = new Scratch();
        scratch.core = await clusters.core();
        scratch.enterprise = await clusters.enterprise();
        scratch.committed = await clusters.committed();
        scratch.tmp = clusters.scratch();
        return scratch;
    }

    /** The path of something in the empty directory. */
    at(name) {
        return path.join(this.tmp, name);
    }

    /** A copy of `core`, to be damaged. */
    get data() {
        return clusters.copyOf(this.core, this.at("data"));
    }

    /** A repository in a directory that does not exist yet. */
    get repository() {
        return new ib.Repository(this.at("backups"));
    }
}

/**
 * The native copiers, and something that is done before one of them copies the first object whose key has `part`.
 */
export function beforeACopy(deed, part = "") {
    let isDone = false;
    const meddler = {
        async copy(request) {
            if (!isDone && request.sourceKey.includes(part)) {
                isDone = true;
                await deed(request);
            }
            throw new ib.Unsupported("the next copier does it");
        },
    };
    return [meddler, ...ib.defaultCopiers()];
}

/** What ends a run. */
export function stop() {
    throw new Error("stop");
}

/** Throws what a copier threw within a run. */
export async function thrownWithin(job) {
    const error = await clusters.rejection(job);
    throw error.cause ?? error;
}
