/**
 * Node has every public item of the core, or `api-excluded.json` of the core says why no binding has it.
 *
 * `api.json` of the core lists the items. Each is looked for in the declarations by these rules; that the package has what is
 * declared is what `declared.test.mjs` tests.
 *
 * | in the core                                | in Node                                                            |
 * |--------------------------------------------|--------------------------------------------------------------------|
 * | `function()`                               | a function, in camelCase                                           |
 * | `Type`                                     | a class, an interface of options, or a union of texts              |
 * | `Type.field`, `Type::method()`             | a member of the class or interface, in camelCase                   |
 * | `Options::with_x()`                        | the member `x`                                                     |
 * | `Request::with_x()`                        | the option `x` of the verb                                         |
 * | `Enum::Variant`                            | its name, as the core writes it, in the union or among the choices |
 * | `Enum::ALL`, `NAMES`, `as_str()`           | the union, or the option                                           |
 * | `Error::Variant`, `FindingCode::Variant`   | its code, in `ErrorCode` or `FindingCode`                          |
 * | `EventKind::Variant`                       | a class                                                            |
 *
 * `CALLED` lists what has another name in Node.
 */

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";

import { checker, choices, EXPORTED, isValue, members, PACKAGE, typeNamed } from "./support/declarations.mjs";
import { SOURCES } from "./support/sources.mjs";

const CORE = path.join(SOURCES, "influx-backup-core");
const ITEMS = JSON.parse(fs.readFileSync(path.join(CORE, "api.json"), "utf8"));
const EXCLUDED = JSON.parse(fs.readFileSync(path.join(CORE, "api-excluded.json"), "utf8"));
const OPTIONS = JSON.parse(fs.readFileSync(path.join(CORE, "options.json"), "utf8"));

/** What an item of the core, and with it what belongs to it, is called in Node. */
const CALLED = {
    "Cluster::list()": "inventory",
    "DiscoverOptions::with_excluded_node()": "DiscoverOptions.excludedNodes",
    "DiscoverOptions::with_node()": "DiscoverOptions.nodeIds",
    Error: "InfluxBackupError",
    "Error::CODES": "ERROR_CODES",
    "Error::is_retryable()": "InfluxBackupError.retryable",
    EventKind: "Event",
    "EventKind::Finding": "FindingEvent",
    "EventKind::Progress": "ProgressEvent",
    "EventKind::name()": "Event.kind",
    Events: "Job",
    "Events::next()": "Job",
    "FindingCode::ALL": "FINDING_CODES",
    "FindingCode::as_str()": "FINDING_CODES",
    "FindingCode::meaning()": "FINDING_CODES.wal-gap.meaning",
    "FindingCode::severity()": "FINDING_CODES.wal-gap.severity",
    "Job::detach()": "Job.unref",
    "Job::events()": "Job",
    "Job::handle()": "Job",
    JobHandle: "Job",
    "JobHandle::finished()": "Job",
    "JobHandle::report()": "InfluxBackupError.report",
    "Location::parse()": "Location",
    "Location::with_store()": "Location",
    "Progress.pass": "Progress.passNumber",
    "Repository::open()": "Repository",
    "Repository::restore_backup()": "Repository.restore",
    Request: "Job",
    "Request::start()": "Job",
    "Request::with_object_events()": "abandon.objectEvents",
    Restore: "Repository.restore",
    "Restore::approving()": "Repository.restore",
    "Restore::approving_hash()": "Repository.restore.approvedHash",
    "Restore::new()": "Repository.restore",
    "Restore::start()": "Repository.restore",
    "Restore::with_run_options()": "RestoreRunOptions",
    Source: "Place",
    "Source::at()": "Place",
    "Target::inspect()": "inspect",
    "backup::BackupRequest": "Repository.backup",
    "backup::BackupRequest::start()": "Repository.backup",
    "certify::CertifyRequest": "certify",
    "certify::CertifyRequest::start()": "certify",
    "certify::CertifyRequest::with_options()": "CertifyOptions",
    "certify::certify_backup()": "certify",
    "certify::certify_cluster()": "certify",
    "cli::run()": "bin/influx-backup.cjs",
    "copier::CopyContext.cancellation": "CopyContext.signal",
    "copier::CopyContext.progress": "CopyContext.moved",
    "copier::CopyRequest.expect": "CopyRequest.size",
    "copier::CopyRequest.from": "CopyRequest.sourceKey",
    "copier::CopyRequest.to": "CopyRequest.targetKey",
    "error::CopyError::Changed": "SourceChanged",
    "error::CopyError::Corrupt": "Corrupt",
    "error::CopyError::Unsupported": "Unsupported",
    "error::CopyError::Vanished": "SourceVanished",
    "error::CopyError::code()": "CopyError.copyCode",
    "error::ErrorCode": "ERROR_CODES",
    "error::ErrorCode.category": "ERROR_CODES.link.category",
    "error::ErrorCode.code": "ERROR_CODES",
    "error::ErrorCode.meaning": "ERROR_CODES.link.meaning",
    "limits::Retry": "RetryOptions",
    "options::ContentDigest": "BackupOptions.digest",
    "options::ServersStopped": "RestoreRunOptions.serversStopped",
    "options::SourceCheck": "RestoreOptions.check",
    "plan::Reason": "SkipReason",
    "plan::Skipped.item": "Skipped.kind",
    "target::FoundRoot.content": "FoundRoot.kind",
    "target::Phase": "RestorePhase",
    "target::RootContent::Catalog": "RootContent.catalog",
    "target::RootContent::Guard": "RootContent.guard",
    "target::RootContent::Unreadable": "RootContent.unreadable",
    "target::RootContent::kind()": "FoundRoot.kind",
    "testing::generate::GenerateOptions::generate_into()": "generate",
    "verify::VerifyReport::passed()": "VerifyReport.ok",
    "verify::verify_at()": "verify",
};

