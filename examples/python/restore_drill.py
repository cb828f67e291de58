"""Restores the newest backup into a scratch directory, certifies what is there, and deletes it again.

    restore_drill.py s3://vault/nightly --scratch /mnt/scratch --max-age 26

No server takes part, and the cluster is not touched. Exit code: 0 the backup restores and is young enough, 1 it is not.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

import influx_backup as ib


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", help="where backups lie: a path or a URL")
    parser.add_argument("--scratch", help="a directory with room for the backup; default: that of temporary files")
    parser.add_argument("--max-age", type=float, metavar="HOURS", help="how old the newest backup may be")
    arguments = parser.parse_args()

    try:
        repository = ib.Repository(arguments.repository)
        complete = [(it.committed, it.name) for it in repository.list() if it.state == "complete" and it.committed]
        if not complete:
            print(f"no complete backup in {repository.location}", file=sys.stderr)
            return 1
        committed, name = max(complete)
        with tempfile.TemporaryDirectory(dir=arguments.scratch, prefix="influx-backup-drill-") as scratch:
            target = Path(scratch) / "data"
            # What is deleted at the end need not be safe from a power failure.
            repository.restore(repository.plan_restore(name, target), limits={"durability": "relaxed"})
            certificate = ib.certify(target)
    except ib.InfluxBackupError as error:
        print(error.report, file=sys.stderr)
        return 1

    print(certificate)
    for node, point in certificate.recovery_points.items():
        print(f"{node}: {point.reached or 'holds no rows'}")
    if not certificate.is_proven:
        print(f"{name} does not restore: {certificate.summary}", file=sys.stderr)
        return 1
    age = datetime.now(timezone.utc) - committed
    if arguments.max_age is not None and age > timedelta(hours=arguments.max_age):
        print(f"{name} restores, but it is {age} old", file=sys.stderr)
        return 1
    print(f"{name} restores")
    return 0


if __name__ == "__main__":
    sys.exit(main())
