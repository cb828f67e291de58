"use strict";
// What a caller gives, as the native module takes it.

const { Data, nativeOf } = require("./data.cjs");
const { kindOf } = require("./kind.cjs");
const { Location, locationOf } = require("./location.cjs");
const { classes } = require("./revive.cjs");

/** Whether this is a place: a path, a URL or a `Location`. */
function isPlace(value) {
    return typeof value === "string" || value instanceof URL || value instanceof Location;
}

/** The native location of a place. */
function place(given) {
    return locationOf(new Location(given));
}

/** The native document of an instance of a class of data. */
function instance(name, value) {
    if (value instanceof classes[name]) {
        return nativeOf(value);
    }
    throw new TypeError(`expected a ${name}, not ${kindOf(value)}`);
}

/** A cluster or a backup as it is, anything else as a place. */
function dataOrPlace(given) {
    return given instanceof Data ? nativeOf(given) : place(given);
}

module.exports = { dataOrPlace, instance, isPlace, place };
