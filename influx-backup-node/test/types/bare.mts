// A program that TypeScript accepts where types of neither Node nor a browser are. It is not run.

import { type Copier, Repository } from "influx-backup";
import { generate } from "influx-backup/testing";

const copier: Copier = {
    copy: (_, context) => (context.signal.aborted ? null : undefined),
};

export async function backup(signal: {
    aborted: boolean;
    reason: string;
    addEventListener(): void;
    removeEventListener(): void;
}) {
    await generate({ href: "file:///tmp/cluster", protocol: "file:" });
    return new Repository("/backups").backup({ href: "file:///tmp/cluster", protocol: "file:" }, { signal, copier });
}
