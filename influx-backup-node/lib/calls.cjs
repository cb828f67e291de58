"use strict";
// Calls from the core into copiers and orchestrators of the caller.

const { inspect } = require("node:util");
const { isNativeError } = require("node:util/types");
const { CopyContext, CopyError, CopyRequest } = require("./copiers.cjs");
const { revive } = require("./revive.cjs");

/** The calls that a job makes, and what they threw. */
class Calls {
    #callees;
    #controllers = new Map();
    #thrown = [];

    constructor(callees) {
        this.#callees = callees;
    }

    /** What was thrown, by its number. */
    thrown(index) {
        return this.#thrown[index];
    }

    /** Makes the calls that wait, and tells those that are to end. */
    make(caller) {
        for (let call = caller.takeCall(); call !== null; call = caller.takeCall()) {
            this.#make(call);
        }
        for (let id = caller.takeAbandoned(); id !== null; id = caller.takeAbandoned()) {
            this.#controllers.get(id)?.abort();
        }
    }

    async #make(call) {
        const controller = new AbortController();
        this.#controllers.set(call.id, controller);
        try {
            const given =
                call.method === "copy"
                    ? [new CopyRequest(call), new CopyContext(call, controller.signal)]
                    : [revive(call.argument)];
            call.resolve(await this.#callees[call.callee][call.method](...given));
        } catch (error) {
            const code = call.method === "copy" ? copyCodeOf(error) : undefined;
            // What has a code is no cause, and is not kept: it may be thrown for each object.
            const index = code === undefined ? this.#thrown.push(error) - 1 : null;
            call.reject(index, messageOf(error), code);
        } finally {
            this.#controllers.delete(call.id);
        }
    }
}

/** What was thrown, for a person. */
function messageOf(error) {
    try {
        const isError = isNativeError(error) || error instanceof Error;
        return isError ? String(error.message) : inspect(error);
    } catch {
        return "what was thrown cannot be shown";
    }
}

/** What a copier means by it, where it is a `CopyError`. */
function copyCodeOf(error) {
    try {
        const isCode = error instanceof CopyError && typeof error.copyCode === "string";
        return isCode ? error.copyCode : undefined;
    } catch {
        return undefined;
    }
}

module.exports = { Calls };
