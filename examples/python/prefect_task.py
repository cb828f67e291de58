"""A backup as a flow of Prefect 3, with its events in the log of the run.

    prefect_task.py s3://prod s3://vault/nightly

The next run of the same day resumes what an attempt left. Exit code: 0 taken, 1 failed.
"""

from __future__ import annotations

import argparse
from datetime import datetime, timezone
from typing import Any

import influx_backup as ib
from prefect import flow, get_run_logger, task


def may_succeed_later(_task: Any, _run: Any, state: Any) -> bool:
    """Whether another attempt makes sense."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, ib.InfluxBackupError) and error.retryable


@task(retries=5, retry_delay_seconds=600, retry_condition_fn=may_succeed_later)
def back_up(source: str, repository: str, name: str) -> str:
    """Takes a backup, and returns the SHA-256 of its manifest, to be kept elsewhere."""
    log = get_run_logger()

    def tell(event: ib.Event) -> None:
        if isinstance(event, ib.StageStarted):
            log.info("%s: %d objects, %d bytes", event.stage, event.objects, event.bytes)
        elif isinstance(event, ib.FindingEvent):
            log.warning("%s", event.finding)

    report = ib.Repository(repository).backup(source, name=name, on_existing="resume", progress=tell)
    log.info("%s", report)
    return report.manifest_sha256


@flow(name="influx-backup")
def nightly(source: str, repository: str) -> str:
    return back_up(source, repository, f"prefect-{datetime.now(timezone.utc):%Y-%m-%d}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="the cluster: a path or a URL")
    parser.add_argument("repository", help="where backups lie: a path or a URL")
    arguments = parser.parse_args()
    nightly(arguments.source, arguments.repository)
