/** The package has what `index.d.ts` and `testing.d.ts` declare, and nothing else: names, classes, members, and their types. */

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { inspect } from "node:util";

import * as ib from "influx-backup";
import * as testing from "influx-backup/testing";

import { committed, core, repository, scratch } from "./support/clusters.mjs";
import {
    baseOf,
    checker,
    choices,
    fits,
    INDEX,
    isClass,
    isFunction,
    isMethod,
    isValue,
    members,
    resolved,
    returned,
    TESTING,
    typeNamed,
} from "./support/declarations.mjs";
import { documents } from "./support/documents.mjs";

const require = createRequire(import.meta.url);

/** What the package exports, both kinds of modules. */
const REAL = { ...ib, ...testing };
const CLASSES = new Map([...INDEX, ...TESTING].filter(([, symbol]) => isClass(symbol)));

/** What errors have from JavaScript, but where a class has more to say of it. */
const OF_ERRORS = ["name", "message", "stack", "cause"];

/** Values of every class. */
const values = await allValues();

async function allValues() {
    const found = new Map(Object.entries(await documents()));
    const add = (...instances) => {
        for (const it of instances) found.set(it.constructor.name, [...(found.get(it.constructor.name) ?? []), it]);
    };
    const copier = {
        copy(...given) {
            add(...given);
            throw new ib.Unsupported();
        },
    };
    const job = repository().backup(await core(), { copier: [copier, ...ib.defaultCopiers()] });
    await job;
    const repo = await committed();
    add(job, repo, repo.location, await repo.get("n1"), await ib.discover(await core()), ...ib.defaultCopiers());
    for (const [name, symbol] of CLASSES) {
        if (ancestors(symbol).includes("CopyError")) add(new REAL[name]("a reason"));
        if (ancestors(symbol).includes("InfluxBackupError")) add(errorOf(name, symbol));
    }
    return found;
}

/** An error of a class, made from a report. */
function errorOf(name, symbol) {
    const literal = (member) => choices(checker.getTypeOfPropertyOfType(typeNamed(symbol), member))[0];
    const code = literal("code");
    const category = name === "InfluxBackupError" ? "internal" : literal("category");
    const report = { code, category, message: "a message", retryable: false, causes: ["one", "two"] };
    return new REAL[name](ib.ErrorReport.fromJSON(report), { cause: new Error("one") });
}

/** The names of a class and those it extends. */
function ancestors(symbol) {
    const base = baseOf(symbol);
    return [symbol.name, ...(base ? ancestors(base) : [])];
}

/** The names of members that an instance has: its own, and those of its classes but those of JavaScript. */
function namesOf(instance) {
    const names = new Set(Reflect.ownKeys(instance));
    for (let at = Object.getPrototypeOf(instance); !isOfJavaScript(at); at = Object.getPrototypeOf(at)) {
        for (const key of Reflect.ownKeys(at)) names.add(key);
    }
    const hidden = ["constructor", Symbol.toStringTag, inspect.custom];
    return [...names]
        .filter((key) => !hidden.includes(key))
        .map((key) => (key === Symbol.asyncIterator ? ITERATOR : key));
}

const ITERATOR = "[Symbol.asyncIterator]";

function isOfJavaScript(prototype) {
    return [Object, Error, TypeError, Promise].some((it) => prototype === it.prototype);
}

/** The declared members of a class, by name. */
function declaredMembers(symbol) {
    return new Map(
        members(typeNamed(symbol)).map((it) => [it.name.startsWith("__@asyncIterator") ? ITERATOR : it.name, it]),
    );
}

for (const [name, symbols, real] of [
    ["influx-backup", INDEX, ib],
    ["influx-backup/testing", TESTING, testing],
]) {
    test(`${name} exports what is declared`, () => {
        const declared = [...symbols.values()].filter(isValue).map((symbol) => symbol.name);
        assert.deepEqual(Object.keys(real).sort(), declared.sort());
        assert.deepEqual(Object.keys(require(name)).sort(), declared.sort());
        for (const key of declared) {
            assert.equal(require(name)[key], real[key], `${key} is the same in both kinds of modules`);
            assert.ok(
                fits(real[key], checker.getTypeOfSymbol(symbols.get(key)), REAL),
                `${key} is ${inspect(real[key])}`,
            );
        }
    });
}

test("there are values of every class", () => {
    assert.deepEqual([...values.keys()].sort(), [...CLASSES.keys()].sort());
});

