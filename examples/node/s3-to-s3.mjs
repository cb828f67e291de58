/**
 * Backs up from one S3 account or endpoint to another, each with credentials of its own.
 *
 *     export SOURCE_AWS_ENDPOINT=http://minio:9000 SOURCE_AWS_ALLOW_HTTP=true
 *     export SOURCE_AWS_ACCESS_KEY_ID=… SOURCE_AWS_SECRET_ACCESS_KEY=…
 *     export VAULT_AWS_REGION=eu-central-1 VAULT_AWS_ACCESS_KEY_ID=… VAULT_AWS_SECRET_ACCESS_KEY=…
 *     node s3-to-s3.mjs s3://prod s3://vault/nightly
 *
 * The right to read is enough for the source. Bytes go through this machine, and none of them to its disk; where both places are
 * of one account, leave the prefixes out: the store then copies by itself. Exit code: 0 taken, 1 failed, 2 usage.
 */

import { parseArgs } from "node:util";

import { InfluxBackupError, Location, Repository } from "influx-backup";

/**
 * The options of a store that the environment has under a prefix: `SOURCE_AWS_REGION` is `awsRegion`.
 *
 * @param {string} prefix
 */
function storeOptions(prefix) {
    const given = Object.entries(process.env).filter(([name]) => name.startsWith(`${prefix}AWS_`));
    return Object.fromEntries(given.map(([name, value]) => [camelCase(name.slice(prefix.length)), value]));
}

/** @param {string} name */
function camelCase(name) {
    return name.toLowerCase().replace(/_(.)/g, (_, letter) => letter.toUpperCase());
}

const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { name: { type: "string" }, concurrency: { type: "string", default: "32" } },
});
if (positionals.length !== 2) {
    console.error("usage: s3-to-s3.mjs SOURCE REPOSITORY [--name NAME] [--concurrency OBJECTS]");
    process.exit(2);
}

try {
    const source = new Location(positionals[0], storeOptions("SOURCE_"));
    const repository = new Repository(positionals[1], storeOptions("VAULT_"));
    const limits = { concurrency: Number(values.concurrency), memory: "512MiB" };
    console.log(String(await repository.backup(source, { name: values.name, limits })));
} catch (error) {
    console.error(error instanceof InfluxBackupError ? String(error.report) : error);
    process.exitCode = 1;
}
