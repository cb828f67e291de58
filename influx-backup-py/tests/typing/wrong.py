"""A program with a mistake on each line that is marked, which type checkers find. It is not run."""

from datetime import datetime

import influx_backup as ib
from influx_backup.names import Clause
from influx_backup.testing import generate


class Half:
    def stop(self, node: ib.Node) -> None: ...


class Misnamed:
    def move(self, request: ib.CopyRequest, context: ib.CopyContext) -> None: ...


def mistakes(repo: ib.Repository, plan: ib.RestorePlan, certificate: ib.Certificate) -> None:
    ib.Repository(42)  # error: arg-type
    ib.Repository("/backups", {"aws_region": "eu-central-1"})  # error: call-arg
    ib.backup("/data")  # error: attr-defined
    repo.backup("/data", nmae="n1")  # error: call-arg
    repo.backup("/data", on_violation="ignore")  # error: arg-type
    repo.backup("/data", stop_timeout=datetime.now())  # error: arg-type
    repo.backup("/data", limits={"memory": 1.5})  # error: typeddict-item
    repo.backup("/data", limits={"threads": 4})  # error: typeddict-unknown-key
    repo.backup("/data", policy="replace")  # error: call-arg
    repo.backup("/data", copier=Misnamed())  # error: arg-type
    repo.backup("/data", orchestrator=Half())  # error: arg-type
    repo.backup("/data", progress="bar")  # error: arg-type
    repo.plan_restore("n1", "/data", policy="merge")  # error: arg-type
    repo.restore("n1", "/data", polcy="replace")  # error: call-overload
    repo.restore(42, "/data")  # error: call-overload
    repo.restore(plan, servers_stopped="yes")  # error: call-overload
    repo.verify("n1", sample_percent="5")  # error: arg-type
    ib.certify("/data", node_ids=["n1"])  # error: call-arg
    ib.verify(plan)  # error: arg-type
    ib.inventory("/data")  # error: arg-type
    ib.inspect("/data", policy="replace")  # error: call-arg
    ib.abandon("/data", takeover="now")  # error: arg-type
    generate("/data", nodes="2")  # error: arg-type
    print(plan.skipped[0].item)  # error: attr-defined
    certificate.recovery_points[0]  # error: index
    certificate.recovery_points["n1"].reached.date()  # error: union-attr
    certificate.orphans = 0  # error: misc
    print(certificate.proven)  # error: attr-defined
    print(certificate.recovery[0].reached.time)  # error: union-attr
    certificate.recovery.append(1)  # error: attr-defined
    verdict: Clause = certificate.clauses[0].verdict  # error: assignment
    print(verdict)


async def unawaited(repo: ib.Repository) -> None:
    report: ib.BackupReport = repo.backup_async("/data")  # error: assignment
    for event in repo.backup_async("/data"):  # error: attr-defined
        print(event, report)
    print(ib.certify_async("/data").is_proven)  # error: attr-defined
    await repo.verify_async("n1", levle="bytes")  # error: call-arg
    await repo.restore_async("n1", progress=True)  # error: call-overload
