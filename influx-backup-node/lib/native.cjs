"use strict";

/** The native module: the one that was built here, else that of the package for this platform. */

const { existsSync } = require("node:fs");
const { join } = require("node:path");
const { optionalDependencies } = require("../package.json");
const platform = require("./platform.cjs");

const SCOPE = "@influx-backup/";
const built = join(__dirname, "..", `influx-backup.${platform}.node`);
const place = existsSync(built) ? built : SCOPE + platform;

/** What is wrong and what to do: there is no package for the platform, it is not installed, or it cannot be loaded. */
function explain(cause) {
    const known = Object.keys(optionalDependencies).map((name) => name.slice(SCOPE.length));
    if (!known.includes(platform)) {
        return `influx-backup has no native module for ${platform}, only for ${known.join(", ")}: build it with \`make node\` in its sources`;
    }
    if (cause.code === "MODULE_NOT_FOUND") {
        return (
            `influx-backup finds no native module for ${platform}: the optional dependency ${place} is not installed, ` +
            "as after `npm install --omit=optional` or with `node_modules` of another platform; install influx-backup again"
        );
    }
    return `influx-backup cannot load its native module for ${platform}, ${place}: ${cause.message}`;
}

try {
    module.exports = require(place);
} catch (cause) {
    throw new Error(explain(cause), { cause });
}
