"""Running as a user that is not root."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

UNPRIVILEGED = 65534


@contextlib.contextmanager
def unprivileged(directory: Path) -> Iterator[None]:
    """Gives up the rights of root, where it has them; `directory` and what is in it belongs to who is left."""
    if os.geteuid() != 0:
        yield
        return
    for path in (directory, *directory.rglob("*")):
        os.chown(path, UNPRIVILEGED, UNPRIVILEGED)
    for parent in directory.parents:
        if (mode := parent.stat().st_mode) & 0o011 != 0o011:
            parent.chmod(mode | 0o011)
    os.seteuid(UNPRIVILEGED)
    try:
        yield
    finally:
        os.seteuid(0)
