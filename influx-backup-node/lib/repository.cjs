"use strict";
// `Repository`: a location that holds backups. What is done with them is a method of it.

const { inspect } = require("node:util");
const native = require("./native.cjs");
const { dataOrPlace, instance, isPlace, place } = require("./arguments.cjs");
const { attemptAsync } = require("./errors.cjs");
const { textOf } = require("./kind.cjs");
const { Location } = require("./location.cjs");
const { classes } = require("./revive.cjs");
const { start } = require("./start.cjs");

const RUN_OPTIONS = ["objectEvents", "copier", "orchestrator"];

class Repository {
    #native;
    #location;

    constructor(at, options) {
        this.#location = new Location(at, options);
        this.#native = new native.Repository(place(this.#location));
    }

    get location() {
        return this.#location;
    }

    marker() {
        return attemptAsync(() => this.#native.marker());
    }

    planBackup(source, options) {
        const begin = (given, caller) => this.#native.planBackup(dataOrPlace(source), given, caller);
        return start(this.planBackup, options, [], begin);
    }

    backup(source, options) {
        const begin = (given, caller) => this.#native.backup(dataOrPlace(source), given, caller);
        return start(this.backup, options, RUN_OPTIONS, begin);
    }

    planRestore(name, target, options) {
        const begin = (given, caller) => this.#native.planRestore(backupName(name), place(target), given, caller);
        return start(this.planRestore, options, [], begin);
    }

    restore(what, ...rest) {
        // With a plan its options may come in the place of the target.
        const [target, options] = isPlace(rest[0]) || rest.length > 1 ? rest : [undefined, rest[0]];
        const begin = (given, caller, { approvedHash }) => {
            if (!(what instanceof classes.RestorePlan)) {
                return this.#native.restoreBackup(backupName(what), place(target), given, approvedHash, caller);
            }
            const at = target === undefined || target === null ? undefined : place(target);
            return this.#native.restorePlan(instance("RestorePlan", what), at, given, approvedHash, caller);
        };
        return start(this.restore, options, [...RUN_OPTIONS, "approvedHash"], begin);
    }

    list(options) {
        return start(this.list, options, [], (given, caller) => this.#native.list(given, caller));
    }

    get(name, options) {
        return start(this.get, options, [], (given, caller) => this.#native.get(backupName(name), given, caller));
    }

    certify(name, options) {
        return start(this.certify, options, [], (given, caller) =>
            this.#native.certify(backupName(name), given, caller),
        );
    }

    verify(name, options) {
        return start(this.verify, options, [], (given, caller) => this.#native.verify(backupName(name), given, caller));
    }

    leftovers(options) {
        return start(this.leftovers, options, [], (given, caller) => this.#native.leftovers(given, caller));
    }

    remove(leftover, options) {
        const begin = (given, caller) => this.#native.remove(instance("Leftover", leftover), given, caller);
        return start(this.remove, options, ["objectEvents"], begin);
    }

    toString() {
        return this.#location.toString();
    }

    [inspect.custom]() {
        return `Repository(${inspect(this.toString())})`;
    }
}

/** The name of a backup. */
function backupName(name) {
    return textOf(name, "the name of a backup");
}

module.exports = { Repository };
