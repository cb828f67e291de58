/** Each verb takes the options that `index.d.ts` declares for it, and no other that any verb has. */

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";

import * as ib from "influx-backup";

import { committed, core, repository, scratch } from "./support/clusters.mjs";
import { INDEX, members, options, typeNamed } from "./support/declarations.mjs";
import { SOURCES } from "./support/sources.mjs";

const OPTIONS = JSON.parse(fs.readFileSync(path.join(SOURCES, "influx-backup-core", "options.json"), "utf8"));
const camel = (name) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());

/** A value of each option that some verb has, which changes nothing: its default. */
const DEFAULTS = { signal: null, objectEvents: false, copier: null, orchestrator: null, approvedHash: null };
for (const struct of Object.keys(OPTIONS).filter((name) => /Options$/.test(name))) {
    for (const [name, { type, default: value }] of Object.entries(OPTIONS[struct])) {
        DEFAULTS[camel(name)] = type in OPTIONS ? {} : value;
    }
}

const [cluster, plan] = await Promise.all([
    core().then((data) => ib.discover(data)),
    committed().then((repo) => repo.planRestore("n1", scratch())),
]);
const leftover = ib.Leftover.fromJSON({ name: "n1", kind: "unfinished", objects: 1, bytes: 1 });
const missing = path.join(scratch(), "missing");
const repo = repository();

/** A call of each signature that takes options. */
const CALLS = {
    abandon: [(given) => ib.abandon(missing, given)],
    certify: [(given) => ib.certify(missing, given)],
    discover: [(given) => ib.discover(missing, given)],
    inspect: [(given) => ib.inspect(missing, given)],
    inventory: [(given) => ib.inventory(cluster, given)],
    verify: [(given) => ib.verify(missing, given)],
    "Repository.backup": [(given) => repo.backup(missing, given)],
    "Repository.certify": [(given) => repo.certify("n1", given)],
    "Repository.get": [(given) => repo.get("n1", given)],
    "Repository.leftovers": [(given) => repo.leftovers(given)],
    "Repository.list": [(given) => repo.list(given)],
    "Repository.planBackup": [(given) => repo.planBackup(missing, given)],
    "Repository.planRestore": [(given) => repo.planRestore("n1", missing, given)],
    "Repository.remove": [(given) => repo.remove(leftover, given)],
    "Repository.restore": [
        (given) => repo.restore(plan, given),
        (given) => repo.restore(plan, missing, given),
        (given) => repo.restore("n1", missing, given),
    ],
    "Repository.verify": [(given) => repo.verify("n1", given)],
};

/** The options of each signature of each function and method that takes some. */
const DECLARED = new Map(
    [
        ...[...INDEX.values()].map((symbol) => [symbol.name, symbol]),
        ...members(typeNamed(INDEX.get("Repository"))).map((symbol) => [`Repository.${symbol.name}`, symbol]),
    ]
        .map(([name, symbol]) => [name, options(symbol)])
        .filter(([, signatures]) => signatures.length > 0),
);

test("every function and method that takes options is called", () => {
    const counts = Array.from(DECLARED, ([name, signatures]) => [name, signatures.length]);
    const calls = Object.entries(CALLS).map(([name, it]) => [name, it.length]);
    assert.deepEqual(Object.fromEntries(counts), Object.fromEntries(calls));
});

for (const [name, calls] of Object.entries(CALLS)) {
    for (const [index, call] of calls.entries()) {
        test(`${name} takes the options that are declared, and no other (${index})`, async () => {
            const taken = [];
            for (const [option, value] of Object.entries(DEFAULTS)) {
                const error = await call({ [option]: value }).then(
                    () => null,
                    (error) => error,
                );
                if (!(error instanceof ib.UnknownOptionError)) {
                    taken.push(option);
                    assert.ok(
                        error === null || !["invalid-option", "internal"].includes(error.code),
                        `${option}: ${error}`,
                    );
                }
            }
            assert.deepEqual(taken.sort(), [...DECLARED.get(name)[index]].sort());
        });
    }
}
