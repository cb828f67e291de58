// A program that TypeScript accepts. It is not run.

import * as ib from "influx-backup";
import {
    Certificate,
    CopyError,
    certify,
    defaultCopiers,
    discover,
    ERROR_CODES,
    Event,
    FINDING_CODES,
    InfluxBackupError,
    Job,
    Location,
    NotFoundError,
    Repository,
    SourceVanished,
    Unsupported,
    version,
} from "influx-backup";
import { type Generated, generate } from "influx-backup/testing";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Accepts a value of exactly this type. */
declare function exactly<Expected>(): <Actual>(
    value: Actual,
    ...same: Same<Actual, Expected> extends true ? [] : [never]
) => void;

export async function nightly() {
    const repo = new Repository("s3://vault/nightly", { awsRegion: "eu-central-1", awsAllowHttp: true });
    const job = repo.backup("s3://prod", { name: "n1", signal: AbortSignal.timeout(3_600_000) });
    exactly<Job<ib.BackupReport>>()(job);
    const report = await job;
    exactly<ib.BackupReport>()(report);
    exactly<ib.BackupStatus>()(report.status);
    exactly<Date>()(report.committed);
    exactly<ib.Times | null | undefined>()(report.abilities?.times);
    exactly<Date | null | undefined>()(report.recoveryPoints.node1?.reached);
    for (const point of report.certificate.recovery) {
        if (point.reached !== null) exactly<Date>()(point.reached.time);
    }
    const plan = await repo.planRestore("n1", "/var/lib/influxdb3/data", { policy: "replace" });
    exactly<readonly string[]>()(plan.deletions);
    exactly<ib.RestoreReport>()(await repo.restore(plan, { serversStopped: true }));
    await repo.restore(plan, new Location("s3://prod", { awsEndpoint: "http://minio:9000" }), {
        takeover: "immediately",
    });
    await repo.restore(plan, undefined, { onUnfinished: "resume" });
    await repo.restore("n1", "/scratch", { policy: "replace", serversStopped: true, approvedHash: plan.hash });
    await repo.planRestore("n1", "/scratch", plan.options);
    exactly<boolean>()((await certify("/var/lib/influxdb3/data", { discover: { nodeIds: ["n1"] } })).isProven);
    exactly<boolean>()((await repo.certify("n1")).holds);
    for (const leftover of await repo.leftovers()) await repo.remove(leftover, { objectEvents: true });
    exactly<ib.RepositoryMarker | null>()(await repo.marker());
}

export async function withoutARepository(target: Location) {
    const cluster = await discover("/data");
    exactly<readonly ib.Node[]>()(cluster.nodes);
    exactly<readonly ib.ObjectMeta[] | undefined>()((await ib.inventory(cluster)).listings.at(0)?.entries);
    exactly<Certificate>()(await certify(cluster));
    const found = await ib.inspect(target);
    exactly<number | null>()(found.signsOfLife);
    exactly<readonly ib.Component[] | undefined>()(found.prefixes.at(0)?.components);
    if (found.unfinished !== null) {
        exactly<ib.RestorePhase>()(found.unfinished.phase);
        exactly<number>()((await ib.abandon(target, { takeover: "immediately", objectEvents: true })).deleted);
    }
    exactly<Generated>()(await generate("/tmp/cluster", { edition: "core", fileSize: "2KiB" }));
    exactly<ib.Severity>()(FINDING_CODES["wal-gap"].severity);
    exactly<ib.Category>()(ERROR_CODES["no-cluster"].category);
    exactly<string[]>()(version.split("."));
}

export async function backups(repo: Repository) {
    const backup = await repo.get("n1");
    exactly<ib.ObjectRecord | null>()(backup.object("n1/wal/00000000001.wal"));
    exactly<Date | undefined>()(backup.objects.at(0)?.version.modified);
    exactly<boolean>()((await ib.verify(backup, { level: "checksums" })).ok);
    const plan = await repo.planBackup("/data");
    exactly<ib.SkippedKind | undefined>()(plan.skipped.at(0)?.kind);
    exactly<readonly string[] | undefined>()(plan.stages.at(0)?.keys);
    exactly<readonly ib.BackupSummary[]>()(await repo.list({ signal: null }));
}

export function places() {
    const here = new Location("/backups");
    for (const place of ["/backups", new URL("file:///backups"), here.child("nightly")]) new Repository(place);
    exactly<Location | null>()(here.parent);
    exactly<boolean>()(here.contains(here.child("nightly")) && here.equals(here));
    exactly<ib.Provider>()(here.identity.provider);
}

