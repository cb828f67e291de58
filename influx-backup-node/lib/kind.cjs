"use strict";

/** What kind of value it is, for an error. Never what is in it, which may be a credential. */
function kindOf(value) {
    if (value === null || value === undefined) {
        return String(value);
    }
    if (Array.isArray(value)) {
        return "an array";
    }
    if (typeof value === "object") {
        return `an object of class ${nameOf(value)}`;
    }
    return typeof value === "function" ? `the function or class ${value.name}` : `a ${typeof value}`;
}

/** The name of an object's class. */
function nameOf(object) {
    return String(object.constructor?.name ?? "Object");
}

module.exports = { kindOf, nameOf };
