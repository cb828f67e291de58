#!/usr/bin/env node
"use strict";

const { runProgram } = require("../lib/native.cjs");

// With a listener, Node.js leaves these to the program, which ends in good order.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => {});

process.exitCode = runProgram(["influx-backup", ...process.argv.slice(2)]);