/** What Node has another type of the same name for: a record of texts, and where a verb finds things. */
const OTHERS = ["StoreOptions", "plan::Place"];

/** Module, type or function, `()` of a function, and what belongs to the type. */
const PARTS = /^((?:[a-z_]+::)*)([A-Za-z]\w*)(\(\))?(?:(?:\.|::)(\w+)(?:\(\))?)?$/;

const camel = (name) => name.replace(/_json$/, "JSON").replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());
const snake = (name) => name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_").toLowerCase();
const kebab = (name) => snake(name).replaceAll("_", "-");

/** How the core writes the variants of each enum that has names. */
const VARIANTS = new Map();
for (const file of fs.readdirSync(path.join(CORE, "src"), { recursive: true })) {
    if (!file.endsWith(".rs")) continue;
    const text = fs.readFileSync(path.join(CORE, "src", file), "utf8");
    for (const [, type, listed] of text.matchAll(/named!\((\w+), "[^"]*", \{(.*?)\}\);/gs)) {
        for (const [, variant, name] of listed.matchAll(/(\w+)(?:\([\w:]+\))? => "([^"]+)"/g)) {
            VARIANTS.set(`${type}::${variant}`, name);
        }
    }
}

/** The path of an option with choices. */
function optionWithChoices(option) {
    const struct = Object.keys(OPTIONS).find((name) => OPTIONS[name][option]?.type === "choice");
    return struct && `${struct}.${camel(option)}`;
}

/** Where a type of the core is in Node, if it is there. */
function pathOfType(module, name) {
    const called = CALLED[module + name];
    if (called) return called;
    const isNamed = ITEMS.includes(`${module}${name}::NAMES`);
    return (isNamed && !EXPORTED.has(name) && optionWithChoices(snake(name))) || name;
}

/** Where an item of the core is in Node, if it is there. */
function pathOf(item) {
    if (CALLED[item]) return CALLED[item];
    const [, module, name, isFunction, member] = PARTS.exec(item);
    if (isFunction) return camel(name);
    const ofType = pathOfType(module, name);
    if (member === undefined || ["ALL", "NAMES", "as_str"].includes(member)) return ofType;
    if (/^[A-Z]/.test(member)) {
        if (name === "Error") return `ErrorCode.${kebab(member)}`;
        if (name === "FindingCode") return `FindingCode.${kebab(member)}`;
        if (name === "EventKind") return member;
    }
    const variant = VARIANTS.get(`${name}::${member}`);
    if (variant) return `${ofType}.${variant}`;
    const isOption = resolve(ofType)?.some((type) => type.getCallSignatures().length > 0) || /Options$/.test(ofType);
    return `${ofType}.${camel(isOption || ofType in OPTIONS ? member.replace(/^with_/, "") : member)}`;
}

/** The types of what is at a path, of which a name may have two: a declared member, a text of a union, or an option of a verb. */
function resolve(at) {
    if (at.startsWith("bin/")) return fs.existsSync(path.join(PACKAGE, at)) ? [] : undefined;
    const [first, ...rest] = at.split(".");
    const symbol = EXPORTED.get(first);
    if (!symbol) return undefined;
    let types = [typeNamed(symbol), isValue(symbol) ? checker.getTypeOfSymbol(symbol) : undefined].filter(Boolean);
    for (const part of rest) types = types.flatMap((type) => step(type, part));
    return types.length > 0 ? types : undefined;
}

function step(type, part) {
    if (choices(type).length > 0) return choices(type).includes(part) ? [type] : [];
    const signatures = type.getCallSignatures();
    const within =
        signatures.length > 0 ? signatures.flatMap((it) => it.parameters.map(checker.getTypeOfSymbol)) : [type];
    return within.flatMap((it) => {
        const plain = checker.getNonNullableType(it);
        return members(plain)
            .filter((symbol) => symbol.name === part)
            .map(checker.getTypeOfSymbol);
    });
}

const matches = (item, pattern) =>
    new RegExp(
        `^${pattern
            .split("*")
            .map((part) => part.replace(/[.()]/g, "\\$&"))
            .join(".*")}$`,
    ).test(item);
const inNode = new Set(ITEMS.filter((item) => !OTHERS.includes(item) && resolve(pathOf(item))));

test("every item is in Node or excluded", () => {
    const patterns = Object.keys(EXCLUDED);
    const missing = ITEMS.filter((item) => !inNode.has(item) && !patterns.some((pattern) => matches(item, pattern)));
    assert.deepEqual(
        missing,
        [],
        "add them to Node, or to api-excluded.json with a reason that holds for Python as well",
    );
});

test("what is excluded is not in Node", () => {
    const both = Object.keys(EXCLUDED).flatMap((pattern) => [...inNode].filter((item) => matches(item, pattern)));
    assert.deepEqual(both, []);
});

test("what is called otherwise is in the core", () => {
    assert.deepEqual(
        [...Object.keys(CALLED), ...OTHERS].filter((item) => !ITEMS.includes(item)),
        [],
    );
});

test("a new item of the core is missed", () => {
    const unheard = ["BackupReport.unheard", "Clause::Unheard", "Error::Unheard", "BackupOptions::with_unheard()"];
    for (const item of [
        ...unheard,
        "Repository::unheard()",
        "Unheard",
        "unheard()",
        "certify::CertifyRequest::with_unheard()",
    ]) {
        assert.equal(resolve(pathOf(item)), undefined, item);
    }
});
