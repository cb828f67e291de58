// Modules of the package use only those of the layers before their own, as `ARCHITECTURE.md` has them.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import test from "node:test";
import { SOURCES } from "./support/sources.mjs";

const PACKAGE = path.join(SOURCES, "influx-backup-node");
const PAGE = path.join(SOURCES, "influx-backup-core", "ARCHITECTURE.md");

/** The place of each module in the order of the page. */
function places(language) {
    const [, section] = fs.readFileSync(PAGE, "utf8").split("\n## The Node package\n");
    const rows = section.split("\n## ")[0].matchAll(new RegExp(`^- \\*\\*.*?\\*\\* \\(${language}: (.*?)\\):`, "gm"));
    const modules = [...rows].flatMap(([, row]) => [...row.matchAll(/`(\w+)`/g)].map(([, module]) => module));
    return new Map(modules.map((module, place) => [module, place]));
}

/** Checks that every module is on the page, and uses none that is later there. */
function check(language, uses) {
    const found = places(language);
    assert.deepEqual([...uses.keys()].sort(), [...found.keys()].sort());
    const edges = [...uses].flatMap(([module, names]) => [...names].map((name) => [module, name]));
    const wrong = edges.filter(([module, name]) => found.get(name) > found.get(module));
    assert.deepEqual(wrong, []);
}

function files(directory, extension) {
    return fs.readdirSync(directory, { recursive: true }).filter((file) => file.endsWith(extension));
}

test("modules in Rust use those of layers before their own", () => {
    const directory = path.join(PACKAGE, "src");
    const uses = new Map();
    for (const file of files(directory, ".rs").filter((file) => file !== "lib.rs")) {
        const module = file.split(path.sep)[0].replace(".rs", "");
        const code = fs.readFileSync(path.join(directory, file), "utf8").replace(/^\s*\/\/.*$/gm, "");
        const names = uses.get(module) ?? new Set();
        for (const [, name] of code.matchAll(/crate::(\w+)/g)) {
            names.add(name);
        }
        for (const [, group] of code.matchAll(/crate::\{(.*?)\};/gs)) {
            for (const [, name] of group.replace(/\{[^}]*\}/g, "").matchAll(/(?:^|,)\s*(\w+)/g)) {
                names.add(name);
            }
        }
        uses.set(module, names);
    }
    check("Rust", uses);
});

test("modules in JavaScript use those of layers before their own", () => {
    const directory = path.join(PACKAGE, "lib");
    const uses = new Map();
    for (const file of files(directory, ".cjs")) {
        const code = fs.readFileSync(path.join(directory, file), "utf8");
        const names = [...code.matchAll(/require\("\.\/(\w+)\.cjs"\)/g)].map(([, name]) => name);
        uses.set(file.replace(".cjs", ""), new Set(names));
    }
    check("JavaScript", uses);
});
