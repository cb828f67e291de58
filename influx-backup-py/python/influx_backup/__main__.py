"""The program `influx-backup`: also started by `python -m influx_backup`."""

from __future__ import annotations

import os
import signal
import sys

from . import _native


def main() -> int:
    """Runs the program with the arguments of this process and returns its exit code."""
    _open_streams()
    # Ctrl-C is the program's own: Python would raise KeyboardInterrupt once it has ended in good order.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _native.run_program(["influx-backup", *sys.argv[1:]])


def _open_streams() -> None:
    """Opens streams that the caller closed, as native programs do: what is opened next would be taken for them."""
    for stream in range(3):
        try:
            os.fstat(stream)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


if __name__ == "__main__":
    sys.exit(main())
