"use strict";
// For tests of what is built on this package.

const { fileURLToPath } = require("node:url");
require("./lib/data.cjs");
const { attemptAsync } = require("./lib/errors.cjs");
const { kindOf } = require("./lib/kind.cjs");
const native = require("./lib/native.cjs");
const { classes } = require("./lib/revive.cjs");

function generate(directory, options = {}) {
    return attemptAsync(() => {
        const path = directory instanceof URL ? fileURLToPath(directory) : directory;
        if (typeof path !== "string") {
            throw new TypeError(`a directory is a path or a URL, not ${kindOf(path)}`);
        }
        return native.generate(path, options);
    });
}

const { Generated, GeneratedNode } = classes;
module.exports = { Generated, GeneratedNode, generate };
