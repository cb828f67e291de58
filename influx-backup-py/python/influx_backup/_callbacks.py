"""Between threads of the core and event loops."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Coroutine
    from concurrent.futures import Future


def resolve(future: asyncio.Future[None]) -> None:
    """Ends a wait that was not cancelled meanwhile."""
    if not future.done():
        future.set_result(None)


def submit(
    event_loop: asyncio.AbstractEventLoop | OwnLoop, awaitable: Awaitable[Any], ended: Callable[[Any, Any], None]
) -> Future[Any]:
    """Runs what an `async` method of the caller returned in an event loop, and calls `ended` with what it returned and raised."""
    import asyncio

    coroutine = _awaited(awaitable, ended)
    try:
        if isinstance(event_loop, OwnLoop):
            return event_loop.submit(coroutine)
        return asyncio.run_coroutine_threadsafe(coroutine, event_loop)
    except RuntimeError:  # The loop is closed. Python warns of coroutines that are dropped without being closed.
        coroutine.close()
        if asyncio.iscoroutine(awaitable):
            awaitable.close()
        raise


async def _awaited(awaitable: Awaitable[Any], ended: Callable[[Any, Any], None]) -> None:
    try:
        returned = await awaitable
    except BaseException as raised:  # noqa: BLE001, it is raised by the verb: KeyboardInterrupt would end the event loop
        ended(None, raised)
    else:
        ended(returned, None)


@final
class OwnLoop:
    """The event loop of a verb that waits: in a thread of its own, which is started when an `async` method is called."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_running = threading.Event()
        self._is_over = False

    def __enter__(self) -> OwnLoop:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._is_over = True
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join()

    def submit(self, coroutine: Coroutine[Any, Any, Any]) -> Future[Any]:
        """Runs a coroutine."""
        import asyncio  # It takes a third of the time of importing the package.

        with self._lock:
            if self._is_over:
                raise RuntimeError("the call has ended")
            if self._thread is None:
                self._thread = threading.Thread(
                    target=asyncio.run, args=(self._run(),), name="influx_backup", daemon=True
                )
                self._thread.start()
                self._is_running.wait()
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    async def _run(self) -> None:
        import asyncio

        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        self._is_running.set()
        await self._end.wait()
