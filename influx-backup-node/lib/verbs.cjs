"use strict";
// The verbs that need no repository.

const native = require("./native.cjs");
const { dataOrPlace, instance, place } = require("./arguments.cjs");
const { start } = require("./start.cjs");

function discover(source, options) {
    return start(discover, options, [], (given, caller) => native.discover(place(source), given, caller));
}

function inventory(cluster, options) {
    const begin = (given, caller) => native.inventory(instance("Cluster", cluster), given, caller);
    return start(inventory, options, [], begin);
}

function certify(tree, options) {
    return start(certify, options, [], (given, caller) => native.certify(dataOrPlace(tree), given, caller));
}

function verify(backup, options) {
    return start(verify, options, [], (given, caller) => native.verify(dataOrPlace(backup), given, caller));
}

function inspect(target, options) {
    return start(inspect, options, [], (given, caller) => native.inspect(place(target), given, caller));
}

function abandon(target, options) {
    const begin = (given, caller) => native.abandon(place(target), given, caller);
    return start(abandon, options, ["objectEvents"], begin);
}

module.exports = { abandon, certify, discover, inspect, inventory, verify };
