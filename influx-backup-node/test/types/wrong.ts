// A program with a mistake below each line that is marked, which TypeScript finds. It is not run.

import * as ib from "influx-backup";
import { generate } from "influx-backup/testing";

class Half {
    stop(_node: ib.Node): void {}
}

class Misnamed {
    move(_request: ib.CopyRequest, _context: ib.CopyContext): void {}
}

export function mistakes(repo: ib.Repository, plan: ib.RestorePlan, certificate: ib.Certificate) {
    // @ts-expect-error: a number is no place
    new ib.Repository(42);
    // @ts-expect-error: options of a store are texts, numbers and flags
    new ib.Repository("/backups", { awsRegion: ["eu-central-1"] });
    // @ts-expect-error: it is a method of a repository
    ib.backup("/data");
    // @ts-expect-error: no such option
    repo.backup("/data", { nmae: "n1" });
    // @ts-expect-error: names are in camelCase
    repo.backup("/data", { on_violation: "fail" });
    // @ts-expect-error: no such choice
    repo.backup("/data", { onViolation: "ignore" });
    // @ts-expect-error: a time is no duration
    repo.backup("/data", { stopTimeout: new Date() });
    // @ts-expect-error: a size is a number
    repo.backup("/data", { limits: { memory: 1n } });
    // @ts-expect-error: no such option of limits
    repo.backup("/data", { limits: { threads: 4 } });
    // @ts-expect-error: it always has limits
    repo.backup("/data", { limits: null });
    // @ts-expect-error: an option of a restore
    repo.backup("/data", { policy: "replace" });
    // @ts-expect-error: it has no method `copy`
    repo.backup("/data", { copier: new Misnamed() });
    // @ts-expect-error: it has no method `start`
    repo.backup("/data", { orchestrator: new Half() });
    // @ts-expect-error: a controller is no signal
    repo.backup("/data", { signal: new AbortController() });
    // @ts-expect-error: planning moves nothing
    repo.planBackup("/data", { copier: ib.defaultCopiers() });
    // @ts-expect-error: no such choice
    repo.planRestore("n1", "/data", { policy: "merge" });
    // @ts-expect-error: no such option
    repo.restore("n1", "/data", { polcy: "replace" });
    // @ts-expect-error: a plan has its policy
    repo.restore(plan, { policy: "replace" });
    // @ts-expect-error: a name needs a target
    repo.restore("n1", { serversStopped: true });
    // @ts-expect-error: neither a plan nor a name
    repo.restore(42, "/data");
    // @ts-expect-error: neither `true` nor a choice
    repo.restore(plan, { serversStopped: "yes" });
    // @ts-expect-error: a text is no number
    repo.verify("n1", { samplePercent: "5" });
    // @ts-expect-error: an option of `discover`
    ib.certify("/data", { nodeIds: ["n1"] });
    // @ts-expect-error: a plan is no backup
    ib.verify(plan);
    // @ts-expect-error: a place is no cluster
    ib.inventory("/data");
    // @ts-expect-error: it has no such option
    ib.inspect("/data", { policy: "replace" });
    // @ts-expect-error: no such choice
    ib.abandon("/data", { takeover: "now" });
    // @ts-expect-error: a text is no number
    generate("/data", { nodes: "2" });
    // @ts-expect-error: no such field
    plan.skipped[0]?.item;
    // @ts-expect-error: fields are in camelCase
    plan.manifest_sha256;
    // @ts-expect-error: it may be missing
    certificate.recoveryPoints.n1?.reached.getTime();
    // @ts-expect-error: it may be missing
    certificate.recovery[0]?.reached.time;
    // @ts-expect-error: data cannot be changed
    certificate.orphans = 0;
    // @ts-expect-error: no such field
    certificate.proven;
    // @ts-expect-error: an array that cannot be changed
    certificate.recovery.push(1);
    // @ts-expect-error: a verdict is no clause
    const verdict: ib.Clause | undefined = certificate.clauses[0]?.verdict;
    // @ts-expect-error: no such code
    ib.ERROR_CODES["no-such-code"];
    return verdict;
}

export function making(report: ib.ErrorReport) {
    // @ts-expect-error: verbs return it
    new ib.Certificate();
    // @ts-expect-error: verbs return it
    new ib.Job(() => undefined);
    // @ts-expect-error: jobs send it
    new ib.Event();
    // @ts-expect-error: `fromJSON` takes a document
    ib.Certificate.fromJSON(42);
    // @ts-expect-error: it is made from a report
    new ib.NotFoundError("no such backup");
    return new ib.NotFoundError(report);
}

export async function unawaited(repo: ib.Repository) {
    // @ts-expect-error: a job is no report
    const report: ib.BackupReport = repo.backup("/data");
    // @ts-expect-error: a plain promise is no job
    const job: ib.Job<string> = repo.backup("/data").then(() => "done");
    // @ts-expect-error: events come with `for await`
    for (const event of repo.backup("/data")) console.log(event);
    // @ts-expect-error: a job has no such field
    ib.certify("/data").isProven;
    // @ts-expect-error: the result has another type
    const plan: ib.RestorePlan = await repo.planBackup("/data");
    for await (const event of repo.backup("/data")) {
        // @ts-expect-error: not every event has it
        event.progress;
        // @ts-expect-error: no such kind
        if (event.kind === "started") console.log(event);
    }
    return [report, job, plan];
}
