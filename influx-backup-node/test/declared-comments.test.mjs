/** Comments of the declarations: every exported name and member has one, in words of JavaScript, and examples are right. */

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { checker, choices, commented, EXPORTED, members, typeNamed } from "./support/declarations.mjs";
import { diagnose } from "./support/typescript.mjs";

const COMMENTS = [...commented()];
const NOT_OF_JAVASCRIPT =
    /::|\b(None|True|False|dict|tuple|keyword argument|raises?|Rust|crate|struct|trait|asyncio|Vec)\b/;

/** The texts that unions and options consist of: they are written as they are. */
const TEXTS = new Set(
    [...EXPORTED.values()].flatMap((symbol) => {
        const type = typeNamed(symbol);
        return type ? [type, ...members(type).map((it) => checker.getTypeOfSymbol(it))].flatMap(choices) : [];
    }),
);

test("every exported name and member has a comment", () => {
    assert.ok(COMMENTS.length > 500);
    assert.deepEqual(
        COMMENTS.filter(([, text]) => !/\w/.test(text)).map(([name]) => name),
        [],
    );
});

test("comments have words of JavaScript, and names in camelCase", () => {
    for (const [name, text] of COMMENTS) {
        assert.doesNotMatch(text, NOT_OF_JAVASCRIPT, name);
        for (const [, snake] of text.matchAll(/`([a-z]+(?:_[a-z0-9]+)+)`/g)) {
            assert.ok(TEXTS.has(snake) || snake === "process_default", `${name}: ${snake}`);
        }
    }
});

test("links are to what is exported", () => {
    for (const [name, text] of COMMENTS) {
        for (const [, link] of text.matchAll(/\{@link (\w+)\}/g)) assert.ok(EXPORTED.has(link), `${name}: ${link}`);
    }
});

test("examples are right", () => {
    const examples = COMMENTS.flatMap(([name, text]) =>
        Array.from(text.matchAll(/```ts\n(.*?)```/gs), ([, code]) => [name, code.replace(/^ *\* ?/gm, "")]),
    );
    assert.ok(examples.length > 10);
    const directory = fs.mkdtempSync(fileURLToPath(new URL("types/examples-", import.meta.url)));
    try {
        const files = examples.map(([name], index) => `${name}-${index}.mts`);
        for (const [index, file] of files.entries()) fs.writeFileSync(path.join(directory, file), examples[index][1]);
        assert.equal(diagnose(directory, files, { module: "nodenext" }), "");
    } finally {
        fs.rmSync(directory, { recursive: true });
    }
});
