"use strict";
// Jobs that an `AbortSignal` cancels.

const { addAbortListener } = require("node:events");

/** The jobs of each signal, and what listens to it: one listener for all of them. */
const followers = new WeakMap();

/** Has a signal cancel a job. What is returned undoes it. */
function follow(signal, job) {
    let { jobs, listener } = followers.get(signal) ?? {};
    if (jobs === undefined) {
        jobs = new Set();
        listener = addAbortListener(signal, () => {
            for (const job of jobs) {
                job.cancel();
            }
        });
        followers.set(signal, { jobs, listener });
    }
    jobs.add(job);
    return () => {
        jobs.delete(job);
        if (jobs.size === 0) {
            followers.delete(signal);
            listener[Symbol.dispose]();
        }
    };
}

module.exports = { follow };
