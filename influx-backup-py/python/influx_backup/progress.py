"""Ways to show how far a job is: `progress=True`, a callable, or one of these."""

from __future__ import annotations

import contextlib
import inspect
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from ._native import Event, Progress, ProgressEvent

__all__ = ["Listener", "lines", "rich_bar", "terminal_bar", "tqdm_bar"]

Listener = Callable[[Event], object]
"""Is called with each event of a job. What it raises cancels the job, and is raised by the verb."""

_LOG_EVERY = 60.0
"""Seconds between two lines of `lines`."""

_COLUMNS = 80
"""How wide a terminal is that does not tell."""

_BAR = 30
"""The most columns that the bar of a terminal takes."""

_terminal = threading.Lock()
"""Whose bar is drawn, where several jobs run at once."""


def listener(
    progress: bool | Listener | contextlib.AbstractContextManager[Listener] | None,
) -> contextlib.AbstractContextManager[Listener]:
    """What `progress=` means: nothing, a bar on a terminal and lines elsewhere, or the caller's own."""
    if progress is None or progress is False:
        return contextlib.nullcontext(lambda event: None)
    if progress is True:
        return terminal_bar() if _is_terminal() else lines()
    if isinstance(progress, contextlib.AbstractContextManager):
        return progress
    if inspect.iscoroutinefunction(progress):
        raise TypeError(
            "`progress` is called in this thread, so it cannot be a coroutine: iterate a job of an `_async` verb"
        )
    if callable(progress):
        return contextlib.nullcontext(progress)
    raise TypeError(
        f"`progress` is True, a callable that takes an event, or a bar of influx_backup.progress, not {progress!r}"
    )


def _is_terminal() -> bool:
    try:
        return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    except (AttributeError, ValueError):  # There is none, or it is closed.
        return False


@contextlib.contextmanager
def terminal_bar() -> Iterator[Listener]:
    """A bar on standard error, as the program draws it: one line, which is gone at the end.

    Of several bars at once, the first is drawn, and the next when that has ended. A terminal that is gone stops no job.
    """
    is_drawn = False

    def listen(event: Event) -> None:
        nonlocal is_drawn
        if isinstance(event, ProgressEvent) and (is_drawn or _terminal.acquire(blocking=False)):
            is_drawn = True
            _draw(_bar(event.progress))

    try:
        yield listen
    finally:
        if is_drawn:
            _draw("")
            _terminal.release()


def _draw(line: str) -> None:
    with contextlib.suppress(AttributeError, OSError, ValueError):
        sys.stderr.write(f"\r{line}\x1b[K")
        sys.stderr.flush()


def _bar(progress: Progress) -> str:
    columns = _columns()
    width = min(_BAR, columns // 4)
    filled = int((progress.fraction or 0) * width)
    bar = ("=" * filled + ">" * (filled < width)).ljust(width)
    return f"[{bar}] {progress}"[: columns - 1]  # A line that is as wide as the terminal may begin the next one.


def _columns() -> int:
    with contextlib.suppress(AttributeError, OSError, ValueError):
        return os.get_terminal_size(sys.stderr.fileno()).columns or _COLUMNS
    return _COLUMNS


@contextlib.contextmanager
def lines(
    logger: logging.Logger | None = None, every: float = _LOG_EVERY, clock: Callable[[], float] = time.monotonic
) -> Iterator[Listener]:
    """A line at the level `INFO` to `logger` (that of `influx_backup`) after this many seconds each, by `clock`."""
    logger = logger or logging.getLogger("influx_backup")
    last = clock()

    def listen(event: Event) -> None:
        nonlocal last
        if isinstance(event, ProgressEvent) and clock() - last >= every:
            logger.info("%s", event.progress)
            last = clock()

    yield listen


@contextlib.contextmanager
def rich_bar(**options: Any) -> Iterator[Listener]:
    """A bar of `rich` (the extra `influx-backup[rich]`); options are those of `rich.progress.Progress`."""
    from rich.progress import Progress as Bars

    with Bars(**options) as bars:
        task = bars.add_task("", total=None)

        def listen(event: Event) -> None:
            if isinstance(event, ProgressEvent):
                done, total, _ = _amounts(event.progress)
                bars.update(task, completed=done, total=total, description=event.progress.phase)

        yield listen


@contextlib.contextmanager
def tqdm_bar(**options: Any) -> Iterator[Listener]:
    """A bar of `tqdm` (the extra `influx-backup[tqdm]`); options are those of `tqdm.tqdm`."""
    from tqdm import tqdm

    with tqdm(**{"unit": " objects", "unit_scale": True, **options}) as bar:

        def listen(event: Event) -> None:
            if isinstance(event, ProgressEvent):
                bar.n, bar.total, bar.unit = _amounts(event.progress)
                bar.set_description_str(event.progress.phase)

        yield listen


def _amounts(progress: Progress) -> tuple[int, int | None, str]:
    """How much is done, of how much, and of what."""
    if progress.total_bytes:
        return progress.bytes, progress.total_bytes, "B"
    if progress.total_objects:
        return progress.objects, progress.total_objects, " objects"
    return progress.listed, None, " objects"
