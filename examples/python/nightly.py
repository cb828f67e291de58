"""Takes tonight's backup: for a timer of systemd (systemd/) or a CronJob of Kubernetes (kubernetes/).

    nightly.py s3://prod s3://vault/nightly

Credentials come from the environment (AWS_…, AZURE_…, GOOGLE_…). Exit code: 0 the backup is there, 75 it failed and may succeed
later, 1 it failed.

No old backup is deleted: how long they are kept is for you to say. Each is whole by itself, so to drop one, delete its directory.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from datetime import datetime, timezone

import influx_backup as ib

TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h: what systemd/ and kubernetes/ start again.


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="the cluster: a path or a URL")
    parser.add_argument("repository", help="where backups lie: a path or a URL")
    parser.add_argument("--prefix", default="nightly", help="what the backup's name begins with; the date follows")
    parser.add_argument("--bandwidth", help="bytes a second at most, such as 100MiB")
    arguments = parser.parse_args()

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    # Python ends at once on SIGTERM. An exception cancels the backup first, so that the next attempt resumes it without a wait.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))

    name = f"{arguments.prefix}-{datetime.now(timezone.utc):%Y-%m-%d}"
    try:
        report = ib.Repository(arguments.repository).backup(
            arguments.source,
            name=name,
            on_existing="resume",  # An attempt of tonight that died is continued.
            limits={"bandwidth": arguments.bandwidth},
            progress=True,
        )
    except ib.BackupExistsError:
        print(f"{name} is there already")
        return 0
    except ib.InfluxBackupError as error:
        print(error.report, file=sys.stderr)
        return TRY_AGAIN if error.retryable else 1
    print(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
