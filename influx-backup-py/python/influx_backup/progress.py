"""Ways to show how far a job is: `progress=True`, a callable, or one of these."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from ._native import Event, Progress, ProgressEvent

__all__ = ["Listener", "lines", "rich_bar", "terminal_bar", "tqdm_bar"]

Listener = Callable[[Event], object]
"""Is called with each event of a job. What it raises cancels the job, and is raised by the verb."""

_LOG_EVERY = 60.0
"""Seconds between two lines of `lines`."""


def listener(
    progress: bool | Listener | contextlib.AbstractContextManager[Listener] | None,
) -> contextlib.AbstractContextManager[Listener]:
    """What `progress=` means: nothing, a bar on a terminal and lines elsewhere, or the caller's own."""
    if progress is None or progress is False:
        return contextlib.nullcontext(lambda event: None)
    if progress is True:
        return terminal_bar() if sys.stderr.isatty() else lines()
    if isinstance(progress, contextlib.AbstractContextManager):
        return progress
    if callable(progress):
        return contextlib.nullcontext(progress)
    raise TypeError(
        f"`progress` is True, a callable that takes an event, or a bar of influx_backup.progress, not {progress!r}"
    )


@contextlib.contextmanager
def terminal_bar() -> Iterator[Listener]:
    """A line on standard error that is drawn again and again."""
    shown = False

    def listen(event: Event) -> None:
        nonlocal shown
        if isinstance(event, ProgressEvent):
            sys.stderr.write(f"\r\x1b[K{event.progress}")
            sys.stderr.flush()
            shown = True

    try:
        yield listen
    finally:
        if shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


@contextlib.contextmanager
def lines(logger: logging.Logger | None = None, every: float = _LOG_EVERY) -> Iterator[Listener]:
    """A line to `logger` (that of `influx_backup`) after this many seconds each."""
    logger = logger or logging.getLogger("influx_backup")
    last = time.monotonic()

    def listen(event: Event) -> None:
        nonlocal last
        if isinstance(event, ProgressEvent) and time.monotonic() - last >= every:
            logger.info("%s", event.progress)
            last = time.monotonic()

    yield listen


@contextlib.contextmanager
def rich_bar(**options: Any) -> Iterator[Listener]:
    """A bar of `rich` (the extra `influx-backup[rich]`); options are those of `rich.progress.Progress`."""
    from rich.progress import Progress as Bars

    with Bars(**options) as bars:
        task = bars.add_task("", total=None)

        def listen(event: Event) -> None:
            if isinstance(event, ProgressEvent):
                done, total = _amounts(event.progress)
                bars.update(task, completed=done, total=total, description=event.progress.phase)

        yield listen


@contextlib.contextmanager
def tqdm_bar(**options: Any) -> Iterator[Listener]:
    """A bar of `tqdm` (the extra `influx-backup[tqdm]`); options are those of `tqdm.tqdm`."""
    from tqdm import tqdm

    with tqdm(**{"unit": "B", "unit_scale": True, **options}) as bar:

        def listen(event: Event) -> None:
            if isinstance(event, ProgressEvent):
                done, bar.total = _amounts(event.progress)
                bar.update(done - bar.n)

        yield listen


def _amounts(progress: Progress) -> tuple[int, int | None]:
    if progress.total_bytes:
        return progress.bytes, progress.total_bytes
    return progress.objects, progress.total_objects or None
