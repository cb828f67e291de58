/** The code of the README, run block by block, and what it prints. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import * as ib from "influx-backup";
import ts from "typescript-5";

import { core, scratch } from "./support/clusters.mjs";
import { minioWithCore } from "./support/minio.mjs";
import { EXAMPLES } from "./support/scripts.mjs";
import { SOURCES } from "./support/sources.mjs";
import { diagnose } from "./support/typescript.mjs";

const README = path.join(SOURCES, "influx-backup-node", "README.md");
const PACKAGE = import.meta.resolve("influx-backup");

/** The code of a page with the text that is shown below it, block by block. */
function blocks(page) {
    const fences = fs.readFileSync(page, "utf8").matchAll(/^```(\w+)\n(.*?)^```$/gms);
    const found = [];
    for (const [, language, text] of fences) {
        if (language === "js" || language === "ts") {
            found.push({ language, code: text, shown: null });
        } else if (language === "text" && found.length > 0) {
            found.at(-1).shown = text;
        }
    }
    return found;
}

/** A page with its places in a directory, as a module for each block. */
class Page {
    constructor(file, directory, source) {
        this.directory = directory;
        this.places = {
            "s3://vault/nightly": path.join(directory, "backups"),
            "s3://prod": source,
            "/var/lib/influxdb3/data": path.join(directory, "data"),
            "/srv/restored": path.join(directory, "restored"),
            "/tmp/cluster": path.join(directory, "made"),
        };
        this.blocks = blocks(file);
    }

