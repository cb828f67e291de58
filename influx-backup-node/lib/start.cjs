"use strict";
// How a verb is started, given its options.

const native = require("./native.cjs");
const { Job } = require("./jobs.cjs");
const { kindOf, nameOf } = require("./kind.cjs");
const { session } = require("./session.cjs");

/**
 * Starts a verb as a job.
 *
 * `names` are the options that the package itself takes, besides `signal`; the others are the core's. `begin` starts it
 * natively, given the options of the core, the caller, and its own options.
 */
function start(verb, given, names, begin) {
    return new Job(verb, (wake) => {
        const own = ownOf(given, ["signal", ...names]);
        const signal = own.signal ?? undefined;
        const orchestrator = own.orchestrator ?? undefined;
        checkSignal(signal);
        const { objectEvents = false } = own;
        if (typeof objectEvents !== "boolean") {
            throw new TypeError(`\`objectEvents\` is true or false, not ${kindOf(objectEvents)}`);
        }
        const caller = new native.Caller(session, wake, objectEvents);
        const callees = [];
        for (const copier of copiersOf(own.copier ?? undefined)) {
            addCopier(caller, callees, copier);
        }
        if (orchestrator !== undefined) {
            check(orchestrator, "orchestrator", ["stop", "stopped", "start"]);
            caller.setOrchestrator(nameOf(orchestrator));
            callees.push(orchestrator);
        }
        return { begin: () => begin(given ?? {}, caller, own), caller, callees, signal };
    });
}

/** The options of the package among those that are given, by these names. */
function ownOf(given, names) {
    if (given !== undefined && (given === null || typeof given !== "object" || Array.isArray(given))) {
        throw new TypeError(`options are an object, not ${kindOf(given)}`);
    }
    const named = names.filter((name) => Object.hasOwn(given ?? {}, name));
    return { __proto__: null, ...Object.fromEntries(named.map((name) => [name, given[name]])) };
}

function checkSignal(signal) {
    const methods = ["addEventListener", "removeEventListener"];
    const isSignal =
        typeof signal?.aborted === "boolean" && methods.every((name) => typeof signal[name] === "function");
    if (signal !== undefined && !isSignal) {
        throw new TypeError(`\`signal\` is an AbortSignal, not ${kindOf(signal)}`);
    }
}

function copiersOf(given) {
    if (given === undefined) {
        return [];
    }
    const copiers = Array.isArray(given) ? given : [given];
    if (copiers.length === 0) {
        throw new TypeError("`copier` is an empty list, and copies nothing: leave it out for the default");
    }
    return copiers;
}

function addCopier(caller, callees, copier) {
    if (copier instanceof native.NativeCopier) {
        caller.addCopier(copier);
        return;
    }
    check(copier, "copier", ["copy"]);
    caller.addCopier(nameOf(copier));
    callees.push(copier);
}

/** Refuses an object that lacks one of the methods that are called. */
function check(object, option, methods) {
    const missing = methods.find((method) => typeof object?.[method] !== "function");
    if (missing !== undefined) {
        throw new TypeError(`\`${option}\` needs the method \`${missing}\`: it is ${kindOf(object)}`);
    }
}

module.exports = { start };
