"use strict";
// Values of the native module as values for the caller.

const native = require("./native.cjs");

/** The classes of data, by their names. */
const classes = {};

/** What makes an instance of a native location. */
let locate;

/** Notes the class of locations. */
function setLocationClass(Location) {
    locate = (location) => new Location(location);
}

/** A value for the caller: data as instances of its class, all of it frozen. */
function revive(value) {
    if (value === null || typeof value !== "object" || value instanceof Date) {
        return value;
    }
    if (value instanceof native.Document) {
        return new classes[value.class](value);
    }
    if (value instanceof native.Location) {
        return locate(value);
    }
    for (const key of Object.keys(value)) {
        value[key] = revive(value[key]);
    }
    return Object.freeze(value);
}

module.exports = { classes, revive, setLocationClass };
