/**
 * An HTTP server that takes backups and streams their events to browsers and curl, as server-sent events.
 *
 *     node event-endpoint.mjs s3://prod s3://vault/nightly --port 8086
 *     curl --request POST 'http://127.0.0.1:8086/backups?name=monday'    # 202; while it runs 409
 *     curl --no-buffer http://127.0.0.1:8086/backups/monday/events
 *     curl --request DELETE http://127.0.0.1:8086/backups/monday         # cancels; the same POST resumes it
 *
 * A client that goes away cancels nothing. SIGTERM and Ctrl-C cancel what runs, and the same POST resumes that, too. It listens
 * on this machine alone: what it offers needs no password. Exit code: 0 stopped, 1 the repository cannot be used, 2 usage.
 */

import { EventEmitter, once } from "node:events";
import http from "node:http";
import { parseArgs } from "node:util";

import * as ib from "influx-backup";

/** A backup that runs or ran, with its events so far; one that tells how far it is only until the next. */
class Run extends EventEmitter {
    /** @type {ib.Event[]} */
    events = [];

    isOver = false;

    /** @param {ib.Job<ib.BackupReport>} job */
    constructor(job) {
        super();
        this.setMaxListeners(0);
        this.job = job;
        this.ended = this.follow();
    }

    async follow() {
        try {
            for await (const event of this.job) {
                if (this.events.at(-1)?.kind === "progress") {
                    this.events.pop();
                }
                this.events.push(event);
                this.emit("event");
            }
        } catch {
            // The last event, `finished`, has the error.
        }
        this.isOver = true;
        this.emit("event");
    }

    /**
     * Sends the events after one to a client, to the last that will come.
     *
     * @param {http.ServerResponse} response
     * @param {number} seen
     */
    async send(response, seen) {
        const gone = new AbortController();
        response.on("close", () => gone.abort());
        response.writeHead(200, {
            "Content-Type": "text/event-stream",
            "Cache-Control": "no-store",
            Connection: "close",
        });
        for (;;) {
            const event = this.events.find(({ seq }) => seq > seen);
            if (event) {
                seen = event.seq;
                if (!response.write(`id: ${seen}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`)) {
                    await once(response, "drain", { signal: gone.signal });
                }
            } else if (this.isOver) {
                return response.end();
            } else {
                await once(this, "event", { signal: gone.signal });
            }
        }
    }
}

const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { port: { type: "string", default: "8086" }, bandwidth: { type: "string" } },
});
if (positionals.length !== 2) {
    console.error("usage: event-endpoint.mjs SOURCE REPOSITORY [--port PORT] [--bandwidth BYTES_A_SECOND]");
    process.exit(2);
}
const [source, place] = positionals;
const repository = new ib.Repository(place);
/** @type {Map<string, Run>} */
const runs = new Map();

const server = http.createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const [, name = "", tail = ""] = url.pathname.match(/^\/backups(?:\/([^/]+)(\/events)?)?$/) ?? [];
    const run = runs.get(name);
    const asked = url.searchParams.get("name");
    if (request.method === "POST" && url.pathname === "/backups" && asked) {
        if (runs.get(asked)?.isOver === false) {
            return response.writeHead(409).end();
        }
        const limits = { bandwidth: values.bandwidth };
        runs.set(asked, new Run(repository.backup(source, { name: asked, onExisting: "resume", limits })));
        response.writeHead(202, { Location: `/backups/${asked}/events` }).end();
    } else if (request.method === "GET" && run && tail) {
        const seen = Number(request.headers["last-event-id"] ?? 0);
        if (run.isOver && run.events.at(-1)?.seq === seen) {
            return response.writeHead(204).end(); // A browser connects again after the last event; this stops it.
        }
        await run.send(response, seen).catch(() => {}); // The client is gone. The backup goes on.
    } else if (request.method === "DELETE" && run && !tail) {
        run.job.cancel();
        response.writeHead(202).end();
    } else {
        response.writeHead(404).end();
    }
});

async function close() {
    server.close();
    for (const { job } of runs.values()) {
        job.cancel();
    }
    await Promise.all([...runs.values()].map(({ ended }) => ended));
    setTimeout(() => server.closeAllConnections(), 1000).unref(); // Clients that do not read.
}

try {
    await repository.marker(); // Whether the repository can be used.
    server.listen(Number(values.port), "127.0.0.1", () => {
        console.log(`listening on port ${/** @type {import("node:net").AddressInfo} */ (server.address()).port}`);
    });
    process.once("SIGINT", close).once("SIGTERM", close);
} catch (error) {
    console.error(error instanceof ib.InfluxBackupError ? String(error.report) : error);
    process.exitCode = 1;
}
