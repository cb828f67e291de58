/** Backup and restore on S3, as MinIO speaks it. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { after, describe, test } from "node:test";
import { inspect } from "node:util";

import * as ib from "influx-backup";

import { beforeACopy, stop } from "./situations/scratch.mjs";
import { core, files, notRun, paths, rejection, repository, scratch } from "./support/clusters.mjs";
import { assertIsWhole } from "./support/errors.mjs";
import { MISSING, program, startMinio } from "./support/minio.mjs";
import { dyingProxy } from "./support/proxy.mjs";
import { put } from "./support/s3.mjs";

const NAME = "n1";

const file = program();
const minio = file && (await startMinio(file));
after(() => minio?.stop());

/** A place of its own for a test: a repository on S3 whose store keeps a checksum of each object. */
class Place {
    prefix = randomUUID();

    get options() {
        return { ...minio.options, awsChecksumAlgorithm: "crc64nvme" };
    }

    get vault() {
        return new ib.Repository(`s3://vault/${this.prefix}`, this.options);
    }

    /** The cluster `core` on S3. */
    async prod() {
        const location = this.location("s3://prod");
        const upload = repository();
        await upload.backup(await core(), { name: NAME, derived: "include" });
        await upload.restore(NAME, location);
        return location;
    }

    location(bucket, tail = "") {
        return new ib.Location(`${bucket}/${this.prefix}${tail}`, minio.options);
    }
}

/** A test that needs MinIO. */
function onMinio(name, run) {
    test(name, async (t) => {
        if (!minio) {
            notRun(t, MISSING);
            return;
        }
        await run(new Place());
    });
}

/** Does something with variables in the environment of this process. */
async function withEnvironment(variables, work) {
    const before = Object.fromEntries(Object.keys(variables).map((name) => [name, process.env[name]]));
    Object.assign(process.env, variables);
    try {
        await work();
    } finally {
        for (const [name, value] of Object.entries(before)) {
            if (value === undefined) {
                delete process.env[name];
            } else {
                process.env[name] = value;
            }
        }
    }
}

