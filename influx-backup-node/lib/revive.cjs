"use strict";
// Values of the native module as values for the caller.

const { isDate } = require("node:util/types");
const native = require("./native.cjs");

/** The classes of data, by their names. */
const classes = {};

/** What makes an instance of a native location. */
let locate;

/** Notes the class of locations. */
function setLocationClass(Location) {
    locate = (location) => new Location(location);
}

/** A value for the caller: data as instances of its class, all else made anew, as this realm has it, and frozen. */
function revive(value) {
    if (value === null || typeof value !== "object") {
        return value;
    }
    if (value instanceof native.Document) {
        return new classes[value.class](value);
    }
    if (value instanceof native.Location) {
        return locate(value);
    }
    if (isDate(value)) {
        return new Date(value);
    }
    if (Array.isArray(value)) {
        return Object.freeze(Array.from(value, (item) => revive(item)));
    }
    return Object.freeze(Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revive(item)])));
}

module.exports = { classes, revive, setLocationClass };
