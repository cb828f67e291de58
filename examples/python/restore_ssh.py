"""Rolls a cluster on machines of its own back to a backup: stops its services by ssh, restores, starts them again.

    restore_ssh.py --host node1=db1.example --host node2=db2.example --sudo \\
        s3://vault/nightly nightly-2026-01-02 s3://prod

Each node is a unit of systemd on its host, `influxdb3` unless `--unit` names another. ssh asks for no password: give it a key
that may run these three commands. Exit code: 0 done and started, 1 failed, or a server is still stopped.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

import influx_backup as ib


class Systemctl:
    """Runs `systemctl` on the host of a node."""

    def __init__(self, hosts: dict[str, str], unit: str, sudo: bool) -> None:
        self.hosts, self.unit, self.sudo = hosts, unit, ["sudo", "--non-interactive"] if sudo else []

    def run(self, node: ib.Node, *arguments: str, check: bool = True) -> str:
        command = ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", self.hosts[node.id], *arguments, self.unit]
        return subprocess.run(command, check=check, stdout=subprocess.PIPE, text=True).stdout

    def stop(self, node: ib.Node) -> None:
        self.run(node, *self.sudo, "systemctl", "stop")

    def stopped(self, node: ib.Node) -> bool:
        # By its answer, not its exit code: a host that cannot be reached fails, too, and its server may run.
        return self.run(node, "systemctl", "is-active", check=False).strip() in ("inactive", "failed")

    def start(self, node: ib.Node) -> None:
        self.run(node, *self.sudo, "systemctl", "start")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", action="append", required=True, metavar="NODE=HOST", help="once for each node")
    parser.add_argument("--unit", default="influxdb3", help="the unit of systemd on each host")
    parser.add_argument("--sudo", action="store_true", help="run `systemctl` by `sudo`")
    parser.add_argument("repository", help="where backups lie: a path or a URL")
    parser.add_argument("name", help="the backup")
    parser.add_argument("target", help="the data of the cluster: a path or a URL")
    arguments = parser.parse_args()
    hosts = dict(host.split("=", 1) for host in arguments.host)
    servers = Systemctl(hosts, arguments.unit, arguments.sudo)

    try:
        repository = ib.Repository(arguments.repository)
        # By name, not by a plan: servers that still run write until they are stopped, and no plan made before holds then.
        report = repository.restore(
            arguments.name, arguments.target, policy="replace", orchestrator=servers, progress=True
        )
    except ib.InfluxBackupError as error:
        print(error.report, file=sys.stderr)
        return 1
    print(report)
    return 1 if any(todo.code == "servers-stopped" for todo in report.todos) else 0


if __name__ == "__main__":
    sys.exit(main())
