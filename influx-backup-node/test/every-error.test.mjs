/** Every error code of the core is thrown once, by the situation that it is for. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import * as ib from "influx-backup";

import { OF_STORES, SITUATIONS } from "./situations/index.mjs";
import { Scratch } from "./situations/scratch.mjs";
import { rejection } from "./support/clusters.mjs";
import { assertIsWhole, causes, HINTS, RETRYABLE } from "./support/errors.mjs";
import { SECRET } from "./support/in-process-s3.mjs";

/** Codes that no situation throws within seconds: `errors.test.mjs` makes their errors from reports. */
const NOT_THROWN = {
    "lease-not-renewed": "it takes six minutes",
    "source-changed": "a backup copies the object again, a restore fails with `damaged-backup`",
    "source-vanished": "a backup goes on without the object, a restore fails with `damaged-backup`",
};

/** Codes that other tests throw, and check in the same way. */
const ELSEWHERE = { "commit-unconfirmed": "minio.test.mjs" };

/** Codes whose cause is what the caller's own code threw. */
const CAUSED_BY_CALLER = {
    "copier-failed": { name: "RangeError", message: "mine" },
    orchestrator: { name: "RangeError", message: "node01" },
};

test("every code is thrown, or it is told why it is not", () => {
    const known = [SITUATIONS, NOT_THROWN, ELSEWHERE].flatMap(Object.keys);
    assert.deepEqual(known.sort(), Object.keys(ib.ERROR_CODES).sort());
    for (const code of [...Object.keys(HINTS), ...RETRYABLE]) {
        assert.ok(code in SITUATIONS || code in ELSEWHERE, code);
    }
});

async function throwsItsCode(code) {
    const scratch = await Scratch.make();
    const error = await rejection(SITUATIONS[code](scratch));
    assertIsWhole(error, code, SECRET);
    if (code in CAUSED_BY_CALLER) {
        assert.deepEqual({ name: error.cause.name, message: error.cause.message }, CAUSED_BY_CALLER[code]);
    } else if (!(error.cause instanceof ib.CopyError)) {
        assert.deepEqual(causes(error), [...error.report.causes]);
    }
}

for (const code of Object.keys(SITUATIONS).filter((code) => !OF_STORES.includes(code))) {
    test(`a situation throws ${code}`, () => throwsItsCode(code));
}

describe("stores", { concurrency: OF_STORES.length }, () => {
    for (const code of OF_STORES) {
        test(`a store throws ${code}`, () => throwsItsCode(code));
    }
});
