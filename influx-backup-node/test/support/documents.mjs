/** Values of every class of data: what verbs return, throw and send. */

import fs from "node:fs";
import path from "node:path";

import * as ib from "influx-backup";
import * as testing from "influx-backup/testing";

import { beforeACopy, stop } from "../situations/scratch.mjs";
import { first, rejection, scratch } from "./clusters.mjs";

/** The classes of data, by their names. `Event` is what the classes of events extend. */
export const CLASSES = Object.fromEntries(
    Object.entries({ ...ib, Generated: testing.Generated, GeneratedNode: testing.GeneratedNode }).filter(
        ([, it]) => typeof it === "function" && "fromJSON" in it,
    ),
);

/** Whether a class is that of a kind of events. */
export function isEvent(name) {
    return CLASSES[name].prototype instanceof ib.Event;
}

/** The values that a value has: its own, and those that are made at their first use. */
export function fieldsOf(document) {
    const lazy = { Listing: ["entries"], Stage: ["keys"] }[document.constructor.name] ?? [];
    return [...new Set([...Object.keys(document), ...lazy])].map((name) => [name, document[name]]);
}

/** A document and every other one that its fields hold. */
export function* within(value) {
    if (Array.isArray(value)) {
        for (const item of value) {
            yield* within(item);
        }
    } else if (value !== null && typeof value === "object" && !(value instanceof Date)) {
        if (Object.values(CLASSES).includes(value.constructor)) {
            yield value;
        }
        for (const [, item] of fieldsOf(value)) {
            yield* within(item);
        }
    }
}

/** Servers that stop and start at once. */
const servers = { stop() {}, stopped: () => true, start() {} };

/** A copier whose first three copies fail, each in another way. */
function troubled() {
    const errors = [new ib.Corrupt("a bit"), new ib.SourceVanished("gone"), new ib.SourceChanged("another")];
    return {
        copy() {
            throw errors.pop() ?? new ib.Unsupported("no more");
        },
    };
}

async function listenedTo(job, events) {
    for await (const event of job) {
        events.push(event);
    }
    return job;
}

/** Two backups, of which one is damaged, one that was stopped, and what verbs say of them. */
async function backups(tmp, events) {
    const data = path.join(tmp, "data");
    const made = await testing.generate(data, { edition: "enterprise" });
    fs.unlinkSync(first(path.join(data, "ingester01"), ".parquet"));
    const repository = new ib.Repository(path.join(tmp, "backups"));
    const options = { orchestrator: servers, objectEvents: true };
    const copier = [troubled(), ...ib.defaultCopiers()];
    const reports = [
        await listenedTo(repository.backup(data, { name: "n1", copier, ...options }), events),
        await repository.backup(data, { name: "n3" }),
    ];
    fs.writeFileSync(first(path.join(tmp, "backups", "n3"), "manifest.json"), "{");
    await rejection(repository.backup(data, { name: "n2", copier: beforeACopy(stop) }));
    const refused = await rejection(repository.backup(data, { name: "n2" }));
    const backup = await repository.get("n1");
    const cluster = await ib.discover(data);
    return [
        made,
        await repository.planBackup(data),
        ...reports,
        refused.report,
        await repository.list(),
        await repository.leftovers(),
        await repository.marker(),
        await repository.verify("n1"),
        backup.manifest,
        backup.objects,
        backup.absent,
        cluster.description,
        await ib.inventory(cluster),
    ];
}

/** A restore that is looked at while it runs and then given up, one that ends, and one that replaces its data. */
async function restores(tmp, events) {
    const repository = new ib.Repository(path.join(tmp, "backups"));
    const target = path.join(tmp, "restored");
    const looks = [];
    const look = {
        async copy() {
            looks.push(await ib.inspect(target));
            stop();
        },
    };
    await rejection(repository.restore("n1", target, { copier: look }));
    const abandoned = await ib.abandon(target);
    const plan = await repository.planRestore("n1", target);
    const restored = await repository.restore(plan);
    fs.writeFileSync(path.join(path.dirname(first(target, ".wal")), "00000009999.wal"), "newer");
    const options = { policy: "replace", orchestrator: servers, objectEvents: true };
    const replaced = await listenedTo(repository.restore("n1", target, options), events);
    return [looks, abandoned, plan, restored, replaced, await ib.certify(target), await ib.inspect(target)];
}

/** What verbs return, throw and send, by its class; no two of a class are equal. */
export async function documents() {
    const tmp = scratch();
    const events = [];
    const returned = [await backups(tmp, events), await restores(tmp, events), events];
    // It takes thousands of events that are not read.
    returned.push(ib.Event.fromJSON({ seq: 3, at: "2026-01-02T03:04:05Z", event: "lagged", missed: 9 }));
    const found = {};
    for (const document of within(returned)) {
        const { name } = document.constructor;
        found[name] ??= new Map();
        found[name].set(JSON.stringify(document), document);
    }
    return Object.fromEntries(Object.entries(found).map(([name, ofClass]) => [name, [...ofClass.values()]]));
}
