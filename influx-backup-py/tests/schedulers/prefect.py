"""As much of Prefect 3 as `prefect_task.py` needs: tasks run where they are called, and failures are tried again at once."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Failed:
    """The state of a task that failed."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def result(self, raise_on_failure: bool = True) -> Exception:
        if raise_on_failure:
            raise self.error
        return self.error


def get_run_logger() -> logging.Logger:
    """A logger that writes to standard output."""
    logger = logging.getLogger("prefect")
    logger.setLevel(logging.INFO)
    logger.handlers = [logging.StreamHandler(sys.stdout)]
    return logger


def task(
    *, retries: int, retry_delay_seconds: float, retry_condition_fn: Callable[[Any, Any, Any], bool]
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Makes a function a task."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        def run(*arguments: P.args, **options: P.kwargs) -> R:
            for attempt in range(retries + 1):
                print(f"attempt {attempt + 1} of {function.__name__}", flush=True)
                try:
                    return function(*arguments, **options)
                except Exception as error:
                    if attempt == retries or not retry_condition_fn(function, None, Failed(error)):
                        raise
            raise AssertionError("unreachable")

        return run

    return decorate


def flow(*, name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Makes a function a flow."""
    return lambda function: function