export function options(repo: Repository, signal?: AbortSignal) {
    const given: ib.BackupOptions = {
        limits: { memory: "256MiB", bandwidth: null, stallTimeout: 90_000, retry: { maxOutage: "30s" } },
        passes: { timeLimit: 1.5 },
    };
    const where: ib.DiscoverOptions = { clusterId: "c1", nodeIds: ["n1", "n2"] as const };
    repo.planBackup("/data", { ...given, ...where });
    repo.backup("/data", { ...given, signal, name: undefined });
}

export async function errors(repo: Repository) {
    try {
        const found = await repo.verify("n1", { level: "bytes", samplePercent: 5 });
        exactly<{ readonly [code: string]: number }>()(found.counts);
    } catch (error) {
        if (error instanceof NotFoundError) {
            exactly<"not_found">()(error.category);
        } else if (error instanceof ib.CancelledError) {
            exactly<"AbortError">()(error.name);
            exactly<unknown>()(error.cause);
        } else if (error instanceof ib.UnknownOptionError) {
            const known: TypeError = error;
            throw known;
        } else if (error instanceof InfluxBackupError) {
            exactly<ib.ErrorCode>()(error.code);
            exactly<Certificate | null>()(error.certificate);
            exactly<string | null>()(error.hint);
            console.log(error.report.toJSON().message, String(error.report));
        } else if (error instanceof SourceVanished) {
            exactly<"source-vanished">()(error.copyCode);
        } else if (error instanceof CopyError) {
            exactly<ib.ErrorCode>()(error.copyCode);
        }
    }
}

export function data(certificate: Certificate, event: Event) {
    exactly<Certificate>()(Certificate.fromJSON(JSON.stringify(certificate)));
    exactly<Certificate>()(Certificate.fromJSON(certificate.toJSON()));
    exactly<Event>()(Event.fromJSON(event.toJSON()));
    exactly<readonly ib.Clause[]>()(certificate.violatedClauses);
    exactly<number | undefined>()(certificate.checkedBy.store_checksum);
    const { orphans, ...rest } = certificate;
    console.log(orphans, rest.holds, `${certificate}`);
}

const mine: ib.Copier = {
    async copy(request, context) {
        if (request.source.provider !== "file") throw new Unsupported("only files", { cause: request });
        context.signal.throwIfAborted();
        request.checkLease();
        context.moved(request.size);
        return request.crc64;
    },
};

class Mine implements ib.Copier {
    copy(): void {}
}

class Servers implements ib.Orchestrator {
    stop(node: ib.Node) {
        console.log(node.roles.includes("compactor"));
    }
    async stopped() {
        return true;
    }
    async start() {}
}

export async function jobs(repo: Repository) {
    const job = repo.backup("/data", { copier: [mine, new Mine(), ...defaultCopiers()], orchestrator: new Servers() });
    exactly<Job<ib.BackupReport>>()(job.unref().ref());
    for await (const event of job) {
        exactly<Event>()(event);
        switch (event.kind) {
            case "progress":
                exactly<ib.ProgressEvent>()(event);
                exactly<number | null>()(event.progress.fraction);
                break;
            case "finished":
                exactly<ib.ErrorReport | null>()(event.error);
                break;
            case "retry":
                exactly<number>()(event.wait);
        }
        if (event instanceof ib.FindingEvent) exactly<"finding">()(event.kind);
    }
    exactly<ib.Progress>()(job.progress);
    exactly<readonly ib.Finding[]>()(job.findings);
    exactly<boolean>()(job.isFinished);
    job.cancel();
    const promise: Promise<ib.BackupReport> = job;
    exactly<Promise<string>>()(job.then((report) => report.name));
    exactly<[ib.BackupReport, ib.Target]>()(await Promise.all([promise, ib.inspect("/scratch")]));
}

/** Every kind of event. */
export function told(event: Event): string {
    switch (event.kind) {
        case "pass_started":
        case "check_started":
        case "stage_started":
            return `${event.objects} objects`;
        case "stage_finished":
            return event.stage;
        case "pass_finished":
            return `pass ${event.number}`;
        case "vanished":
        case "changed":
        case "retry":
        case "deleted":
            return event.key;
        case "node_stopped":
        case "node_started":
            return event.node;
        case "progress":
        case "lagged":
        case "certified":
        case "recovery":
        case "guard_set":
        case "guard_released":
        case "finding":
        case "committed":
        case "finished":
            return event.at.toISOString();
    }
}

export function narrowed(value: unknown) {
    if (value instanceof Event) exactly<Event>()(value);
    if (value instanceof Job) exactly<ib.Progress>()(value.progress);
}
