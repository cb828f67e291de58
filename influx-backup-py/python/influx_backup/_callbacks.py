"""Calls from the core into code of the caller: in a worker thread, and `async` methods in the caller's event loop."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any


def call(event_loop: asyncio.AbstractEventLoop | None, method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Calls `method`. What has to be awaited runs in `event_loop`, or in one of its own where the caller waits in a thread."""
    returned = method(*arguments)
    if not inspect.isawaitable(returned):
        return returned
    awaited = _awaited(returned)
    if event_loop is None:
        return asyncio.run(awaited)
    return asyncio.run_coroutine_threadsafe(awaited, event_loop).result()


async def _awaited(returned: Any) -> Any:
    return await returned
