"use strict";

/** What `call` returns; throws what the native module threw as an error of the package. */
function attempt(call) {
    try {
        return call();
    } catch (error) {
        throw require("./errors.cjs").explain(error);
    }
}

module.exports = { attempt };
