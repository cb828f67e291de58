// The package in a context of its own, as test runners load it.

import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import test from "node:test";
import vm from "node:vm";
import { generate } from "influx-backup/testing";
import { scratch } from "./support/clusters.mjs";

const entry = createRequire(import.meta.url).resolve("influx-backup");

/** Loads a module of the package in a context, which it shares with the modules that it requires. */
function load(file, context, loaded = new Map()) {
    if (!loaded.has(file)) {
        const module = { exports: {} };
        loaded.set(file, module);
        const real = createRequire(file);
        const own = (name) => (name.endsWith(".cjs") ? load(real.resolve(name), context, loaded) : real(name));
        const parameters = ["require", "module", "__dirname"];
        const code = vm.compileFunction(fs.readFileSync(file, "utf8"), parameters, { parsingContext: context });
        code(own, module, path.dirname(file));
    }
    return loaded.get(file).exports;
}

const context = vm.createContext({ process, URL, Buffer, AbortController });
const ib = load(entry, context);
const [TheirError, TheirDate, TheirArray, TheirTypeError] = vm.runInContext("[Error, Date, Array, TypeError]", context);

test("data are of the realm of the package", async () => {
    const data = path.join(scratch(), "data");
    await generate(data);
    const certificate = await ib.certify(data);
    assert.ok(certificate.clauses instanceof TheirArray);
    assert.ok(certificate.recovery[0].guaranteed === null || certificate.recovery[0].time instanceof TheirDate);
});

test("errors are of the realm of the package", async () => {
    const wrong = await ib.certify("/missing", new Map()).catch((error) => error);
    assert.ok(wrong instanceof TheirTypeError, String(wrong));
    const missing = await ib.certify("/there/is/nothing").catch((error) => error);
    assert.ok(missing instanceof TheirError && missing instanceof ib.NotFoundError, String(missing));
});

test("what a copier threw is shown by its message, whatever realm it is of", async () => {
    const data = path.join(scratch(), "data");
    await generate(data);
    const copier = { copy: () => fs.promises.readFile("/there/is/nothing") };
    const job = new ib.Repository(path.join(scratch(), "repository")).backup(data, { name: "n1", copier });
    const error = await job.catch((error) => error);
    assert.equal(error.code, "copier-failed");
    assert.ok(error.report.causes.includes(error.cause.message), JSON.stringify(error.report.causes));
});
