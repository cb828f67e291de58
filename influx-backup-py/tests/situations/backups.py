"""Backups that are taken, written by two, unfinished or damaged."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import influx_backup as ib

from . import Scratch, before_a_copy, copy_of, first, path_of, raised_within, raises, stop


def copy_of_committed(scratch: Scratch) -> ib.Repository:
    """A copy of the repository `committed`, to be damaged."""
    copy_of(path_of(scratch.committed.location), scratch.tmp / "backups")
    return scratch.repository


@raises("backup-exists")
def a_name_that_is_taken(scratch: Scratch) -> None:
    scratch.committed.backup(scratch.core, name="n1")


@raises("backup-in-progress")
def two_at_once(scratch: Scratch) -> None:
    def too(request: ib.CopyRequest) -> None:
        scratch.repository.backup(scratch.core, name="n1")

    raised_within(lambda: scratch.repository.backup(scratch.core, name="n1", copier=before_a_copy(too)))


@raises("backup-unfinished")
def one_that_was_stopped(scratch: Scratch) -> None:
    repository = scratch.repository
    with contextlib.suppress(ib.InfluxBackupError):
        repository.backup(scratch.core, name="n1", copier=before_a_copy(stop))
    repository.backup(scratch.core, name="n1")


@raises("lease-lost")
def one_that_was_taken_over(scratch: Scratch) -> None:
    repository = scratch.repository

    def take_over(request: ib.CopyRequest) -> None:
        repository.backup(scratch.core, name="n1", on_existing="resume", takeover="immediately")

    repository.backup(scratch.core, name="n1", copier=before_a_copy(take_over))


@raises("backup-not-found")
def a_name_that_is_free(scratch: Scratch) -> None:
    scratch.committed.get("other")


@raises("unsupported-format")
def a_repository_of_a_newer_release(scratch: Scratch) -> None:
    repository = copy_of_committed(scratch)
    marker = path_of(repository.location) / "_influx_backup" / "repository.json"
    marker.write_text(json.dumps({**json.loads(marker.read_text()), "format": 99, "min_reader": 99}))
    ib.Repository(scratch.tmp / "backups")


@raises("damaged-backup")
def a_manifest_that_was_cut(scratch: Scratch) -> None:
    repository = copy_of_committed(scratch)
    manifest = first(path_of(repository.location) / "n1", "manifest.json")
    manifest.write_bytes(manifest.read_bytes()[:-20])
    repository.get("n1")


@raises("untrusted-backup")
def a_manifest_of_another_digest(scratch: Scratch) -> None:
    scratch.committed.verify("n1", expect_sha256="00" * 32)


@raises("damaged-marker")
def a_marker_that_was_cut(scratch: Scratch) -> None:
    repository = copy_of_committed(scratch)
    (path_of(repository.location) / "_influx_backup" / "repository.json").write_bytes(b"{")
    repository.backup(scratch.core, name="n2")


class Deleting:
    """A copier that deletes the object that was copied before, and leaves copying to the next."""

    def __init__(self) -> None:
        self.previous: Path | None = None

    def copy(self, request: ib.CopyRequest, context: ib.CopyContext) -> None:
        if self.previous:
            self.previous.unlink()
        self.previous = path_of(request.target, request.target_key)
        raise ib.Unsupported


@raises("backup-altered")
def something_that_deletes_what_is_copied(scratch: Scratch) -> None:
    copiers: list[ib.Copier | ib.NativeCopier] = [Deleting(), *ib.default_copiers()]
    scratch.repository.backup(scratch.core, copier=copiers, limits={"concurrency": 1})


@raises("degraded-backup")
def one_that_was_committed_degraded(scratch: Scratch) -> None:
    data = scratch.data
    for parquet in data.rglob("*.parquet"):
        parquet.unlink()
    repository = scratch.repository
    repository.backup(data, name="n1", on_violation="degrade")
    repository.plan_restore("n1", scratch.tmp / "restored")
