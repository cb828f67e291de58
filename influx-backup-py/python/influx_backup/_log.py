"""What the core logs, as records of `logging`."""

from __future__ import annotations

import logging
from collections.abc import Sequence

# A program that configures no logging sees none of it: what matters is raised, or in reports.
logging.getLogger("influx_backup").addHandler(logging.NullHandler())


def deliver(records: Sequence[tuple[str, int, str, str, int]]) -> None:
    """Hands records to their loggers: name, level, text, file and line of each."""
    for name, level, text, file, line in records:
        logger = logging.getLogger(name)
        if logger.isEnabledFor(level):
            logger.handle(logger.makeRecord(name, level, file, line, text, (), None))
