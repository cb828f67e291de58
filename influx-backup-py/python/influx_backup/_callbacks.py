"""Between threads of the core and event loops."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable
    from concurrent.futures import Future


def resolve(future: asyncio.Future[None]) -> None:
    """Ends a wait that was not cancelled meanwhile."""
    if not future.done():
        future.set_result(None)


def submit(event_loop: asyncio.AbstractEventLoop | OwnLoop, awaitable: Awaitable[Any]) -> Future[Any]:
    """Runs what an `async` method of the caller returned in an event loop."""
    import asyncio

    if isinstance(event_loop, OwnLoop):
        event_loop = event_loop.start()
    return asyncio.run_coroutine_threadsafe(_awaited(awaitable), event_loop)


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


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
            with contextlib.suppress(RuntimeError):  # It has ended already.
                self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join()

    def start(self) -> asyncio.AbstractEventLoop:
        """The loop, which runs."""
        with self._lock:
            if self._is_over:
                raise RuntimeError("the call has ended: nothing waits for this coroutine")
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="influx_backup", daemon=True)
                self._thread.start()
        self._is_running.wait()
        return self._loop

    def _serve(self) -> None:
        import asyncio  # It takes a third of the time of importing the package.

        # The call that raised these has them, too.
        with contextlib.suppress(KeyboardInterrupt, SystemExit):
            asyncio.run(self._run())

    async def _run(self) -> None:
        import asyncio

        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        self._is_running.set()
        await self._end.wait()
