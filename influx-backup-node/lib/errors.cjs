"use strict";
// What verbs reject with: `InfluxBackupError`, with a subclass for each category and for the codes that scripts branch on.

const { isNativeError } = require("node:util/types");
const native = require("./native.cjs");
const { classes, revive } = require("./revive.cjs");

const ERROR_CODES = deepFreeze(native.errorCodes());
const FINDING_CODES = deepFreeze(native.findingCodes());

/** An error of influx-backup. `message` says what happened, to what, and what to do; `report` is all of it as data. */
class InfluxBackupError extends Error {
    constructor(report, options) {
        super(messageOf(report), options);
        describe(this, report);
    }

    /** `UnknownOptionError` is a `TypeError`, and one of these. */
    static [Symbol.hasInstance](value) {
        const isInstance = Function.prototype[Symbol.hasInstance];
        const isUsage = this === InfluxBackupError || this === UsageError;
        return isInstance.call(this, value) || (isUsage && isInstance.call(UnknownOptionError, value));
    }

    get hints() {
        return this.report.hints;
    }

    get certificate() {
        return this.report.certificate;
    }

    get findings() {
        return this.report.findings;
    }
}

class UsageError extends InfluxBackupError {}
class NotFoundError extends InfluxBackupError {}
class RefusedError extends InfluxBackupError {}
class BackupExistsError extends RefusedError {}
class BackupInProgressError extends RefusedError {}
class InvalidKeyError extends RefusedError {}
class PlanChangedError extends RefusedError {}
class RestoreInProgressError extends RefusedError {}
class RestoreUnfinishedError extends RefusedError {}
class TargetNotEmptyError extends RefusedError {}
class NotConsistentError extends InfluxBackupError {}
class StoreError extends InfluxBackupError {}
class AccessDeniedError extends StoreError {}
class NoSpaceError extends StoreError {}
class StoreTimeoutError extends StoreError {}
class OrchestratorError extends InfluxBackupError {}
class InternalError extends InfluxBackupError {}

/** The job was cancelled. */
class CancelledError extends InfluxBackupError {}

/** An option that the call does not know: a `TypeError` and a `UsageError`. */
class UnknownOptionError extends TypeError {
    constructor(report, options) {
        super(messageOf(report), options);
        describe(this, report);
    }
}
const { constructor: _, ...inherited } = Object.getOwnPropertyDescriptors(InfluxBackupError.prototype);
Object.defineProperties(UnknownOptionError.prototype, inherited);

const errorClasses = {
    AccessDeniedError,
    BackupExistsError,
    BackupInProgressError,
    CancelledError,
    InfluxBackupError,
    InternalError,
    InvalidKeyError,
    NoSpaceError,
    NotConsistentError,
    NotFoundError,
    OrchestratorError,
    PlanChangedError,
    RefusedError,
    RestoreInProgressError,
    RestoreUnfinishedError,
    StoreError,
    StoreTimeoutError,
    TargetNotEmptyError,
    UnknownOptionError,
    UsageError,
};
for (const [name, ErrorClass] of Object.entries(errorClasses)) {
    share(ErrorClass, { name: name === "CancelledError" ? "AbortError" : name });
}

const byCategory = {
    usage: UsageError,
    not_found: NotFoundError,
    refused: RefusedError,
    not_consistent: NotConsistentError,
    store: StoreError,
    orchestrator: OrchestratorError,
    cancelled: CancelledError,
    internal: InternalError,
};

const byCode = {
    "unknown-option": UnknownOptionError,
    "backup-exists": BackupExistsError,
    "backup-in-progress": BackupInProgressError,
    "invalid-key": InvalidKeyError,
    "plan-changed": PlanChangedError,
    "restore-in-progress": RestoreInProgressError,
    "restore-unfinished": RestoreUnfinishedError,
    "target-not-empty": TargetNotEmptyError,
    "access-denied": AccessDeniedError,
    ownership: AccessDeniedError,
    "no-credentials": AccessDeniedError,
    "no-space": NoSpaceError,
    stalled: StoreTimeoutError,
    unreachable: StoreTimeoutError,
};

function messageOf(report) {
    if (!(report instanceof classes.ErrorReport)) {
        throw new TypeError("an InfluxBackupError is made from an ErrorReport");
    }
    return report.message;
}

function describe(error, report) {
    const { code, category, key, location, hints, retryable } = report;
    Object.assign(error, { code, category, key, location, hint: hints.join("\n") || null, retryable });
    Object.defineProperty(error, "report", { value: report });
}

/** The error that a report tells of. Without a `cause` it has the messages of the causes in the report. */
function errorOf(report, cause) {
    const ErrorClass = byCode[report.code] ?? byCategory[report.category] ?? InfluxBackupError;
    return new ErrorClass(report, cause ?? report.causes.reduceRight(causeOf, undefined));
}

/** What an error has as its cause that has only a message, and may have a cause itself. */
function causeOf(inner, message) {
    const cause = new Error(message, inner);
    // It happened in no JavaScript.
    cause.stack = `Error: ${message}`;
    return { cause };
}

/** What the native module threw, for the caller: `calls` threw what is its cause, or the reason of the `signal` is. */
function explain(error, calls, signal) {
    const failure = error?.failure;
    if (!(failure instanceof native.Failure)) {
        return valueError(error);
    }
    const report = revive(failure.report);
    if (failure.thrown !== null) {
        return errorOf(report, { cause: calls.thrown(failure.thrown) });
    }
    const isAborted = report.category === "cancelled" && signal?.aborted;
    return errorOf(report, isAborted ? { cause: signal.reason } : undefined);
}

/** What `call` returns. What the native module throws becomes an error of the package. */
function attempt(call) {
    try {
        return call();
    } catch (error) {
        throw explain(error);
    }
}

/** What the promise that `call` returns comes to, for the caller. */
async function attemptAsync(call) {
    try {
        return revive(await call());
    } catch (error) {
        throw explain(error);
    }
}

/** What the native module throws where a value is not what it can take or give, and else what was thrown. */
function valueError(error) {
    const code = isNativeError(error) ? String(error.code) : "";
    if (code === "BigintExpected") {
        return new RangeError(error.message);
    }
    return /^(InvalidArg|\w+Expected)$/.test(code) ? new TypeError(error.message) : error;
}

/** Gives instances of a class values that they share, and that each may replace by its own. */
function share({ prototype }, values) {
    for (const [name, value] of Object.entries(values)) {
        Object.defineProperty(prototype, name, { value, configurable: true, writable: true });
    }
}

function deepFreeze(codes) {
    Object.values(codes).forEach(Object.freeze);
    return Object.freeze(codes);
}

module.exports = { ERROR_CODES, FINDING_CODES, attempt, attemptAsync, classes: errorClasses, explain, share };
