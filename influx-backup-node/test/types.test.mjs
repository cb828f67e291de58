/** What compilers of TypeScript say about the declarations, and about programs that use them. */

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { COMPILERS, diagnose } from "./support/typescript.mjs";

const TYPES = fileURLToPath(new URL("types", import.meta.url));
const EXAMPLES = fileURLToPath(new URL("../../examples/node", import.meta.url));

const BUNDLER = { module: "esnext", moduleResolution: "bundler" };

for (const compiler of Object.keys(COMPILERS)) {
    test(`TypeScript ${compiler} accepts right programs and finds every mistake`, () => {
        // The declarations themselves are checked below, and those of Node.js take the older compiler half a minute.
        const options = { module: "nodenext", skipLibCheck: true };
        assert.equal(diagnose(TYPES, ["right.mts", "right.cts", "wrong.ts"], options, compiler), "");
    });

    test(`TypeScript ${compiler} accepts the declarations, and needs types of neither Node.js nor browsers`, () => {
        const options = { module: "nodenext", types: [], lib: ["es2018"] };
        assert.equal(diagnose(TYPES, ["bare.mts"], options, compiler), "");
    });
}

test("the module system node16 is as good", () => {
    assert.equal(diagnose(TYPES, ["right.mts", "right.cts", "wrong.ts"], { module: "node16" }), "");
});

test("modules are found as bundlers resolve them", () => {
    assert.equal(diagnose(TYPES, ["right.mts", "wrong.ts"], BUNDLER), "");
});

test("types of browsers are as good as those of Node.js", () => {
    const lib = ["es2022", "dom", "dom.iterable", "dom.asynciterable"];
    assert.equal(diagnose(TYPES, ["right.mts", "wrong.ts"], { ...BUNDLER, types: [], lib }), "");
});

test("every example is right", () => {
    const files = fs.readdirSync(EXAMPLES).filter((name) => /\.m?[jt]s$/.test(name));
    assert.ok(files.length > 0);
    const lenient = { exactOptionalPropertyTypes: false, noUncheckedIndexedAccess: false };
    const options = { module: "nodenext", allowJs: true, checkJs: true, allowImportingTsExtensions: true, ...lenient };
    assert.equal(diagnose(EXAMPLES, files, options), "");
});

test("a mistake that is not marked is found", () => {
    const wrong = fs.readFileSync(path.join(TYPES, "wrong.ts"), "utf8");
    const directory = fs.mkdtempSync(path.join(TYPES, "unmarked-"));
    try {
        fs.writeFileSync(path.join(directory, "wrong.ts"), wrong.replaceAll("@ts-expect-error", ""));
        const found = diagnose(directory, ["wrong.ts"], { module: "nodenext" }).match(/wrong\.ts\(\d+,\d+\): error/g);
        assert.equal(found.length, wrong.split("@ts-expect-error").length - 1);
    } finally {
        fs.rmSync(directory, { recursive: true });
    }
});
