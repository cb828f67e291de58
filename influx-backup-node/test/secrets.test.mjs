/** Secrets are in no error, no report and no log, also where a store repeats what it was sent. */

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { test } from "node:test";
import { inspect } from "node:util";

import * as ib from "influx-backup";

import { rejection } from "./support/clusters.mjs";

const MARK = "l34kl34kl34k";

/** Answers each request with an error that has all of it. */
async function echo() {
    const server = http.createServer((request, response) => {
        const sent = `${request.url} ${JSON.stringify(request.headers)}`.replace(/[<&]/g, "");
        response.writeHead(403);
        response.end(`<Error><Code>Forbidden</Code><Message>${sent}</Message><Token>${MARK}</Token></Error>`);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return server;
}

function stores(endpoint) {
    const key = Buffer.from(MARK.padEnd(32, "x")).toString("base64");
    const s3 = { awsEndpoint: endpoint, awsAllowHttp: true, awsAccessKeyId: "k" };
    const azure = { azureEndpoint: endpoint, azureAllowHttp: true, azureStorageAccount: "a" };
    const google = { googleBaseUrl: endpoint, googleAllowHttp: true };
    return [
        ["s3://bucket/p", { ...s3, awsSecretAccessKey: `${MARK}/`, awsSessionToken: MARK }],
        ["az://container/p", { ...azure, azureStorageAccessKey: key }],
        ["az://container/p", { ...azure, azureStorageSasToken: `sv=1&sig=${MARK}%2F` }],
        ["gs://bucket/p", { ...google, googleBearerToken: MARK }],
        [`s3://k:${MARK}@bucket`, s3],
        [`s3://bucket?X-Amz-Signature=${MARK}`, s3],
        ["s3://bucket", { ...s3, awsEndpoint: `http://k:${MARK}@127.0.0.1:9` }],
        ["s3://bucket", { ...s3, proxyUrl: `ftp://k:${MARK}@127.0.0.1:9` }],
        ["gs://bucket", { ...google, googleServiceAccountKey: `{"private_key": "${MARK}"` }],
    ];
}

test("no error has a secret", async () => {
    const server = await echo();
    const encoded = Buffer.from(MARK).toString("base64");
    for (const [url, options] of stores(`http://127.0.0.1:${server.address().port}`)) {
        const error = await rejection(
            (async () => {
                const location = new ib.Location(url, options);
                assert.ok(!`${location}${inspect(location)}${JSON.stringify(location)}`.includes(MARK));
                await ib.discover(location);
            })(),
        );
        assert.ok(error instanceof ib.InfluxBackupError, inspect(error));
        const shown = `${error}${error.stack}${inspect(error)}${JSON.stringify(error)}${JSON.stringify(error.report)}`;
        assert.ok(!shown.includes(MARK) && !shown.includes(encoded), url.split(":")[0]);
    }
    server.close();
});
