"""`Job`: a running verb. One object that is awaited for its result and iterated for its events."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from . import _native
from ._native import Event, Finding, Progress

if TYPE_CHECKING:
    import asyncio

__all__ = ["Job", "ProgressOption"]

ProgressOption = bool | Callable[[Event], object] | AbstractContextManager[Callable[[Event], object]] | None
"""`True` for a bar on a terminal and log lines elsewhere, a callable for each event, or one of `influx_backup.progress`."""

P = ParamSpec("P")
T = TypeVar("T")

_STEP = 0.1
"""Seconds between two looks at Ctrl-C."""


class Job(Generic[T]):
    """A running verb of asyncio, which runs whether or not it is awaited.

    Awaited, it gives the result or raises, as often as wanted. Iterated with `async for`, it gives events as they happen, each
    once: a second loop goes on where the first ended. Events need not be read. They wait in a queue of bounded length, and
    `Lagged` counts what was dropped.

    Cancelling the task that awaits it, or waits for its next event, cancels the job, and the task ends when the job has, mostly
    within a second; a timeout around either is such a cancellation. What was backed up or restored so far stays: the same call
    with `on_existing="resume"` or `on_unfinished="resume"` goes on there.

    `asyncio.gather`, `wait_for` and `ensure_future` take it as it is; `asyncio.create_task` takes `job.wait()`.

    A job that nothing refers to any more is cancelled, unless it was detached. When the interpreter ends, all jobs are
    cancelled and waited for, also those that were detached.

    Any thread may call `cancel`, `progress`, `findings` and `is_finished`. It is made by the verbs with `_async`, in an event
    loop that runs; any event loop may await it.
    """

    def __init__(self, native: _native.Job[T]) -> None:
        self._native = native

    def __await__(self) -> Generator[Any, None, T]:
        return self.wait().__await__()

    async def wait(self) -> T:
        """What `await job` does, as a coroutine: for `asyncio.create_task` and the `create_task` of task groups."""
        await self._ended()
        return self._native.result()

    async def _ended(self) -> None:
        """Waits until the job has ended. Cancelling the task cancels the job, and is raised when that has ended."""
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

    def __aiter__(self) -> Job[T]:
        return self

    async def __anext__(self) -> Event:
        import asyncio

        while (event := self._native.take_event()) is None:
            if self._native.events_ended:
                raise StopAsyncIteration
            try:
                await self._native.wait_event_async()
            except asyncio.CancelledError:
                self.cancel()
                await self._ended()
                raise
        return event

    def cancel(self) -> None:
        """Asks the job to stop. It fails with `CancelledError` (`influx_backup`'s), mostly within a second; await it.

        A commit that is on its way is finished, and servers that were stopped are started again first.
        """
        self._native.cancel()

    def detach(self) -> Job[T]:
        """Lets the job go on when nothing refers to it any more, until the interpreter ends."""
        self._native.detach()
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


def start(verb: Callable[P, _native.Job[T]], *args: P.args, **kwargs: P.kwargs) -> Job[T]:
    """Starts a verb for asyncio. Raises `RuntimeError` where no event loop runs."""
    running_loop()
    return Job(verb(*args, **kwargs))


def run(progress: ProgressOption, verb: Callable[P, _native.Job[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs a verb in this thread and returns its result. Ctrl-C, and what `progress` raises, cancel it first."""
    from .progress import listener

    listening = listener(progress)
    job = verb(*args, **kwargs)
    try:
        with listening as listen:
            while not job.events_ended:
                job.wait_event(_STEP)
                while (event := job.take_event()) is not None:
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

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError(
            "no event loop runs here: call it in a coroutine, or use the verb without `_async`"
        ) from None