    /** The code of a block, with what it takes from those before it. */
    code({ code }) {
        const before = [];
        if (!code.includes("const repo =") && code.includes("repo.")) {
            before.push('import { Repository as Opened } from "influx-backup";');
            before.push('const repo = new Opened("s3://vault/nightly");');
        }
        // A location with options of a store names no files.
        const own = code.replace('"s3://vault/nightly", { awsRegion: "eu-central-1" }', '"s3://vault/nightly"');
        return [...before, own].join("\n").replace(/(?<!new Location\()"(\S+?)"/g, (text, place) => {
            return place in this.places ? JSON.stringify(this.places[place]) : text;
        });
    }

    /** Writes the blocks as modules that any Node.js runs, and returns their paths. */
    write() {
        return this.blocks.map((block, number) => {
            const file = path.join(this.directory, `block-${number + 1}.mjs`);
            const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
            let code = this.code(block);
            if (block.language === "ts") {
                code = ts.transpileModule(code, { compilerOptions }).outputText;
            }
            const resolve = (name) => JSON.stringify(import.meta.resolve(name));
            fs.writeFileSync(
                file,
                code.replace(/"(influx-backup(\/testing)?)"/g, (_, name) => resolve(name)),
            );
            return file;
        });
    }
}

/** Times, and hashes, which differ from run to run. */
function withoutTimes(text) {
    return text.replace(/20\d\d-\d\d-\d\d[T ][\d:.]+Z?/g, "TIME").replace(/[0-9a-f]{64}/g, "HASH");
}

/** The tour as issue 10 asks for it, without its comments. */
const TOUR = `\
const repo = new Repository("s3://vault/nightly", { awsRegion: "eu-central-1" });
const job = repo.backup("s3://prod", { name: "n1", signal: AbortSignal.timeout(3_600_000) });
for await (const event of job) bar(event);
const report = await job;
const plan = await repo.planRestore("n1", "/var/lib/influxdb3/data", { policy: "replace" }); console.log(String(plan));
await repo.restore(plan, { serversStopped: true });
`;

test("the tour is what was asked for", () => {
    const [{ code }] = blocks(README);
    assert.ok(code.replace(/ +\/\/.*/g, "").includes(TOUR));
    assert.ok(code.startsWith('import { Repository, certify } from "influx-backup";\n'));
});

test("the README runs, and prints what it shows", async () => {
    const directory = scratch();
    const calls = path.join(directory, "calls");
    const bin = path.join(directory, "bin");
    fs.mkdirSync(bin);
    const systemctl = `#!/bin/sh\necho "$@" >> ${calls}\n[ "$1" = is-active ] && { echo inactive; exit 3; }\nexit 0\n`;
    fs.writeFileSync(path.join(bin, "systemctl"), systemctl, { mode: 0o755 });
    const page = new Page(README, directory, await core());
    const main = path.join(directory, "main.mjs");
    const start = `import os from "node:os"; os.loadavg = () => [0.5, 0.5, 0.5]; process.stderr.isTTY = true;\n`;
    const imports = page.write().map((file) => `await import(${JSON.stringify(pathToFileURL(file))});`);
    fs.writeFileSync(main, start + imports.join('\nconsole.log("----");\n'));
    const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}` };
    const ran = spawnSync(process.execPath, [main], { encoding: "utf8", env, timeout: 60_000 });
    assert.equal(ran.status, 0, ran.stdout + ran.stderr);
    const [tour, ...printed] = ran.stdout.split("----\n");
    assert.match(withoutTimes(tour), /^Restore of node01 from backup n1 to [\s\S]*\ncomplete TIME\ntrue\n$/);
    assert.deepEqual(
        printed.map(withoutTimes),
        page.blocks.slice(1).map(({ shown }) => withoutTimes(shown)),
    );
    assert.match(ran.stderr, /\[K.*63 of 63 objects.*\(100 %\)/);
    const [first, ...others] = fs.readFileSync(calls, "utf8").trim().split("\n");
    assert.deepEqual([first, others.at(-1)], ["stop influxdb3@node01", "start influxdb3@node01"]);
});

test("the front page runs", async () => {
    const directory = scratch();
    const page = new Page(path.join(SOURCES, "README.md"), directory, await core());
    const [file, ...others] = page.write();
    assert.deepEqual(others, []);
    const ran = spawnSync(process.execPath, [file], { encoding: "utf8", timeout: 60_000 });
    assert.equal(ran.status, 0, ran.stderr);
    assert.match(ran.stdout, /^backup monday: complete\n[\s\S]*\ntrue\n$/);
});

test("the tour runs on S3", async (t) => {
    const minio = await minioWithCore(t, "s3://prod/data");
    if (!minio) return;
    const directory = scratch();
    const page = new Page(README, directory, "s3://prod/data");
    page.places["s3://vault/nightly"] = "s3://vault/nightly";
    const [tour] = page.write();
    const env = { ...process.env, ...minio.environment };
    const ran = spawnSync(process.execPath, [tour], { encoding: "utf8", env, timeout: 60_000 });
    assert.equal(ran.status, 0, ran.stderr);
    assert.match(withoutTimes(ran.stdout), /\ncomplete TIME\ntrue\n$/);
    assert.ok((await ib.certify(path.join(directory, "data"))).isProven);
});

test("TypeScript accepts the TypeScript of the README", async () => {
    const directory = fs.mkdtempSync(path.join(EXAMPLES, ".readme-"));
    try {
        const page = new Page(README, scratch(), await core());
        const files = page.blocks
            .filter(({ language }) => language === "ts")
            .map((block, number) => {
                fs.writeFileSync(path.join(directory, `block-${number}.mts`), page.code(block));
                return `block-${number}.mts`;
            });
        assert.equal(files.length, 1);
        assert.equal(diagnose(directory, files, { module: "nodenext" }), "");
    } finally {
        fs.rmSync(directory, { recursive: true });
    }
});

test("the table of errors is the hierarchy", () => {
    const rows = [...fs.readFileSync(README, "utf8").matchAll(/^\| `(\w+Error)` \| (.*?) ?\|/gm)];
    const classes = Object.entries(ib).filter(([name]) => /^(?!InfluxBackup|Copy)\w+Error$/.test(name));
    assert.deepEqual(rows.map(([, name]) => name).sort(), classes.map(([name]) => name).sort());
    const parents = Object.fromEntries(rows.map(([, name, parents]) => [name, parents.match(/\w+/g) ?? []]));
    for (const [name, ErrorClass] of classes) {
        const error = new ErrorClass(ib.ErrorReport.fromJSON(REPORT));
        const all = [...classes, ["TypeError", TypeError], ["RangeError", RangeError]];
        const found = all.filter(([other, It]) => other !== name && error instanceof It).map(([other]) => other);
        assert.deepEqual(found.sort(), parents[name].sort(), name);
    }
});

/** An error, as a document. */
const REPORT = {
    code: "internal",
    category: "internal",
    message: "",
    hints: [],
    retryable: false,
    key: null,
    location: null,
    causes: [],
    certificate: null,
    findings: [],
    context: {},
};

test("the README has every verb", () => {
    const [, table] = fs.readFileSync(README, "utf8").match(/^## Verbs\n(.*?)^## /ms);
    const methods = Object.getOwnPropertyNames(ib.Repository.prototype).filter(
        (name) => !["constructor", "location", "toString"].includes(name),
    );
    const verbs = ["discover", "inventory", "certify", "verify", "inspect", "abandon"];
    assert.deepEqual(
        [...verbs, ...methods.map((name) => `repo.${name}`)].filter((verb) => !table.includes(`\`${verb}(`)),
        [],
    );
});

test("the README has every platform", () => {
    const found = fs.readFileSync(README, "utf8").match(/@influx-backup\/[\w-]+/g);
    const { optionalDependencies } = JSON.parse(fs.readFileSync(new URL("package.json", PACKAGE), "utf8"));
    assert.deepEqual(found.sort(), Object.keys(optionalDependencies).sort());
});

test("links lead somewhere", () => {
    for (const page of [README, path.join(SOURCES, "examples", "node", "README.md")]) {
        for (const [, link] of fs.readFileSync(page, "utf8").matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
            assert.ok(fs.existsSync(path.join(path.dirname(page), link)), `${link} in ${page}`);
        }
    }
});
