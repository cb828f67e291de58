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

/** A text as it is. One that is no Unicode would be another one in the core. */
function textOf(value, what) {
    if (typeof value !== "string") {
        throw new TypeError(`${what} is a text, not ${kindOf(value)}`);
    }
    if (!value.isWellFormed()) {
        throw new TypeError(`${what} is no text: it has half of a surrogate pair`);
    }
    return value;
}

module.exports = { kindOf, nameOf, textOf };
