"""Rolls a cluster that runs under Docker Compose back to a backup: stops its services, restores, starts them again.

    restore_compose.py compose.yaml /backups nightly-2026-01-02 /srv/influxdb3/data

Services have the names of the nodes. Exit code: 0 done and started, 1 failed, or a server is still stopped.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

import influx_backup as ib


class Compose:
    """Stops and starts the services of a compose file. The order is that of the restore: data nodes first."""

    def __init__(self, file: str) -> None:
        self.file = file

    def run(self, *arguments: str) -> str:
        command = ["docker", "compose", "--file", self.file, *arguments]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    def stop(self, node: ib.Node) -> None:
        self.run("stop", node.id)

    def stopped(self, node: ib.Node) -> bool:
        # What restarts runs again in a moment, and what is paused goes on: neither is stopped.
        states = ["--status=running", "--status=restarting", "--status=paused"]
        return not self.run("ps", "--quiet", *states, node.id).strip()

    def start(self, node: ib.Node) -> None:
        self.run("start", node.id)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="the compose file")
    parser.add_argument("repository", help="where backups lie: a path or a URL")
    parser.add_argument("name", help="the backup")
    parser.add_argument("target", help="the data of the cluster: a path or a URL")
    arguments = parser.parse_args()

    try:
        repository = ib.Repository(arguments.repository)
        # By name, not by a plan: servers that still run write until they are stopped, and no plan made before holds then.
        report = repository.restore(
            arguments.name, arguments.target, policy="replace", orchestrator=Compose(arguments.file), progress=True
        )
    except ib.InfluxBackupError as error:
        print(error.report, file=sys.stderr)
        return 1
    print(report)
    return 1 if any(todo.code == "servers-stopped" for todo in report.todos) else 0


if __name__ == "__main__":
    sys.exit(main())
