"""Restores to targets that hold something else, are unfinished, or change meanwhile."""

from __future__ import annotations

import contextlib
from pathlib import Path

import influx_backup as ib
from influx_backup.testing import generate

from . import Scratch, before_a_copy, first, path_of, raised_within, raises, stop
from .backups import copy_of_committed
from .unprivileged import unprivileged


def unfinished(scratch: Scratch) -> Path:
    """A target with an unfinished restore of `n1`."""
    target = scratch.tmp / "restored"
    plan = scratch.committed.plan_restore("n1", target)
    with contextlib.suppress(ib.InfluxBackupError):
        scratch.committed.restore(plan, copier=before_a_copy(stop, ".parquet"), limits={"concurrency": 1})
    return target


@raises("target-not-empty")
def a_target_with_data(scratch: Scratch) -> None:
    scratch.committed.plan_restore("n1", scratch.core)


@raises("target-foreign")
def another_cluster_of_the_same_id(scratch: Scratch) -> None:
    other = scratch.tmp / "other"
    generate(other, edition="core", seed=7)
    scratch.committed.plan_restore("n1", other, policy="replace")


@raises("extra-nodes")
def a_node_that_the_backup_lacks(scratch: Scratch) -> None:
    repository = scratch.repository
    repository.backup(scratch.enterprise, name="n1", excluded_nodes=["ingester02"])
    repository.plan_restore("n1", scratch.enterprise, policy="replace")


@raises("servers-not-stopped")
def servers_that_may_run(scratch: Scratch) -> None:
    scratch.committed.restore(scratch.committed.plan_restore("n1", scratch.data, policy="replace"))


@raises("server-running")
def a_server_that_writes(scratch: Scratch) -> None:
    target = scratch.tmp / "restored"

    def write(request: ib.CopyRequest) -> None:
        wal = path_of(request.target, request.target_key).with_name("00000009999.wal")
        wal.parent.mkdir(exist_ok=True)
        wal.write_bytes(b"written by a server")

    plan = scratch.committed.plan_restore("n1", target)
    scratch.committed.restore(plan, copier=before_a_copy(write, ".wal"))


@raises("verify-failed")
def a_file_that_is_changed_after_its_copy(scratch: Scratch) -> None:
    target = scratch.tmp / "restored"

    def change(request: ib.CopyRequest) -> None:
        first(target, "*.catalog").write_bytes(b"changed")

    plan = scratch.committed.plan_restore("n1", target)
    scratch.committed.restore(plan, copier=before_a_copy(change, "/wal/"), limits={"concurrency": 1})


@raises("restore-unfinished")
def one_that_was_stopped(scratch: Scratch) -> None:
    target = unfinished(scratch)
    scratch.committed.restore(scratch.committed.plan_restore("n1", target))


@raises("restore-in-progress")
def two_at_once(scratch: Scratch) -> None:
    target = scratch.tmp / "restored"
    plan = scratch.committed.plan_restore("n1", target)
    again = before_a_copy(lambda request: scratch.committed.restore(plan))
    raised_within(lambda: scratch.committed.restore(plan, copier=again))


@raises("plan-changed")
def a_target_that_changed_since(scratch: Scratch) -> None:
    target = scratch.data
    plan = scratch.committed.plan_restore("n1", target, policy="replace")
    (first(target, "*.wal").parent / "00000009999.wal").write_bytes(b"newer")
    scratch.committed.restore(plan, servers_stopped=True)


@raises("no-restore")
def nothing_to_resume(scratch: Scratch) -> None:
    plan = scratch.committed.plan_restore("n1", scratch.tmp / "restored")
    scratch.committed.restore(plan, on_unfinished="resume")


@raises("cannot-abandon")
def one_whose_boot_guard_was_removed(scratch: Scratch) -> None:
    target = unfinished(scratch)
    for path in (target / "node01" / "catalog").rglob("*"):
        if path.is_file():
            path.unlink()
    ib.abandon(target)


@raises("damaged-journal")
def a_journal_that_was_cut(scratch: Scratch) -> None:
    target = unfinished(scratch)
    journal = first(target, "restore.json")
    journal.write_bytes(journal.read_bytes()[:-20])
    scratch.committed.plan_restore("n1", target)


@raises("ownership")
def an_owner_that_only_root_may_set(scratch: Scratch) -> None:
    repository = copy_of_committed(scratch)
    with unprivileged(scratch.tmp):
        target = scratch.tmp / "restored"
        plan = repository.plan_restore("n1", target, ownership={"owner": "0:0"})
        repository.restore(plan)
