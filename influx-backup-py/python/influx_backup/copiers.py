"""What moves objects: a `Copier` of one's own, and what it raises."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol, runtime_checkable

from ._native import CopyContext, CopyRequest, NativeCopier, default_copiers

__all__ = [
    "Copier",
    "CopyContext",
    "CopyError",
    "CopyRequest",
    "Corrupt",
    "LeaseLost",
    "NativeCopier",
    "SourceChanged",
    "SourceVanished",
    "Unsupported",
    "default_copiers",
]


@runtime_checkable
class Copier(Protocol):
    """Moves one object, and knows nothing of stages. Methods may be `async`.

    - The target is complete or untouched, also where the process is killed.
    - It copies the version of the request; where that has changed it raises `SourceChanged`, where it is gone `SourceVanished`.
    - What it does not know, a `transform` or `transfer` among it, is `Unsupported`: the next copier is asked.
    - It calls `request.check_lease()` directly before it changes the target, stops soon after `context.is_cancelled`, and
      reports to `context.moved()`.

    It retries nothing. What else it raises ends the run, and is the `__cause__` of what the verb raises.
    """

    def copy(self, request: CopyRequest, context: CopyContext) -> str | Awaitable[str | None] | None:
        """Copies one object, and returns the CRC-64/NVME (sixteen hex digits) of the bytes it read, or `None`."""
        ...


class CopyError(Exception):
    """Why an object could not be copied, where the run can do something about it.

    Raised as itself it is a failure of a store, and the copy is tried again for as long as `limits={"retry": …}` allows.
    """

    copy_code = "store-error"
    """What became of the copy, by the code that the core has for it."""


class Unsupported(CopyError):
    """This copier does not do such copies: the next one is asked."""

    copy_code = "copy-unsupported"


class SourceVanished(CopyError):
    """The source no longer exists."""

    copy_code = "source-vanished"


class SourceChanged(CopyError):
    """The source has another version than the one that is wanted."""

    copy_code = "source-changed"


class Corrupt(CopyError):
    """The copy differs from its source: it is tried again for as long as `limits={"retry": …}` allows."""

    copy_code = "copy-corrupt"


class LeaseLost(CopyError):
    """Another process may have taken the target over: nothing may be written to it any more. The run ends and tells why."""

    copy_code = "cancelled"
