"""Copies that fail, and what the caller brings along."""

from __future__ import annotations

import asyncio

import influx_backup as ib

from . import Scratch, first, raises
from .unprivileged import unprivileged

AT_ONCE: ib.options.Retry = {"initial_backoff": "10ms", "max_elapsed": "100ms", "max_outage": "100ms"}


class Failing:
    """A copier that fails in one way."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def copy(self, request: ib.CopyRequest, context: ib.CopyContext) -> None:
        raise self.error


def back_up_with(scratch: Scratch, error: Exception) -> None:
    scratch.repository.backup(scratch.core, copier=Failing(error), limits={"retry": AT_ONCE})


def own(code: str) -> Exception:
    """What a copier raises that has a reason of its own, by its code."""
    error = ib.CopyError("the reason")
    error.copy_code = code
    return error


@raises("copy-unsupported")
def no_copier_left(scratch: Scratch) -> None:
    back_up_with(scratch, ib.Unsupported("nothing at all"))


@raises("copy-refused")
def a_copier_whose_store_refuses(scratch: Scratch) -> None:
    back_up_with(scratch, own("copy-refused"))


@raises("copy-corrupt")
def a_copier_that_copies_something_else(scratch: Scratch) -> None:
    back_up_with(scratch, ib.Corrupt("a bit is missing"))


@raises("copier-failed")
def a_copier_that_is_broken(scratch: Scratch) -> None:
    back_up_with(scratch, KeyError("mine"))


@raises("read-only")
def a_store_that_takes_nothing(scratch: Scratch) -> None:
    back_up_with(scratch, own("read-only"))


@raises("object-not-found")
def a_store_without_the_object(scratch: Scratch) -> None:
    back_up_with(scratch, own("object-not-found"))


@raises("source-unexpected")
def a_copier_that_reads_something_else(scratch: Scratch) -> None:
    back_up_with(scratch, own("source-unexpected"))


@raises("object-unreadable")
def a_store_that_cannot_read_one_object(scratch: Scratch) -> None:
    back_up_with(scratch, own("object-unreadable"))


@raises("object-archived")
def a_store_whose_object_is_archived(scratch: Scratch) -> None:
    back_up_with(scratch, own("object-archived"))


class Broken:
    """An orchestrator that stops nothing."""

    def stop(self, node: ib.Node) -> None:
        raise KeyError(node.id)

    def stopped(self, node: ib.Node) -> bool:
        return False

    def start(self, node: ib.Node) -> None:
        pass


@raises("orchestrator")
def an_orchestrator_that_is_broken(scratch: Scratch) -> None:
    scratch.repository.backup(scratch.core, orchestrator=Broken())


@raises("cancelled")
def a_job_that_is_cancelled(scratch: Scratch) -> None:
    async def run() -> None:
        job = scratch.repository.backup_async(scratch.core)
        job.cancel()
        await job

    asyncio.run(run())


@raises("access-denied")
def a_file_that_may_not_be_read(scratch: Scratch) -> None:
    data = scratch.data
    repository = scratch.repository
    first(data, "*.parquet").chmod(0)
    with unprivileged(scratch.tmp):
        repository.backup(data)
