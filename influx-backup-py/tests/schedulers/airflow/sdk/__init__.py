"""`task`, `dag` and `Variable` of the Task SDK."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ParamSpec, TypeVar, overload

from airflow.sdk.exceptions import AirflowFailException

P = ParamSpec("P")
R = TypeVar("R")


class Variable:
    """Variables of Airflow, which it also reads from the environment."""

    @staticmethod
    def get(key: str) -> str:
        return os.environ[f"AIRFLOW_VAR_{key.upper()}"]


@overload
def task(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def task(*, retries: int, retry_delay: timedelta) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def task(
    function: Callable[P, R] | None = None, /, *, retries: int = 0, retry_delay: timedelta | None = None
) -> Callable[P, R] | Callable[[Callable[P, R]], Callable[P, R]]:
    """Makes a function a task."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        def run(*arguments: P.args, **options: P.kwargs) -> R:
            given = [it.replace("{{ ds }}", "2026-01-02") if isinstance(it, str) else it for it in arguments]
            for attempt in range(retries + 1):
                print(f"attempt {attempt + 1} of {function.__name__}", flush=True)
                try:
                    return function(*given, **options)  # type: ignore[arg-type]
                except AirflowFailException:
                    raise
                except Exception:
                    if attempt == retries:
                        raise
            raise AssertionError("unreachable")

        return run

    return decorate(function) if function else decorate


def dag(
    *, schedule: str, start_date: datetime, catchup: bool, max_active_runs: int
) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Makes a function a DAG, which runs where it is called."""
    return lambda function: function
