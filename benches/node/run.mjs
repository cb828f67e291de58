/** The same work as `backup`, `verify` and `restore` of the program, which show what happens as well. */

import assert from "node:assert/strict";

import { Repository } from "influx-backup";

const [verb, data, backups, target] = process.argv.slice(2);
const repository = new Repository(backups);
const start = {
    backup: () => repository.backup(data, { name: "n" }),
    verify: () => repository.verify("n", { level: "bytes" }),
    restore: () => repository.restore("n", target),
};
const job = start[verb]();
let events = 0;
for await (const _ of job) {
    events += 1;
}
await job;
assert.ok(events > 0);
