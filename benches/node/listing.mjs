/**
 * Prints the bytes of memory that a listing takes for each object, before and after its entries are made, and the
 * milliseconds that making them takes.
 */

import { discover, inventory } from "influx-backup";

/** Bytes of memory in use, garbage collected. */
function used() {
    globalThis.gc();
    return process.memoryUsage.rss();
}

const cluster = await discover(process.argv[2]);
await inventory(cluster);
const before = used();
const found = await inventory(cluster);
const listed = used() - before;
const began = performance.now();
const entries = found.listings.map((listing) => listing.entries);
const took = performance.now() - began;
const made = used() - before;
const objects = entries.reduce((sum, some) => sum + some.length, 0);
const each = (bytes) => Math.max(Math.round(bytes / objects), 0);
console.log(JSON.stringify({ objects, listed: each(listed), made: each(made), took }));
