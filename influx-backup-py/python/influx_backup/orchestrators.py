"""What stops and starts servers: an `Orchestrator` of one's own."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol, runtime_checkable

from ._native import Node

__all__ = ["Orchestrator"]


@runtime_checkable
class Orchestrator(Protocol):
    """Stops and starts servers, node by node; the order is the core's. Methods may be `async`.

    What a method raises ends the run, and is the `__cause__` of what the verb raises.
    """

    def stop(self, node: Node) -> object | Awaitable[object]:
        """Asks a node's server to stop."""
        ...

    def stopped(self, node: Node) -> bool | Awaitable[bool]:
        """Whether a node's server is stopped. It is asked until it is, for `stop_timeout` at most."""
        ...

    def start(self, node: Node) -> object | Awaitable[object]:
        """Starts a node's server."""
        ...
