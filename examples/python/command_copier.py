"""Backs up files, with Parquet copied by a command of your own: a gentle one, or one that a filer accelerates.

    command_copier.py /var/lib/influxdb3/data /backups -- ionice -c 3 cp
    command_copier.py /var/lib/influxdb3/data /backups -- rsync --bwlimit=50m
    command_copier.py /var/lib/influxdb3/data /backups -- rclone copyto

The command is called with two more arguments, the file and where to copy it to. Without one, the native copiers do as well, and
share blocks where the file system can. Exit code: 0 taken, 1 failed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import influx_backup as ib


class CommandCopier:
    """Copies Parquet files by a command, and leaves all else, which is small, to the next copier."""

    def __init__(self, command: list[str]) -> None:
        self.command = command

    def copy(self, request: ib.CopyRequest, context: ib.CopyContext) -> None:
        is_file = request.source.provider == request.target.provider == "file"
        if not is_file or not request.source_key.endswith(".parquet") or request.transform != "none":
            raise ib.Unsupported("only Parquet, from files to files")
        source, target = path_of(request.source, request.source_key), path_of(request.target, request.target_key)
        if not source.exists():
            raise ib.SourceVanished(str(source))
        target.parent.mkdir(parents=True, exist_ok=True)
        # The target is complete or not there: `#1` is a file that is being written, which `leftovers` finds after a crash.
        part = target.with_name(f"{target.name}#1")
        try:
            self.run([str(source), str(part)], context)
            if part.stat().st_size != request.size:
                raise ib.SourceChanged(str(source))
            request.check_lease()
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)
        context.moved(request.size)

    def run(self, arguments: list[str], context: ib.CopyContext) -> None:
        process = subprocess.Popen([*self.command, *arguments], stderr=subprocess.PIPE, text=True)
        while True:
            try:
                _, told = process.communicate(timeout=0.2)
                break
            except subprocess.TimeoutExpired:
                if context.is_cancelled:
                    process.kill()
        if process.returncode != 0:  # A `CopyError` is tried again; any other exception ends the backup at once.
            raise ib.CopyError(f"{self.command[0]} ended with {process.returncode}: {told.strip()}")


def path_of(location: ib.Location, key: str) -> Path:
    """Where an object of a file store lies."""
    return Path(url2pathname(urlsplit(str(location)).path)) / key


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="the directory of the cluster")
    parser.add_argument("repository", help="the directory of the backups")
    parser.add_argument("command", nargs="+", help="the command, after `--`")
    parser.add_argument("--max-elapsed", default="5m", help="how long a file is tried again where the command fails")
    arguments = parser.parse_args()

    try:
        report = ib.Repository(arguments.repository).backup(
            arguments.source,
            copier=[CommandCopier(arguments.command), *ib.default_copiers()],
            limits={"retry": {"max_elapsed": arguments.max_elapsed}},
            progress=True,
        )
    except ib.InfluxBackupError as error:
        print(error.report, file=sys.stderr)
        return 1
    print(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
