/** Stores that answer with an error, or not at all. */

import fs from "node:fs";
import http from "node:http";
import https from "node:https";

import * as ib from "influx-backup";

import { optionsOf, SECRET, SILENCE, serve } from "../support/in-process-s3.mjs";

/** Tries again for a short time, and waits as long as usual for each answer: a slow machine answers late. */
const SOON = { initialBackoff: 10, maxElapsed: "3s" };

/** Does something with the cluster `core` in such a store. */
async function withBucket(core, fails, tls, work) {
    const store = await serve(core, fails, tls);
    try {
        await work(new ib.Location("s3://bucket", optionsOf(store.endpoint)));
    } finally {
        await store.close();
    }
}

/** Certifies a cluster whose store lists its objects, and answers with this status when one is read. */
function answering(status) {
    const fails = (key) => (key.endsWith(".wal") ? status : undefined);
    const certify = (bucket) => ib.certify(bucket, { limits: { retry: SOON } });
    return ({ core }) => withBucket(core, fails, undefined, certify);
}

/** A bucket whose sessions have a line break in their token: object_store panics. */
export const EXPRESS = "s3://bucket--use1-az1--x-s3";

const SESSION =
    "<CreateSessionResult><Credentials><SessionToken>a\nb</SessionToken><SecretAccessKey>s</SecretAccessKey>" +
    "<AccessKeyId>a</AccessKeyId><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></CreateSessionResult>";

/** Does something with the options with which a request to `EXPRESS` panics: those of a proxy that answers as S3 Express. */
export async function withBrokenSession(work) {
    const certificate = { cert: tls("certificate.pem"), key: tls("key.pem") };
    const express = https.createServer(certificate, (_, response) => response.end(SESSION));
    const proxy = http.createServer().on("connect", (_, socket) => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        express.emit("connection", socket);
    });
    await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    try {
        await work({
            awsS3Express: true,
            awsAccessKeyId: "an-access-key",
            awsSecretAccessKey: SECRET,
            awsRegion: "us-east-1",
            awsProxyUrl: `http://127.0.0.1:${proxy.address().port}`,
            awsAllowInvalidCertificates: true,
        });
    } finally {
        express.closeAllConnections();
        proxy.close();
    }
}

function tls(name) {
    return fs.readFileSync(new URL(`./tls/${name}`, import.meta.url));
}

export default {
    "object-exists": answering(409),
    "object-changed": answering(412),
    "no-space": answering(507),
    throttled: answering(503),
    "store-unsupported": answering(501),
    "invalid-store-request": answering(400),
    "store-error": answering(500),
    "store-rejected": answering(418),

    /** A store that is given no credentials, on a machine that has none. */
    async "no-credentials"() {
        const options = { awsMetadataEndpoint: "http://127.0.0.1:9", awsRegion: "us-east-1" };
        await ib.certify(new ib.Location("s3://bucket", options), { limits: { retry: SOON } });
    },

    /** A session that object_store panics over. */
    async internal() {
        await withBrokenSession((options) => ib.certify(new ib.Location(EXPRESS, options)));
    },

    /** The bytes of Parquet files never come. */
    async stalled({ core, repository }) {
        const fails = (key) => (key.endsWith(".parquet") ? SILENCE : undefined);
        const limits = { retry: SOON, stallTimeout: "4s" };
        await withBucket(core, fails, undefined, (bucket) => repository.backup(bucket, { limits }));
    },

    /** A port where nothing listens. */
    async unreachable() {
        const options = optionsOf("http://127.0.0.1:9");
        await ib.certify(new ib.Location("s3://bucket", options), { limits: { retry: SOON } });
    },

    /** A certificate that nothing vouches for. */
    async "untrusted-certificate"({ core }) {
        const options = { cert: tls("certificate.pem"), key: tls("key.pem") };
        await withBucket(core, undefined, options, (bucket) => ib.certify(bucket, { limits: { retry: SOON } }));
    },
};
