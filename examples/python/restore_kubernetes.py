"""Rolls a cluster that runs in Kubernetes back to a backup: scales its nodes to zero, restores, scales them up again.

    restore_kubernetes.py --namespace influx s3://vault/nightly nightly-2026-01-02 s3://prod

Each node is a StatefulSet of one pod, named after the node's id, as is the label `app.kubernetes.io/instance` of its pods.
Exit code: 0 done and started, 1 failed, or a server is still stopped.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

import influx_backup as ib


class Scale:
    """Stops a node by `kubectl scale --replicas=0`, and starts it by `--replicas=1`."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace

    def run(self, *arguments: str) -> str:
        command = ["kubectl", "--namespace", self.namespace, *arguments]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    def stop(self, node: ib.Node) -> None:
        self.run("scale", f"statefulset/{node.id}", "--replicas=0")

    def stopped(self, node: ib.Node) -> bool:
        # The object of a pod is there until its containers have ended: a pod that terminates still writes.
        return not self.run("get", "pods", f"--selector=app.kubernetes.io/instance={node.id}", "--output=name").strip()

    def start(self, node: ib.Node) -> None:
        self.run("scale", f"statefulset/{node.id}", "--replicas=1")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--namespace", default="default")
    parser.add_argument("repository", help="where backups lie: a path or a URL")
    parser.add_argument("name", help="the backup")
    parser.add_argument("target", help="the data of the cluster: a path or a URL")
    arguments = parser.parse_args()

    try:
        repository = ib.Repository(arguments.repository)
        # By name, not by a plan: servers that still run write until they are stopped, and no plan made before holds then.
        report = repository.restore(
            arguments.name, arguments.target, policy="replace", orchestrator=Scale(arguments.namespace), progress=True
        )
    except ib.InfluxBackupError as error:
        print(error.report, file=sys.stderr)
        return 1
    print(report)
    return 1 if any(todo.code == "servers-stopped" for todo in report.todos) else 0


if __name__ == "__main__":
    sys.exit(main())
