// A reporter of `node --test` that prints results as `cargo test` does, so that `make test` adds them up.

import { basename } from "node:path";
import { inspect } from "node:util";

/** The name of a test: its file, the names of those around it, and its own. A file that fails as a whole has no other. */
function fullName(names, { file = "", name, nesting }) {
    const around = [basename(file, ".test.mjs"), ...names.slice(0, nesting)];
    return (file.endsWith(name) ? around : [...around, name]).join(" > ");
}

/** Why the runner skips what `--test-name-pattern` excludes. */
const UNASKED = "test name does not match pattern";

/** What a test threw, without the runner's own error around it. */
function thrown({ error }) {
    return inspect(error.cause ?? error, { depth: 8 });
}

/** Called by the runner. */
export default async function* asCargo(events) {
    const names = [];
    const failures = [];
    let passed = 0;
    let ignored = 0;
    yield `     Running tests of the package (node${process.versions.node.replace(/\.\d+$/, "")})\n`;
    for await (const { type, data } of events) {
        if (type === "test:start") names[data.nesting] = data.name;
        if (type === "test:stdout" || type === "test:stderr") yield data.message;
        // What happened after a test had ended; of the rest, counts are below.
        if (type === "test:diagnostic" && /^\w+: /.test(data.message)) yield `${data.message}\n`;
        if (type !== "test:pass" && type !== "test:fail") continue;
        const { details, skip, todo } = data;
        if (skip === UNASKED) continue;
        const name = fullName(names, data);
        if (todo !== undefined) {
            ignored += 1;
            yield `test ${name} ... ignored\n`;
        } else if (type === "test:fail") {
            // A test around one that failed has not failed itself.
            if (details.error.failureType === "subtestsFailed") continue;
            failures.push(`---- ${name} ----\n${thrown(details)}\n\n`);
            yield `test ${name} ... FAILED\n`;
        } else if (details.type !== "suite") {
            // What is skipped counts as passed: in Rust too it is a test that ends well after it has printed `not run`.
            passed += 1;
            if (skip !== undefined) yield `not run: ${name.replaceAll("(", "[")} (node): ${skip}\n`;
            yield `test ${name} ... ok\n`;
        }
    }
    if (failures.length > 0) yield `\nfailures:\n\n${failures.join("")}`;
    const outcome = failures.length > 0 ? "FAILED" : "ok";
    yield `\ntest result: ${outcome}. ${passed} passed; ${failures.length} failed; ${ignored} ignored; 0 measured\n`;
}
