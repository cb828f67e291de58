"""A program that type checkers accept. It is not run."""

import pickle
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import influx_backup as ib
from influx_backup.names import BackupStatus, Clause, Component, CreateOnly, RestorePhase, SkippedKind
from influx_backup.options import BackupOptions, DiscoverOptions
from influx_backup.progress import tqdm_bar
from influx_backup.testing import Generated, generate
from obstore.store import S3Store
from typing_extensions import assert_type


def nightly() -> None:
    repo = ib.Repository("s3://vault/nightly", options={"aws_region": "eu-central-1"})
    report = repo.backup("s3://prod", name="n1", progress=True)
    assert_type(report, ib.BackupReport)
    assert_type(report.status, BackupStatus)
    assert_type(report.committed, datetime)
    if report.abilities is not None:
        assert_type(report.abilities.create_only, CreateOnly)
    assert_type(report.recovery_points["node1"].reached, datetime | None)
    for point in report.certificate.recovery:
        if point.reached is not None:
            assert_type(point.reached.time, datetime)
    plan = repo.plan_restore("n1", "/var/lib/influxdb3/data", policy="replace")
    print(plan, plan.deletions)
    assert_type(repo.restore(plan, servers_stopped=True), ib.RestoreReport)
    assert ib.certify("/var/lib/influxdb3/data", discover={"node_ids": ["n1"]}).is_proven
    repo.restore("n1", "/scratch", policy="replace", servers_stopped=True, approved_hash=plan.hash)
    assert_type(repo.certify("n1").holds, bool)
    for leftover in repo.leftovers():
        repo.remove(leftover, object_events=True)


def without_a_repository(target: ib.Location) -> None:
    cluster = ib.discover("/data")
    assert_type(cluster.nodes, tuple[ib.Node, ...])
    assert_type(ib.inventory(cluster).listings[0].entries, tuple[ib.ObjectMeta, ...])
    assert_type(ib.certify(cluster), ib.Certificate)
    found = ib.inspect(target)
    assert_type(found.signs_of_life, timedelta | None)
    assert_type(found.prefixes[0].components, tuple[Component, ...])
    if found.unfinished is not None:
        assert_type(found.unfinished.phase, RestorePhase)
        assert_type(ib.abandon(target, takeover="immediately", object_events=True).deleted, int)
    assert_type(generate("/tmp/cluster", edition="core", file_size="2KiB"), Generated)
    print(ib.__version__.split("."), ib.FINDING_CODES["wal-gap"][1], {cluster, target, found})


def backups(repo: ib.Repository) -> None:
    backup = repo.get("n1")
    assert_type(backup.object("n1/wal/00000000001.wal"), ib.ObjectRecord | None)
    assert_type(backup.objects[0].version.modified, datetime)
    assert_type(ib.verify(backup, level="checksums").ok, bool)
    plan = repo.plan_backup("/data")
    assert_type(plan.skipped[0].kind, SkippedKind)
    assert_type(plan.stages[0].keys, tuple[str, ...])


def places(store: S3Store) -> None:
    here = ib.Location(Path("/backups"), options={})
    for place in ("/backups", Path("/backups"), here / "nightly", store):
        ib.Repository(place)
    assert_type(here.parent, ib.Location | None)
    print(here / "nightly" in here)


def options() -> None:
    ib.discover("/data", node_ids=("n1", "n2"), progress=print)
    given: BackupOptions = {
        "limits": {
            "memory": "256MiB",
            "bandwidth": None,
            "stall_timeout": timedelta(seconds=90),
            "retry": {"max_outage": 30},
        },
        "passes": {"time_limit": 1.5},
    }
    where: DiscoverOptions = {"cluster_id": "c1"}
    ib.Repository("/backups").plan_backup("/data", **where)
    with tqdm_bar() as listen:
        ib.Repository("/backups").backup("/data", progress=listen, **given)
    ib.Repository("/backups").backup("/data", progress=tqdm_bar(), node_ids=["n1"])


def errors(repo: ib.Repository) -> None:
    try:
        found = repo.verify("n1", level="bytes", sample_percent=5)
        assert_type(found.counts, Mapping[str, int])
    except ib.NotFoundError as error:
        assert_type(error.certificate, ib.Certificate | None)
        print(error.code, error.hint, error.report.to_json(), error.filename)


def data(certificate: ib.Certificate) -> None:
    assert_type(ib.Certificate.from_json(certificate.to_json()), ib.Certificate)
    assert_type(certificate.violated_clauses, tuple[Clause, ...])
    print({certificate: pickle.dumps(certificate)})


class Mine:
    async def copy(self, request: ib.CopyRequest, context: ib.CopyContext) -> None:
        if request.source.provider != "file":
            raise ib.Unsupported
        context.moved(request.size)


class Servers:
    def stop(self, node: ib.Node) -> None:
        print("compactor" in node.roles)

    async def stopped(self, node: ib.Node) -> bool:
        return True

    def start(self, node: ib.Node) -> None: ...


async def jobs() -> None:
    repo = await ib.Repository.open_async("/backups")
    job = repo.backup_async("/data", copier=[Mine(), *ib.default_copiers()], orchestrator=Servers())
    assert_type(job, ib.Job[ib.BackupReport])
    async for event in job:
        if isinstance(event, ib.ProgressEvent):
            assert_type(event.progress.fraction, float | None)
        elif isinstance(event, ib.Finished):
            assert_type(event.error, ib.ErrorReport | None)
    assert_type(await job, ib.BackupReport)
    assert_type(await repo.list_async(), tuple[ib.BackupSummary, ...])
    assert_type(await repo.restore_async("n1", "/scratch", policy="replace"), ib.RestoreReport)
    assert_type(await ib.inspect_async("/scratch"), ib.Target)
    assert_type(await ib.inventory_async(await ib.discover_async("/data")), ib.Inventory)
    assert_type(await ib.verify_async("/backups/n1"), ib.VerifyReport)
    assert_type(await ib.abandon_async("/scratch"), ib.AbandonReport)
    assert_type(await repo.plan_restore_async("n1", "/scratch"), ib.RestorePlan)
    assert_type(ib.certify_async("/data").detach(), ib.Job[ib.Certificate])
