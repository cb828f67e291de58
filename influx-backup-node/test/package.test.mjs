/** What the packages hold, and what they say of themselves. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { test } from "node:test";

import { notRun } from "./support/clusters.mjs";
import { SOURCES } from "./support/sources.mjs";

const require = createRequire(import.meta.url);
const installed = require("influx-backup/package.json");
const top = path.dirname(require.resolve("influx-backup/package.json"));
const platform = require(path.join(top, "lib", "platform.cjs"));
const dist = process.env.INFLUX_BACKUP_DIST;

const read = (...name) => fs.readFileSync(path.join(SOURCES, ...name), "utf8");
const version = /^version = "(.*)"$/m.exec(read("Cargo.toml"))[1];
const platforms = fs.readdirSync(path.join(SOURCES, "influx-backup-node", "npm")).sort();
const manifests = platforms.map((name) => JSON.parse(read("influx-backup-node", "npm", name, "package.json")));

/** The files of a packed package, sorted. */
function packed(name) {
    const file = path.join(dist, `${name}-${version}.tgz`);
    return execFileSync("tar", ["-tzf", file], { encoding: "utf8" }).trim().split("\n").sort();
}

/** The files that belong in a directory of the package, as the sources have them. */
function sources(directory) {
    const found = fs.readdirSync(path.join(SOURCES, "influx-backup-node", directory), { recursive: true });
    return found.filter((name) => name.endsWith(".cjs")).map((name) => `${directory}/${name}`);
}

test("the package holds what it needs and nothing else", (t) => {
    if (!dist) return notRun(t, "nothing is packed: use .ci/node test");
    const expected = [
        ...["LICENSE-APACHE", "LICENSE-MIT", "README.md", "package.json", "bin/influx-backup.cjs"],
        ...["index.cjs", "index.d.mts", "index.d.ts", "index.mjs"],
        ...["testing.cjs", "testing.d.mts", "testing.d.ts", "testing.mjs"],
        ...sources("lib"),
    ];
    assert.deepEqual(packed("influx-backup"), expected.map((name) => `package/${name}`).sort());
});

test("the package of a platform holds its native module, nothing else", (t) => {
    if (!dist) return notRun(t, "nothing is packed: use .ci/node test");
    const expected = ["LICENSE-APACHE", "LICENSE-MIT", `influx-backup.${platform}.node`, "package.json"];
    assert.deepEqual(
        packed(`influx-backup-${platform}`),
        expected.map((name) => `package/${name}`),
    );
});

test("nothing else is installed with it", (t) => {
    if (!dist) return notRun(t, "nothing is installed: use .ci/node test");
    const modules = path.dirname(top);
    const visible = (directory) => fs.readdirSync(directory).filter((name) => !name.startsWith("."));
    assert.deepEqual(visible(modules).sort(), ["@influx-backup", "influx-backup"]);
    assert.deepEqual(visible(path.join(modules, "@influx-backup")), [platform]);
    assert.ok(fs.existsSync(path.join(modules, ".bin", "influx-backup")));
    assert.equal(installed.dependencies, undefined);
    assert.equal(installed.scripts, undefined, "nothing runs at installation");
});

test("every path of the manifest leads to a file", () => {
    const paths = (value) => (typeof value === "string" ? [value] : Object.values(value).flatMap(paths));
    const all = [installed.main, installed.types, ...paths(installed.exports), ...paths(installed.bin)];
    assert.deepEqual(
        all.filter((name) => !fs.existsSync(path.join(top, name))),
        [],
    );
});

test("all versions are that of the workspace", () => {
    assert.equal(installed.version, version);
    assert.equal(require("influx-backup").version, version);
    assert.deepEqual(new Set(Object.values(installed.optionalDependencies)), new Set([version]));
    assert.deepEqual(new Set(manifests.map((manifest) => manifest.version)), new Set([version]));
});

test("the oldest Node.js that is allowed is the one that is described and tried", () => {
    const [, oldest] = /^>=(\d+\.\d+)$/.exec(installed.engines.node);
    assert.ok(read("influx-backup-node", "README.md").includes(`(from ${oldest})`));
    assert.ok(read(".ci", "node").includes(`\nOTHER_VERSIONS=(${oldest}.`));
});

test("the manifests and CONTRIBUTING name the same platforms", () => {
    const names = platforms.map((name) => `@influx-backup/${name}`);
    assert.deepEqual(Object.keys(installed.optionalDependencies).sort(), names);
    const page = read("CONTRIBUTING.md");
    const described = [...page.matchAll(/^\| `([a-z0-9]+-(?:x64|arm64)[a-z-]*)` \|/gm)].map(([, name]) => name);
    assert.deepEqual(described.sort(), platforms);
});

for (const [at, name] of platforms.entries()) {
    test(`the manifest for ${name}`, () => {
        const [os, cpu, abi] = name.split("-");
        const libc = { gnu: ["glibc"], musl: ["musl"] }[abi];
        const main = `influx-backup.${name}.node`;
        const { files, license, engines, repository } = manifests[at];
        assert.deepEqual(
            { ...manifests[at], description: undefined },
            {
                ...{ name: `@influx-backup/${name}`, version, description: undefined, license, repository, engines },
                ...{ os: [os], cpu: [cpu], ...(libc && { libc }), main, files },
            },
        );
        assert.deepEqual(files, ["LICENSE-*", main]);
        assert.deepEqual([license, engines], [installed.license, installed.engines]);
        assert.deepEqual(repository, { ...installed.repository, directory: `influx-backup-node/npm/${name}` });
    });
}