for (const [name, symbol] of CLASSES) {
    const declared = declaredMembers(symbol);
    const ofErrors = ancestors(symbol).some((it) => ["CopyError", "InfluxBackupError"].includes(it)) ? OF_ERRORS : [];
    const others = (names) => names.filter((it) => !ofErrors.includes(it)).sort();

    test(`${name} has the members that are declared`, () => {
        for (const value of values.get(name).slice(0, 20)) {
            assert.deepEqual(others(namesOf(value)), others([...declared.keys()]));
            for (const [member, it] of declared) {
                const key = member === ITERATOR ? Symbol.asyncIterator : member;
                assert.equal(typeof value[key] === "function", isMethod(it), member);
            }
        }
    });

    test(`${name} has members of the types that are declared`, () => {
        for (const value of values.get(name).slice(0, 200)) {
            for (const [member, it] of declared) {
                if (isMethod(it)) continue;
                const type = checker.getTypeOfSymbol(it);
                const told = `${member} is ${inspect(value[member])}, not ${checker.typeToString(type)}`;
                assert.ok(fits(value[member], type, REAL), told);
            }
        }
    });

    test(`${name} has the static members that are declared`, () => {
        const found = new Set();
        for (
            let at = REAL[name];
            at !== Function.prototype && !isOfJavaScript(at.prototype);
            at = Object.getPrototypeOf(at)
        ) {
            for (const key of Object.getOwnPropertyNames(at)) found.add(key);
        }
        const statics = members(checker.getTypeOfSymbol(symbol)).map((it) => it.name);
        const real = [...found].filter((key) => !["length", "name", "prototype", "arguments", "caller"].includes(key));
        assert.deepEqual(real.sort(), statics.filter((key) => key !== "prototype").sort());
    });

    test(`${name} extends what is declared`, () => {
        const base = baseOf(symbol)?.name.replace("EventBase", "Event");
        for (const value of values.get(name)) {
            assert.ok(value instanceof REAL[name]);
            if (base in REAL) assert.ok(value instanceof REAL[base], base);
            for (const ofJavaScript of [Error, Promise]) {
                const isDeclared = ancestors(symbol).includes(ofJavaScript.name);
                assert.equal(value instanceof ofJavaScript, isDeclared, ofJavaScript.name);
            }
        }
    });
}

test("an unknown option is a TypeError as well", () => {
    const [error] = values.get("UnknownOptionError");
    assert.ok(error instanceof TypeError && error instanceof ib.UsageError && error instanceof ib.InfluxBackupError);
    for (const [name, [other]] of values) {
        if (name !== "UnknownOptionError")
            assert.ok(!(other instanceof TypeError) && !(other instanceof ib.UnknownOptionError));
    }
});

test("a class of errors is told from those beside it", () => {
    for (const [name, symbol] of CLASSES) {
        if (!(values.get(name)[0] instanceof Error)) continue;
        for (const [other, it] of CLASSES) {
            if (values.get(other)[0] instanceof Error) {
                assert.equal(
                    values.get(other)[0] instanceof REAL[name],
                    ancestors(it).includes(symbol.name),
                    `${other} ${name}`,
                );
            }
        }
    }
});

/** A call of each function and method that gives a promise. */
async function calls() {
    const [data, repo] = [await core(), await committed()];
    const [cluster, backup] = [await ib.discover(data), await repo.get("n1")];
    const plan = await repo.planRestore("n1", scratch());
    const fails = { name: "n1", copier: { copy: () => Promise.reject(new Error("no copy")) } };
    const [unfinished, target] = [repository(), scratch()];
    await assert.rejects(unfinished.backup(data, fails));
    const [leftover] = await unfinished.leftovers();
    await assert.rejects(repo.restore("n1", target, { copier: fails.copier }));
    return {
        abandon: () => ib.abandon(target),
        certify: () => ib.certify(data),
        discover: () => ib.discover(data),
        generate: () => testing.generate(scratch(), { nodes: 1 }),
        inspect: () => ib.inspect(target),
        inventory: () => ib.inventory(cluster),
        verify: () => ib.verify(backup),
        "Repository.backup": () => repository().backup(data),
        "Repository.certify": () => repo.certify("n1"),
        "Repository.get": () => repo.get("n1"),
        "Repository.leftovers": () => unfinished.leftovers(),
        "Repository.list": () => repo.list(),
        "Repository.marker": () => repo.marker(),
        "Repository.planBackup": () => repo.planBackup(data),
        "Repository.planRestore": () => repo.planRestore("n1", scratch()),
        "Repository.remove": () => unfinished.remove(leftover),
        "Repository.restore": () => repo.restore(plan),
        "Repository.verify": () => repo.verify("n1"),
    };
}

test("functions and methods give what is declared", async (t) => {
    const functions = [...INDEX.values(), ...TESTING.values()].map((it) => [it.name, it]);
    const methods = [...declaredMembers(INDEX.get("Repository"))].map(([name, it]) => [`Repository.${name}`, it]);
    const started = await calls();
    const promising = [];
    for (const [name, symbol] of [...functions.filter(([, it]) => isFunction(it)), ...methods]) {
        const types = returned(symbol).filter((it) => ["Job", "Promise"].includes(it.symbol?.name));
        if (types.length === 0) continue;
        promising.push(name);
        await t.test(name, async () => {
            const promise = started[name]();
            assert.ok(promise instanceof { Job: ib.Job, Promise }[types[0].symbol.name], "it is no job");
            const value = await promise;
            assert.ok(fits(value, resolved(types[0]), REAL), `${name} gives ${inspect(value)}`);
        });
    }
    assert.deepEqual(promising.sort(), Object.keys(started).sort());
});
