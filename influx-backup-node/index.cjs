"use strict";
// Backup and restore of InfluxDB 3 clusters (Core and Enterprise, Parquet engine) that prove themselves.

const copiers = require("./lib/copiers.cjs");
const errors = require("./lib/errors.cjs");
const { Job } = require("./lib/jobs.cjs");
const { Location } = require("./lib/location.cjs");
const { Repository } = require("./lib/repository.cjs");
const { classes } = require("./lib/revive.cjs");
const verbs = require("./lib/verbs.cjs");
const { version } = require("./package.json");

const { Generated, GeneratedNode, ...data } = classes;
const { ERROR_CODES, FINDING_CODES } = errors;

module.exports = {
    ERROR_CODES,
    FINDING_CODES,
    Job,
    Location,
    Repository,
    version,
    ...copiers,
    ...data,
    ...errors.classes,
    ...verbs,
};
