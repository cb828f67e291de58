"use strict";
// What moves objects: what a copier of one's own is given, and what it throws.

const { inspect } = require("node:util");
const { share } = require("./errors.cjs");
const native = require("./native.cjs");
const { revive } = require("./revive.cjs");

/** One object to move. */
class CopyRequest {
    #call;

    constructor(call) {
        this.#call = call;
        Object.assign(this, revive(call.argument));
        Object.freeze(this);
    }

    /** To be called directly before each request that changes the target. */
    checkLease() {
        if (!this.#call.holdsLease()) {
            throw new LeaseLost(`${this.target} may no longer be written to`);
        }
    }
}

/** What a copier may use besides the request. */
class CopyContext {
    #call;

    constructor(call, signal) {
        this.#call = call;
        /** Aborted when the copy is to stop. */
        this.signal = signal;
        Object.freeze(this);
    }

    /** Reports that this many bytes were moved. */
    moved(bytes) {
        if (!Number.isSafeInteger(bytes) || bytes < 0) {
            throw new RangeError(`\`moved\` takes a whole number of bytes, not ${inspect(bytes)}`);
        }
        this.#call.moved(bytes);
    }
}

/**
 * Why an object could not be copied, where the run can do something about it. Thrown as itself it is a failure of a store, and
 * the copy is tried again.
 */
class CopyError extends Error {}

/** This copier does not do such copies: the next one is asked. */
class Unsupported extends CopyError {}

/** The source no longer exists. */
class SourceVanished extends CopyError {}

/** The source has another version than the one that is wanted. */
class SourceChanged extends CopyError {}

/** The copy differs from its source: it is tried again. */
class Corrupt extends CopyError {}

/** Another process may have taken the target over: nothing may be written to it any more. */
class LeaseLost extends CopyError {}

const copyErrors = { CopyError, Corrupt, LeaseLost, SourceChanged, SourceVanished, Unsupported };

/** What became of the copy, by the codes that the core has for it. */
const copyCodes = {
    CopyError: "store-error",
    Corrupt: "copy-corrupt",
    LeaseLost: "cancelled",
    SourceChanged: "source-changed",
    SourceVanished: "source-vanished",
    Unsupported: "copy-unsupported",
};

for (const [name, ErrorClass] of Object.entries(copyErrors)) {
    share(ErrorClass, { name, copyCode: copyCodes[name] });
}

module.exports = {
    ...copyErrors,
    CopyContext,
    CopyRequest,
    NativeCopier: native.NativeCopier,
    defaultCopiers: native.defaultCopiers,
};
