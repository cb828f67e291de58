"""Backs up from one S3 account or endpoint to another, each with credentials of its own.

    export SOURCE_AWS_ENDPOINT=http://minio:9000 SOURCE_AWS_ALLOW_HTTP=true
    export SOURCE_AWS_ACCESS_KEY_ID=… SOURCE_AWS_SECRET_ACCESS_KEY=…
    export VAULT_AWS_REGION=eu-central-1 VAULT_AWS_ACCESS_KEY_ID=… VAULT_AWS_SECRET_ACCESS_KEY=…
    s3_to_s3.py s3://prod s3://vault/nightly

The right to read is enough for the source. Bytes go through this machine, and none of them to its disk; where both places are
of one account, leave the prefixes out: the store then copies by itself. Exit code: 0 taken, 1 failed.
"""

from __future__ import annotations

import argparse
import os
import sys

import influx_backup as ib


def options(prefix: str) -> dict[str, str]:
    """The options of a store that the environment has under a prefix: `SOURCE_AWS_REGION` is `aws_region`."""
    given = os.environ.items()
    return {name.removeprefix(prefix).lower(): value for name, value in given if name.startswith(f"{prefix}AWS_")}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="the cluster: s3://bucket/prefix")
    parser.add_argument("repository", help="where backups lie: s3://bucket/prefix")
    parser.add_argument("--name", help="the backup's name; default: the time")
    parser.add_argument("--concurrency", type=int, default=32, help="objects that are copied at a time")
    arguments = parser.parse_args()

    try:
        source = ib.Location(arguments.source, options=options("SOURCE_"))
        repository = ib.Repository(arguments.repository, options=options("VAULT_"))
        report = repository.backup(
            source,
            name=arguments.name,
            limits={"concurrency": arguments.concurrency, "memory": "512MiB"},
            progress=True,
        )
    except ib.InfluxBackupError as error:
        print(error.report, file=sys.stderr)
        return 1
    print(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
