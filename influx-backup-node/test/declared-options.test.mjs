/** `index.d.ts` has the options and the names of the core, with their types, choices and defaults, and no other. */

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";

import {
    alternatives,
    checker,
    choices,
    comment,
    EXPORTED,
    INDEX,
    isOptional,
    members,
    typeNamed,
} from "./support/declarations.mjs";
import { SOURCES } from "./support/sources.mjs";

const CORE = path.join(SOURCES, "influx-backup-core");
const OPTIONS = JSON.parse(fs.readFileSync(path.join(CORE, "options.json"), "utf8"));

/** The interface of Node for a struct of the core: the name of one is that of an event, too. */
const interfaceOf = (struct) => (struct === "Retry" ? "RetryOptions" : struct);
const camel = (name) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());

/** The declared options of an interface, by name. */
function declared(struct) {
    const found = members(typeNamed(EXPORTED.get(interfaceOf(struct))));
    return new Map(found.map((symbol) => [symbol.name, symbol]));
}

/** The alternatives of a type as text, sorted. */
function shownTypes(type) {
    return alternatives(type)
        .map((it) => checker.typeToString(it))
        .sort();
}

const TYPES = {
    string: ["string"],
    integer: ["number"],
    duration: ["number", "string"],
    "byte size": ["number", "string"],
    "list of strings": ["readonly string[]"],
};

/** The alternatives of an option, as the core describes it. */
function expectedTypes({ type, choices: chosen, nullable }) {
    const types = chosen?.map((choice) => JSON.stringify(choice)) ?? TYPES[type] ?? [interfaceOf(type)];
    return [...types, ...(nullable ? ["null"] : [])].sort();
}

const UNITS = { ms: "ms", s: "s", m: "minute", h: "hour", d: "day" };

/** A default as people write it. */
function shown(value) {
    if (Array.isArray(value)) return "none";
    if (Number.isInteger(value) && value >= 1 << 10) {
        return value >= 1 << 20 ? `${value / (1 << 20)} MiB` : `${value / (1 << 10)} KiB`;
    }
    const [, count, unit] = (typeof value === "string" && value.match(/^(\d+)([a-z]+)$/)) || [];
    if (unit in UNITS) return `${count} ${UNITS[unit]}${unit !== "ms" && unit !== "s" && count !== "1" ? "s" : ""}`;
    return typeof value === "number" ? String(value) : `\`${value}\``;
}

function tellsDefault(text, value) {
    return [`Default: ${value}`, `Default, ${value}`].some((told) => text.includes(told));
}

for (const [struct, described] of Object.entries(OPTIONS)) {
    const options = declared(struct);

    test(`${interfaceOf(struct)} has the options of the core, none of them required`, () => {
        assert.deepEqual([...options.keys()].sort(), Object.keys(described).map(camel).sort());
        for (const [name, symbol] of options) assert.ok(isOptional(symbol), name);
    });

    for (const [name, option] of Object.entries(described)) {
        test(`${interfaceOf(struct)}.${camel(name)} has the type of the core, and tells its default`, () => {
            const symbol = options.get(camel(name));
            assert.deepEqual(shownTypes(checker.getTypeOfSymbol(symbol)), expectedTypes(option));
            const text = comment(symbol);
            if (option.type === "choice") {
                const told = name === "servers_stopped" ? "(`not_confirmed`)" : `- \`${option.default}\` (default)`;
                assert.ok(text.includes(told), text);
            } else if (!(option.type in OPTIONS)) {
                assert.ok(tellsDefault(text, shown(option.default)), text);
            }
            if ("minimum" in option) {
                const { minimum, maximum } = option;
                assert.ok(
                    [`at least ${minimum}`, `from ${minimum} to ${maximum}`].some((it) => text.includes(it)),
                    text,
                );
            }
        });
    }
}

test("GenerateOptions has the options of the core, with their types and defaults", () => {
    const source = fs.readFileSync(path.join(CORE, "src/testing/generate/options.rs"), "utf8");
    const kinds = source.split("pub struct GenerateOptions")[1].matchAll(/^ {4}pub (\w+): (\w+),$/gm);
    const options = declared("GenerateOptions");
    const types = { u16: ["number"], u32: ["number"], u64: ["number"], ByteSize: ["number", "string"] };
    const expected = Array.from(kinds, ([, name, kind]) => [
        camel(name),
        types[kind] ??
            choices(typeNamed(INDEX.get(kind)))
                .map((it) => JSON.stringify(it))
                .sort(),
    ]);
    const found = Array.from(options, ([name, symbol]) => [name, shownTypes(checker.getTypeOfSymbol(symbol))]);
    assert.deepEqual(Object.fromEntries(found), Object.fromEntries(expected));
    for (const [, name, value] of source.matchAll(/^ {12}(\w+): (.*),$/gm)) {
        const [, base, shift] = value.match(/^(?:ByteSize\()?(\d+)(?: << (\d+)\))?/) ?? [];
        const given = base ? Number(base) << Number(shift ?? 0) : value.split("::").pop().toLowerCase();
        assert.ok(tellsDefault(comment(options.get(camel(name))), shown(given)), name);
    }
});

/** What an enum is called in the core, where that is not its name here, or where several have this name. */
const ENUMS = {
    Phase: "progress::Phase",
    RestorePhase: "target::Phase",
    SkipReason: "Reason",
    SkippedKind: "SkippedItem",
};

test("unions of texts have the names of the core", () => {
    const lists = new Map();
    for (const file of fs.readdirSync(path.join(CORE, "src"), { recursive: true }).sort()) {
        if (!file.endsWith(".rs")) continue;
        const text = fs.readFileSync(path.join(CORE, "src", file), "utf8");
        const named = text.matchAll(/named!\((\w+), "[^"]*", \{(.*?)\}\);/gs);
        const kinds = text.matchAll(/impl (\w+) \{[^}]*fn kind\(&self\) -> &'static str \{(.*?)\n {4}\}/gs);
        for (const [, name, body] of [...named, ...kinds]) {
            const texts = Array.from(body.matchAll(/=> "([^"]+)"/g), ([, text]) => text);
            lists.set(name, texts).set(`${path.basename(file, ".rs")}::${name}`, texts);
        }
    }
    const unions = [...INDEX.values()].filter((symbol) => !/Code$/.test(symbol.name) && isUnionOfTexts(symbol));
    assert.ok(unions.length > 25);
    for (const { name } of unions) {
        assert.deepEqual(choices(typeNamed(INDEX.get(name))).sort(), lists.get(ENUMS[name] ?? name)?.toSorted(), name);
    }
});

function isUnionOfTexts(symbol) {
    const type = typeNamed(symbol);
    return type !== undefined && alternatives(type).every((it) => it.isStringLiteral());
}
