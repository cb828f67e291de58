/** Running as a user that is not root. */

import fs from "node:fs";
import path from "node:path";

const UNPRIVILEGED = 65534;

/**
 * Does something without the rights of root, where this process has them. `directory`, and what is in it, then belongs
 * to the user who is left.
 */
export async function unprivileged(directory, work) {
    if (process.geteuid() !== 0) {
        return work();
    }
    for (const name of ["", ...fs.readdirSync(directory, { recursive: true })]) {
        fs.lchownSync(path.join(directory, name), UNPRIVILEGED, UNPRIVILEGED);
    }
    for (let parent = path.dirname(directory); parent !== path.dirname(parent); parent = path.dirname(parent)) {
        const { mode } = fs.statSync(parent);
        if ((mode & 0o011) !== 0o011) {
            fs.chmodSync(parent, mode | 0o011);
        }
    }
    process.seteuid(UNPRIVILEGED);
    try {
        return await work();
    } finally {
        process.seteuid(0);
    }
}
