/** What is known of each error, and what every error has to be. */

import assert from "node:assert/strict";
import { inspect } from "node:util";

import * as ib from "influx-backup";

const OF_CATEGORY = {
    usage: ib.UsageError,
    not_found: ib.NotFoundError,
    refused: ib.RefusedError,
    not_consistent: ib.NotConsistentError,
    store: ib.StoreError,
    orchestrator: ib.OrchestratorError,
    cancelled: ib.CancelledError,
    internal: ib.InternalError,
};

/** The codes that have a class of their own. */
const OF_CODE = {
    "access-denied": ib.AccessDeniedError,
    "backup-exists": ib.BackupExistsError,
    "backup-in-progress": ib.BackupInProgressError,
    "invalid-key": ib.InvalidKeyError,
    "no-credentials": ib.AccessDeniedError,
    "no-space": ib.NoSpaceError,
    ownership: ib.AccessDeniedError,
    "plan-changed": ib.PlanChangedError,
    "restore-in-progress": ib.RestoreInProgressError,
    "restore-unfinished": ib.RestoreUnfinishedError,
    stalled: ib.StoreTimeoutError,
    "target-not-empty": ib.TargetNotEmptyError,
    "unknown-option": ib.UnknownOptionError,
    unreachable: ib.StoreTimeoutError,
};

/** The options that answer an error; all others have none. */
export const HINTS = {
    "backup-in-progress": ["onExisting", "takeover"],
    "backup-unfinished": ["onExisting"],
    "cannot-abandon": ["onUnfinished"],
    "commit-unconfirmed": ["onExisting"],
    "corrupt-source": ["onCorrupt"],
    "damaged-journal": ["onUnfinished"],
    "degraded-backup": ["onDegraded"],
    "extra-nodes": ["extraNodes", "extraNodes"],
    "lease-lost": ["onExisting"],
    "nodes-required": ["nodeIds"],
    "not-consistent": ["onViolation"],
    "object-archived": ["onUnreadable"],
    "object-unreadable": ["onUnreadable"],
    "restore-in-progress": ["takeover"],
    "restore-unfinished": ["onUnfinished"],
    "servers-not-stopped": ["serversStopped"],
    "several-clusters": ["clusterId", "nodeIds"],
    "target-not-empty": ["policy"],
    throttled: ["limits.concurrency"],
    "unknown-id": ["queryOnly"],
};

/** Codes of errors that may be gone when the same is tried again. */
export const RETRYABLE = new Set([
    "backup-in-progress",
    "copy-corrupt",
    "restore-in-progress",
    "stalled",
    "store-error",
    "throttled",
    "unreachable",
]);

/** The categories that have a class. */
export const CATEGORIES = Object.keys(OF_CATEGORY);

/** The codes that have a class of their own. */
export const CODES_WITH_CLASS = Object.keys(OF_CODE);

/** The class of errors with a code. */
export function classOf(code) {
    return OF_CODE[code] ?? OF_CATEGORY[ib.ERROR_CODES[code].category];
}

/** The messages of an error's causes, the nearest first. */
export function causes(error) {
    return error.cause instanceof Error ? [error.cause.message, ...causes(error.cause)] : [];
}

/** Asserts that an error has its class and all that it is to say. */
export function assertIsWhole(error, code, secret) {
    assert.equal(error.code, code, inspect(error));
    const { category } = ib.ERROR_CODES[code];
    assert.equal(error.category, category);
    assert.equal(error.constructor, classOf(code));
    for (const parent of [Error, ib.InfluxBackupError, OF_CATEGORY[category]]) {
        assert.ok(error instanceof parent, `${code} is no ${parent.name}`);
    }
    assert.equal(error.name, code === "cancelled" ? "AbortError" : classOf(code).name);
    assert.equal(error.retryable, RETRYABLE.has(code));
    assert.deepEqual(
        error.hints.map((hint) => hint.option),
        HINTS[code] ?? [],
    );
    assert.equal(error.hint === null, !(code in HINTS));
    assert.ok(error.message.trim());
    assert.equal(error.message, error.report.message);
    assert.deepEqual([error.key, error.location], [error.report.key, error.report.location]);
    assert.deepEqual(error.certificate, error.report.certificate);
    assert.deepEqual(error.findings, error.report.findings);
    assert.ok(error.stack.startsWith(`${error.name}: ${error.message}`), error.stack);
    const shown = inspect(error);
    assert.ok(shown.includes(code) && shown.includes(error.message), shown);
    const texts = [String(error), shown, inspect(error, { depth: 9, showHidden: true }), String(error.report)];
    for (const text of [...texts, error.stack, JSON.stringify(error.report), JSON.stringify(error)]) {
        assert.ok(!text.includes(secret), `a credential in ${text}`);
    }
    assert.deepEqual(ib.ErrorReport.fromJSON(JSON.stringify(error.report)), error.report);
    const cloned = structuredClone(error);
    assert.ok(cloned instanceof Error);
    assert.equal(cloned.message, error.message);
}
