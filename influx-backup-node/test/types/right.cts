// A program in CommonJS that TypeScript accepts. It is not run.

import ib = require("influx-backup");
import { NotFoundError, Repository } from "influx-backup";
import testing = require("influx-backup/testing");

async function drill(): Promise<ib.Certificate> {
    const made: testing.Generated = await testing.generate("/tmp/cluster", { nodes: 1 });
    console.log(made.catalogOwner, made.nodes.ingester01?.wal?.[0]);
    const repo: ib.Repository = new Repository("/backups");
    try {
        await repo.restore("monday", new URL("file:///scratch"));
    } catch (error) {
        if (error instanceof NotFoundError && error.code === "backup-not-found") console.log(error.hints[0]?.option);
    }
    return ib.certify("/scratch");
}

/** The classes are the same in both kinds of modules. */
async function across(event: ib.Event): Promise<import("influx-backup").Event> {
    const modern = await import("influx-backup");
    return event instanceof modern.Event ? event : modern.Event.fromJSON(event);
}

export = { drill, across };
