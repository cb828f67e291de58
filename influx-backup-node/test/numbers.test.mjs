// Counts and bytes are safe integers.

import assert from "node:assert/strict";
import test from "node:test";
import * as ib from "influx-backup";

/** The JSON of an object of this many bytes. */
function objectOf(size) {
    return `{"key":"a","size":${size},"version":{"e_tag":null,"id":null,"modified":"2026-01-01T00:00:00Z"}}`;
}

test("the largest safe integer is a number", () => {
    assert.equal(ib.ObjectMeta.fromJSON(objectOf("9007199254740991")).size, Number.MAX_SAFE_INTEGER);
});

test("a larger number is a RangeError that names its field", () => {
    const error = { name: "RangeError", message: /^`size` of ObjectMeta: 9007199254740992 is larger than/ };
    assert.throws(() => ib.ObjectMeta.fromJSON(objectOf("9007199254740992")), error);
});
