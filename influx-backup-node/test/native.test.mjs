/** What is said where the native module is missing or cannot be loaded. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";

const require = createRequire(import.meta.url);
const top = path.dirname(require.resolve("influx-backup/package.json"));
const platform = require(path.join(top, "lib", "platform.cjs"));

const alone = fs.mkdtempSync(path.join(os.tmpdir(), "influx-backup-"));
after(() => fs.rmSync(alone, { recursive: true }));
fs.cpSync(path.join(top, "lib"), path.join(alone, "lib"), { recursive: true });
fs.copyFileSync(path.join(top, "package.json"), path.join(alone, "package.json"));

/** What the loader throws in a process where this was done before. */
function thrown(before = "") {
    const load = `${before}; try { require("./lib/native.cjs") } catch (error) {
        console.log(JSON.stringify([error.message, error.cause?.message, error.cause?.code])) }`;
    const ended = spawnSync(process.execPath, ["-e", load], { cwd: alone, encoding: "utf8" });
    assert.equal(ended.stderr, "");
    const [message, cause, code] = JSON.parse(ended.stdout);
    return { message, cause, code };
}

test("the optional package is not installed", () => {
    const { message, code } = thrown();
    assert.match(
        message,
        new RegExp(`no native module for ${platform}: .*@influx-backup/${platform} is not installed`),
    );
    assert.match(message, /--omit=optional.*install influx-backup again/);
    assert.equal(code, "MODULE_NOT_FOUND");
});

test("there is no package for the platform", () => {
    const { message } = thrown('Object.defineProperty(process, "platform", { value: "aix" })');
    assert.match(
        message,
        new RegExp(`no native module for aix-${process.arch}, only for darwin-arm64, .*win32-x64-msvc`),
    );
    assert.match(message, /build it with `make node`/);
});

test("the native module cannot be loaded", (t) => {
    const file = path.join(alone, `influx-backup.${platform}.node`);
    fs.writeFileSync(file, "no library");
    t.after(() => fs.rmSync(file));
    const { message, cause } = thrown();
    assert.ok(message.startsWith(`influx-backup cannot load its native module for ${platform}, ${file}: `), message);
    assert.ok(cause && message.endsWith(cause), message);
});

for (const [header, name] of [
    ["{}", "linux-x64-musl"],
    ['{ glibcVersionRuntime: "2.36" }', "linux-x64-gnu"],
]) {
    test(`the platform is ${name} where the report has ${header}`, () => {
        const { message } = thrown(`
            Object.defineProperty(process, "platform", { value: "linux" });
            Object.defineProperty(process, "arch", { value: "x64" });
            process.report.getReport = () => ({ header: ${header} })`);
        assert.match(message, new RegExp(` for ${name}: `));
    });
}