// The store that goes away is waited for meanwhile.
describe("MinIO", { concurrency: 2 }, () => {
    onMinio("a store that goes away at the commit", async ({ vault, prefix }) => {
        const address = minio.endpoint.replace("http://", "");
        const last = `PUT /vault/${prefix}/${NAME}/_influx_backup/manifest.json`;
        const proxy = await dyingProxy(address, last);
        try {
            const options = { ...minio.options, awsEndpoint: proxy.endpoint };
            const through = new ib.Repository(`s3://vault/${prefix}`, options);
            assertIsWhole(
                await rejection(through.backup(await core(), { name: NAME })),
                "commit-unconfirmed",
                minio.secret,
            );
        } finally {
            proxy.die();
        }
        assert.ok((await vault.verify(NAME, { level: "bytes" })).ok, "the manifest was stored");
    });

    describe("one after another", () => {
        onMinio("files to S3 and back", async ({ vault }) => {
            const report = await vault.backup(await core(), { name: NAME, derived: "include" });
            assert.ok(report.status === "complete" && report.certificate.isProven);
            assert.deepEqual(
                (await vault.list()).map(({ name, state, objects }) => [name, state, objects]),
                [[NAME, "complete", report.objects]],
            );

            const checked = await vault.verify(NAME, { level: "checksums" });
            assert.deepEqual([checked.ok, checked.confirmed, checked.unconfirmed], [true, report.objects, 0]);
            assert.equal((await vault.verify(NAME, { level: "bytes" })).read, report.objects);
            assert.ok((await vault.certify(NAME)).isProven);
            assert.ok((await ib.certify((await vault.get(NAME)).location)).isProven);

            const target = path.join(scratch(), "restored");
            await vault.restore(await vault.planRestore(NAME, target));
            assert.deepEqual(files(target), files(await core()));
        });

        onMinio("S3 to S3 is copied by the store", async (place) => {
            const { vault } = place;
            const report = await vault.backup(await place.prod(), { name: NAME, derived: "include" });
            const [done] = report.passes;
            const bulk = paths(await core()).filter((name) => name.endsWith(".parquet")).length;
            assert.deepEqual({ ...done.copiers }, { "server-side": bulk, stream: report.objects - bulk });
            assert.deepEqual({ ...done.refused }, {});
            const target = place.location("s3://prod", "-restored");
            await vault.restore(await vault.planRestore(NAME, target), target);
            assert.ok((await ib.certify(target)).isProven);

            const restored = path.join(scratch(), "restored");
            await vault.restore(NAME, restored);
            assert.deepEqual(files(restored), files(await core()), "nothing was lost on the way");
        });

        onMinio("events of a backup on S3", async (place) => {
            const job = place.vault.backup(await place.prod(), { name: NAME });
            const kinds = [];
            for await (const event of job) {
                kinds.push(event.kind);
            }
            assert.ok(kinds.at(-1) === "finished" && kinds.includes("committed"));
            assert.equal((await job).status, "complete");
        });

        onMinio("a backup on S3 is aborted, and resumed", async (place) => {
            const controller = new AbortController();
            const { signal } = controller;
            const limits = { bandwidth: "64KiB", concurrency: 1 };
            const job = place.vault.backup(await place.prod(), { name: NAME, limits, signal });
            for await (const event of job) {
                if (event instanceof ib.StageStarted) {
                    break;
                }
            }
            const began = performance.now();
            controller.abort();
            assert.equal((await rejection(job)).name, "AbortError");
            assert.ok(performance.now() - began < 1000);
            const resumed = await place.vault.backup(place.location("s3://prod"), { name: NAME, onExisting: "resume" });
            assert.equal(resumed.status, "complete");
            assert.ok((await place.vault.verify(NAME, { level: "bytes" })).ok);
        });

        onMinio("damage on S3 is found", async ({ vault }) => {
            await vault.backup(await core(), { name: NAME });
            assert.ok((await vault.verify(NAME, { level: "checksums" })).ok);
            const { objects, location } = await vault.get(NAME);
            const parquet = objects.find(({ key }) => key.endsWith(".parquet"));
            const other = objects.findLast(({ key, size }) => key.endsWith(".parquet") && size === parquet.size);
            assert.ok(other && other.key !== parquet.key, "two objects of one length");
            const url = `${minio.endpoint}/${String(location).replace("s3://", "")}/${parquet.key}`;
            await put(url, fs.readFileSync(path.join(await core(), other.key)), minio);
            const report = await vault.verify(NAME, { level: "bytes" });
            assert.deepEqual(
                report.problems.map(({ code, key }) => [code, key]),
                [["wrong-bytes", parquet.key]],
            );
            assert.equal(report.ok, false);
        });

        onMinio("wrong credentials are denied", async (place) => {
            const secret = "not-the-secret-at-all";
            const options = { ...minio.options, awsSecretAccessKey: secret };
            const error = await rejection(
                new ib.Repository(`s3://vault/${place.prefix}`, options).backup(await core()),
            );
            assertIsWhole(error, "access-denied", secret);
            assert.equal(error.retryable, false);
        });

        onMinio("options come from the environment", async ({ prefix }) => {
            await withEnvironment(minio.environment, async () => {
                const made = new ib.Repository(`s3://vault/${prefix}`);
                assert.equal((await made.backup(await core(), { name: NAME })).status, "complete");
            });
        });

        onMinio("options that are given go before the environment", async ({ prefix }) => {
            const wrong = { ...minio.environment, AWS_SECRET_ACCESS_KEY: "not-the-secret-at-all" };
            await withEnvironment(wrong, async () => {
                const denied = new ib.Repository(`s3://vault/${prefix}`).backup(await core());
                await assert.rejects(denied, ib.AccessDeniedError);
                const options = { awsAccessKeyId: minio.key, awsSecretAccessKey: minio.secret };
                const made = new ib.Repository(`s3://vault/${prefix}`, options);
                assert.equal((await made.backup(await core())).status, "complete");
            });
        });

        onMinio("a plan of JSON is restored with the options of its target", async (place) => {
            const { vault } = place;
            await vault.backup(await core(), { name: NAME });
            const target = place.location("s3://prod");
            const plan = await vault.planRestore(NAME, target);
            const written = JSON.stringify(plan);
            for (const shown of [
                written,
                inspect(plan, { depth: 9, showHidden: true }),
                inspect(vault, { showHidden: true }),
            ]) {
                assert.ok(!shown.includes(minio.secret) && !shown.includes(minio.key));
            }
            const report = await vault.restore(ib.RestorePlan.fromJSON(written), target);
            assert.equal(report.target, String(target));
        });

        onMinio("leftovers on S3 are removed", async ({ vault }) => {
            await rejection(vault.backup(await core(), { name: NAME, copier: beforeACopy(stop, ".parquet") }));
            assert.ok((await vault.leftovers()).length > 0);
            for (const leftover of await vault.leftovers()) {
                await vault.remove(leftover);
            }
            assert.deepEqual([...(await vault.leftovers())], []);
        });

        onMinio("a bucket that is missing is not found", async (place) => {
            const missing = new ib.Location(`s3://missing/${NAME}`, minio.options);
            const prod = await place.prod();
            const verbs = {
                discover: () => ib.discover(missing),
                list: () => new ib.Repository(missing).list(),
                backup: () => new ib.Repository(missing).backup(prod, { name: NAME }),
                inspect: () => ib.inspect(missing),
            };
            for (const [verb, start] of Object.entries(verbs)) {
                const error = await rejection(start());
                assert.ok(error instanceof ib.NotFoundError, `${verb}: ${inspect(error)}`);
                assert.deepEqual([error.code, error.location], ["location-not-found", `s3://missing/${NAME}`]);
            }
        });
    });
});
