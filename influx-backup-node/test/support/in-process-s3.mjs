/**
 * A store that speaks S3 in this process: it serves a directory as a bucket.
 *
 * What is written it holds in memory. It knows no conditional writes, as some stores of one's own, and says so.
 */

import { createHash } from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import path from "node:path";
import { buffer, text } from "node:stream/consumers";

import { paths } from "./clusters.mjs";

/** In the place of a status: the request is answered, and its bytes never come. */
export const SILENCE = 0;

/** What a secret key of such a store is. */
export const SECRET = "a-secret-key";

/** The options with which the package uses such a store. */
export function optionsOf(endpoint) {
    return {
        awsEndpoint: endpoint,
        awsAllowHttp: true,
        awsAccessKeyId: "an-access-key",
        awsSecretAccessKey: SECRET,
        awsRegion: "us-east-1",
    };
}

/**
 * Starts such a store, as `s3://bucket`.
 *
 * `fails(key)` is called at each request. It fails with the status that this returns, and is answered where that is
 * `undefined`. The key of a listing is empty. `tls` is the certificate and its key.
 */
export async function serve(directory, fails = () => undefined, tls) {
    const objects = new Map(paths(directory).map((key) => [key, fs.readFileSync(path.join(directory, key))]));
    const answered = (request, response) => answer(objects, fails, request, response);
    const server = tls ? https.createServer(tls, answered) : http.createServer(answered);
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    return {
        endpoint: `${tls ? "https" : "http"}://127.0.0.1:${server.address().port}`,
        close() {
            server.closeAllConnections();
            return new Promise((resolve) => server.close(resolve));
        },
    };
}

function answer(objects, fails, request, response) {
    const url = new URL(request.url, "http://localhost");
    const key = decodeURIComponent(url.pathname).replace(/^\/bucket\/?/, "");
    const status = fails(key);
    if (request.method === "PUT") {
        write(objects, key, request, response);
    } else if (request.method === "DELETE") {
        objects.delete(key);
        send(request, response, 204, "");
    } else if (request.method === "POST") {
        deleteMany(objects, request, response);
    } else if (status === SILENCE) {
        response.writeHead(200, { "content-length": 9999, ...headersOf(Buffer.alloc(0)) }).flushHeaders();
    } else if (status !== undefined) {
        send(request, response, status, "<Error><Code>Planned</Code></Error>");
    } else if (url.searchParams.has("list-type")) {
        const { searchParams } = url;
        send(request, response, 200, listing(objects, searchParams.get("prefix") ?? "", searchParams.get("delimiter")));
    } else if (objects.has(key)) {
        read(request, response, objects.get(key));
    } else {
        send(request, response, 404, "<Error><Code>NoSuchKey</Code></Error>");
    }
}

async function write(objects, key, request, response) {
    const data = await buffer(request);
    if (request.headers["if-none-match"]) {
        send(request, response, 501, "<Error><Code>NotImplemented</Code></Error>");
    } else {
        objects.set(key, data);
        send(request, response, 200, "", headersOf(data));
    }
}

/** Deletes many objects at once, the only POST that is sent to such a store. */
async function deleteMany(objects, request, response) {
    const keys = Array.from((await text(request)).matchAll(/<Key>(.*?)<\/Key>/g), ([, key]) => key);
    const unescaped = (key) => key.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
    for (const key of keys) objects.delete(unescaped(key));
    const deleted = keys.map((key) => `<Deleted><Key>${key}</Key></Deleted>`);
    send(request, response, 200, `<DeleteResult>${deleted.join("")}</DeleteResult>`);
}

function read(request, response, data) {
    const [, start, end] = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
    if (start === undefined) {
        send(request, response, 200, data, headersOf(data));
        return;
    }
    const head = start ? Number(start) : data.length - Number(end);
    const last = start && end ? Number(end) : data.length - 1;
    const range = `bytes ${head}-${last}/${data.length}`;
    send(request, response, 206, data.subarray(head, last + 1), { ...headersOf(data), "content-range": range });
}

function listing(objects, prefix, delimiter) {
    const listed = [];
    const directories = new Set();
    for (const key of [...objects.keys()].filter((key) => key.startsWith(prefix)).sort()) {
        const tail = key.slice(prefix.length);
        if (delimiter && tail.includes(delimiter)) {
            const directory = `${prefix}${tail.split(delimiter)[0]}/`;
            directories.add(`<CommonPrefixes><Prefix>${escaped(directory)}</Prefix></CommonPrefixes>`);
        } else {
            listed.push(entry(key, objects.get(key)));
        }
    }
    return `<ListBucketResult>${listed.join("")}${[...directories].sort().join("")}</ListBucketResult>`;
}

function entry(key, data) {
    return (
        `<Contents><Key>${escaped(key)}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>` +
        `<ETag>${escaped(eTag(data))}</ETag><Size>${data.length}</Size></Contents>`
    );
}

function send(request, response, status, body, headers = {}) {
    response.writeHead(status, { "content-length": Buffer.byteLength(body), ...headers });
    response.end(request.method === "HEAD" ? undefined : body);
}

function headersOf(data) {
    return { etag: eTag(data), "last-modified": "Fri, 02 Jan 2026 03:04:05 GMT" };
}

function eTag(data) {
    return `"${createHash("md5").update(data).digest("hex")}"`;
}

function escaped(text) {
    return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
