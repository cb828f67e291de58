"use strict";
// For tests of what is built on this package.

const { fileURLToPath } = require("node:url");
require("./lib/data.cjs");
const { explain } = require("./lib/errors.cjs");
const { kindOf } = require("./lib/kind.cjs");
const native = require("./lib/native.cjs");
const { classes, revive } = require("./lib/revive.cjs");

async function generate(directory, options = {}) {
    try {
        const path = directory instanceof URL ? fileURLToPath(directory) : directory;
        if (typeof path !== "string") {
            throw new TypeError(`a directory is a path or a URL, not ${kindOf(path)}`);
        }
        return revive(await native.generate(path, options));
    } catch (error) {
        throw explain(error);
    }
}

const { Generated, GeneratedNode } = classes;
module.exports = { Generated, GeneratedNode, generate };
