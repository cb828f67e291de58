"""`Job`: a running verb. One object that is awaited for its result and iterated for its events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from . import _native
from ._native import Event, Finding, Progress

if TYPE_CHECKING:
    import asyncio

__all__ = ["Job", "ProgressOption"]

ProgressOption = bool | Callable[[Event], object] | AbstractContextManager[Callable[[Event], object]] | None
"""`True` for a bar on a terminal and log lines elsewhere, a callable for each event, or one of `influx_backup.progress`."""

T = TypeVar("T")

_STEP = 0.1
"""Seconds between two looks at Ctrl-C."""


class Job(Generic[T]):
    """A running verb of asyncio.

    Awaited, it gives the result or raises; iterated with `async for`, it gives events as they happen, each once. Cancelling
    the task that awaits it cancels the job, and the task ends when the job has.

    A job that nothing refers to any more is cancelled, unless it was detached.
    """

    def __init__(self, native: _native.Job[T]) -> None:
        self._native = native
        self._detached = False

    def __await__(self) -> Generator[Any, None, T]:
        return self._wait().__await__()

    async def _wait(self) -> T:
        import asyncio  # It takes a third of the time of importing the package.

        cancelled: asyncio.CancelledError | None = None
        while not self._native.is_finished:
            try:
                await self._native.wait_async()
            except asyncio.CancelledError as error:
                cancelled = error
                self.cancel()
        if cancelled is not None:
            raise cancelled
        return self._native.result()

    async def __aiter__(self) -> AsyncIterator[Event]:
        while (event := await self._native.next_event_async()) is not None:
            yield event

    def cancel(self) -> None:
        """Asks the job to stop. It fails with `CancelledError` (`influx_backup`'s) within a second; await it."""
        self._native.cancel()

    def detach(self) -> Job[T]:
        """Lets the job go on when nothing refers to it any more, as long as the process lives."""
        self._detached = True
        return self

    @property
    def progress(self) -> Progress:
        """How far the job is now."""
        return self._native.progress

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the job has found so far, in order."""
        return self._native.findings

    @property
    def is_finished(self) -> bool:
        """Whether the job has ended, in whatever way."""
        return self._native.is_finished

    def __repr__(self) -> str:
        return f"<Job: {'finished' if self.is_finished else self.progress}>"

    def __del__(self) -> None:
        if not self._detached:
            self._native.cancel()


def run(job: _native.Job[T], progress: ProgressOption = None) -> T:
    """Waits for a job in this thread and returns its result. Ctrl-C, and what `progress` raises, cancel it first."""
    from .progress import listener

    try:
        with listener(progress) as listen:
            while (events := job.next_events(_STEP)) is not None:
                for event in events:
                    listen(event)
        while not job.wait(_STEP):
            pass
    except BaseException:
        job.cancel()
        while not job.wait(_STEP):
            pass
        raise
    return job.result()


def running_loop() -> asyncio.AbstractEventLoop:
    """The event loop of the caller, in which its own `async` methods are called."""
    import asyncio

    return asyncio.get_running_loop()
