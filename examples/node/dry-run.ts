/**
 * Shows what a restore would do, asks, and does what was shown and nothing else.
 *
 *     node dry-run.ts s3://vault/nightly nightly-2026-01-02 /var/lib/influxdb3/data --policy replace
 *
 * Node.js runs TypeScript from 22.18; before that, `npx tsx dry-run.ts`. Exit code: 0 restored, 1 failed or refused, 2 usage.
 */

import { createInterface } from "node:readline";
import { parseArgs } from "node:util";

import { InfluxBackupError, PlanChangedError, Repository, type RestoreOptions } from "influx-backup";

const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { policy: { type: "string", default: "empty" } },
});
const [place, name, target] = positionals;
if (place === undefined || name === undefined || target === undefined) {
    console.error("usage: dry-run.ts REPOSITORY NAME TARGET [--policy empty|replace|overlay]");
    process.exit(2);
}
// What is no policy is for the package to find, which names those that are.
const options: RestoreOptions = { policy: values.policy as RestoreOptions["policy"] };

/** The first line that is typed; nothing where the input ends. */
async function ask(question: string): Promise<string | undefined> {
    process.stdout.write(question);
    const lines = createInterface({ input: process.stdin });
    for await (const line of lines) {
        return line;
    }
    return undefined;
}

async function main(): Promise<void> {
    try {
        const repository = new Repository(place);
        const plan = await repository.planRestore(name, target, options);
        console.log(String(plan));
        const counts = `${plan.objects} objects, ${plan.overwrites.length} overwritten, ${plan.deletions.length} deleted`;
        if ((await ask(`${counts}. Are the servers stopped, and is this to be done? `)) === "yes") {
            const report = await repository.restore(name, target, {
                ...options,
                serversStopped: true,
                approvedHash: plan.hash, // The target may have changed while the question stood.
            });
            console.log(String(report));
        } else {
            console.error("nothing was done");
            process.exitCode = 1;
        }
    } catch (error) {
        console.error(error instanceof InfluxBackupError ? String(error.report) : error);
        if (error instanceof PlanChangedError) {
            console.error("the target has changed: start again to see the new plan");
        }
        process.exitCode = 1;
    }
}

main();
