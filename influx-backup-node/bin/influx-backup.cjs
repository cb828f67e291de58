#!/usr/bin/env node
"use strict";

const { runProgram } = require("../lib/native.cjs");

process.exitCode = runProgram(["influx-backup", ...process.argv.slice(2)]);
