/** MinIO, which speaks S3, as a process. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";

import { Location } from "influx-backup";

import { committed, notRun, scratch, until } from "./clusters.mjs";

const BUCKETS = ["prod", "vault"];

/** Why a test is not run. */
export const MISSING = "minio is missing, get it with .ci/servers";

/** The server in the cache that `.ci/servers` fills, or one on the path; `undefined` where there is none. */
export function program() {
    const cache = process.env.INFLUX_BACKUP_CACHE ?? path.join(os.homedir(), ".cache", "influx-backup");
    const directories = [path.join(cache, "servers", "bin"), ...(process.env.PATH ?? "").split(path.delimiter)];
    return directories.map((directory) => path.join(directory, "minio")).find((file) => fs.existsSync(file));
}

/** A free port below the range from which systems give one to whoever asks for any: no other process is given it. */
async function freePort() {
    const port = randomInt(10_000, 32_000);
    const server = net.createServer();
    const isFree = await new Promise((resolve) => {
        server.once("error", () => resolve(false));
        server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    return isFree ? port : freePort();
}

/** Whether requests are served: one without credentials is denied then. */
async function answers(endpoint) {
    try {
        return (await fetch(endpoint)).status === 403;
    } catch {
        return false;
    }
}

/** A running server with two empty buckets, and what is needed to use it. */
class Minio {
    constructor(endpoint, key, secret, child) {
        Object.assign(this, { endpoint, key, secret, child });
    }

    /** The options of a store. */
    get options() {
        return {
            awsEndpoint: this.endpoint,
            awsAllowHttp: true,
            awsRegion: "us-east-1",
            awsAccessKeyId: this.key,
            awsSecretAccessKey: this.secret,
        };
    }

    /** The same in the environment. */
    get environment() {
        return {
            AWS_ENDPOINT: this.endpoint,
            AWS_ALLOW_HTTP: "true",
            AWS_REGION: "us-east-1",
            AWS_ACCESS_KEY_ID: this.key,
            AWS_SECRET_ACCESS_KEY: this.secret,
        };
    }

    /** Ends it at once: nothing of it is kept. */
    async stop() {
        const ended = new Promise((resolve) => this.child.once("exit", resolve));
        this.child.kill("SIGKILL");
        await ended;
    }
}

/** Starts a server on a free port. */
export async function startMinio(file) {
    const directory = path.join(scratch(), "minio");
    for (const bucket of BUCKETS) {
        fs.mkdirSync(path.join(directory, bucket), { recursive: true });
    }
    const address = `127.0.0.1:${await freePort()}`;
    const key = randomBytes(8).toString("hex");
    const secret = randomBytes(20).toString("hex");
    const log = `${directory}.log`;
    const output = fs.openSync(log, "w");
    const child = spawn(
        file,
        ["server", directory, "--address", address, "--console-address", "127.0.0.1:0", "--quiet"],
        {
            env: {
                ...process.env,
                MINIO_ROOT_USER: key,
                MINIO_ROOT_PASSWORD: secret,
                MINIO_BROWSER: "off",
                MINIO_UPDATE: "off",
            },
            stdio: ["ignore", output, output],
        },
    );
    fs.closeSync(output);
    process.on("exit", () => child.kill("SIGKILL"));
    await until(() => {
        assert.equal(child.exitCode, null, fs.readFileSync(log, "utf8"));
        return answers(`http://${address}`);
    }, "an answer of MinIO");
    return new Minio(`http://${address}`, key, secret, child);
}

/** A server for one test, with the cluster of `core()` at a place of it; `undefined` where there is no program. */
export async function minioWithCore(t, place) {
    const file = program();
    if (!file) {
        notRun(t, MISSING);
        return undefined;
    }
    const minio = await startMinio(file);
    t.after(() => minio.stop());
    await (await committed()).restore("n1", new Location(place, minio.options));
    return minio;
}
