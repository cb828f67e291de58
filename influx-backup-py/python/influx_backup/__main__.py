"""The program `influx-backup`: also started by `python -m influx_backup`."""

from __future__ import annotations

import signal
import sys

from . import _native


def main() -> int:
    """Runs the program with the arguments of this process and returns its exit code."""
    # Ctrl-C is the program's own: Python would raise KeyboardInterrupt once it has ended in good order.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _native.run_program(["influx-backup", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
