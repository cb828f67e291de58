"use strict";
// The jobs of this environment, the main thread or a worker, and its end.

const native = require("./native.cjs");

/** Where the sessions of all copies of this package in this environment are, such as those that a test runner loads. */
const SESSIONS = Symbol.for("influx-backup.sessions");

/** Ends all sessions with the environment. */
function atExit() {
    const sessions = [];
    process.on("exit", () => {
        for (const session of sessions) {
            session.end();
        }
    });
    return sessions;
}

const session = new native.Session();
process[SESSIONS] ??= atExit();
process[SESSIONS].push(session);

module.exports = { session };
