/** A request to S3 that is signed, for what the package does not do. */

import { createHash, createHmac } from "node:crypto";

const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const hmac = (key, text) => createHmac("sha256", key).update(text).digest();

/** Stores an object at a URL, with the credentials of a server. */
export async function put(url, body, { key, secret }) {
    const { host, pathname } = new URL(url);
    const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
    const day = time.slice(0, 8);
    const scope = `${day}/us-east-1/s3/aws4_request`;
    const headers = { host, "x-amz-content-sha256": sha256(body), "x-amz-date": time };
    const names = Object.keys(headers).join(";");
    const listed = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
    const canonical = ["PUT", pathname, "", listed.join(""), names, headers["x-amz-content-sha256"]].join("\n");
    const signed = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
    const signingKey = [day, "us-east-1", "s3", "aws4_request"].reduce(hmac, `AWS4${secret}`);
    const signature = createHmac("sha256", signingKey).update(signed).digest("hex");
    const authorization = `AWS4-HMAC-SHA256 Credential=${key}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
    const { host: _, ...sent } = headers;
    const response = await fetch(url, { method: "PUT", body, headers: { ...sent, authorization } });
    if (!response.ok) {
        throw new Error(`${response.status}: ${await response.text()}`);
    }
}
