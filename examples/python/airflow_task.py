"""A nightly backup as a DAG of Airflow 3.

Copy it to the folder of DAGs, and set the variables `influx_source` and `influx_repository`. Credentials of the stores come from
the environment of the workers.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.sdk import Variable, dag, task
from airflow.sdk.exceptions import AirflowFailException  # Before 3.2 of `airflow.exceptions`.


@task(retries=5, retry_delay=timedelta(minutes=10))
def back_up(day: str) -> dict[str, str]:
    """Takes the backup of a day, and returns its name and what it must look like later."""
    # Not at the top: workers fork after they have read this file, and threads of the package do not survive a fork.
    import influx_backup as ib

    repository = ib.Repository(Variable.get("influx_repository"))
    try:
        # A retry, or a task that was cleared, continues what the attempt before it left.
        report = repository.backup(
            Variable.get("influx_source"), name=f"airflow-{day}", on_existing="resume", progress=True
        )
    except ib.InfluxBackupError as error:
        if error.retryable:
            raise
        raise AirflowFailException(str(error.report)) from error
    return {"name": report.name, "manifest_sha256": report.manifest_sha256}


@task
def verify(backup: dict[str, str]) -> None:
    """Reads a twentieth of the backup again."""
    import influx_backup as ib

    repository = ib.Repository(Variable.get("influx_repository"))
    report = repository.verify(backup["name"], level="bytes", sample_percent=5)
    print(report)
    if not report.ok:
        raise AirflowFailException(f"{backup['name']} is damaged")


@dag(schedule="30 2 * * *", start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), catchup=False, max_active_runs=1)
def influx_backup_nightly() -> None:
    verify(back_up("{{ ds }}"))


influx_backup_nightly()
