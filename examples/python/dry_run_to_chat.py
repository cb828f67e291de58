"""Posts what a restore would do to a channel, for somebody to approve. Nothing is restored.

    export WEBHOOK_URL=https://hooks.slack.com/services/…
    dry_run_to_chat.py s3://vault/nightly nightly-2026-01-02 /var/lib/influxdb3/data --policy replace

The message ends with the command that does what was shown and nothing else. Exit code: 0 posted, 1 failed, 2 usage.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import urllib.request

import influx_backup as ib

LONGEST = 3000  # Characters of the plan: Slack cuts a message at 4,000.


def message(plan: ib.RestorePlan, command: list[str]) -> str:
    """The plan as Slack shows text: in a block, with the three characters escaped that it asks for."""
    text = str(plan).rstrip()
    shown = text if len(text) <= LONGEST else f"{text[:LONGEST]}\n…"
    escaped = shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    counts = f"{plan.objects} objects, {len(plan.overwrites)} overwritten, {len(plan.deletions)} deleted"
    return f"*Restore to approve:* {counts}\n```{escaped}```\nWith the servers stopped:\n```{shlex.join(command)}```"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", help="where backups lie: a path or a URL")
    parser.add_argument("name", help="the backup")
    parser.add_argument("target", help="where to restore to: a path or a URL")
    parser.add_argument("--policy", choices=["empty", "replace", "overlay"], default="empty")
    arguments = parser.parse_args()
    # The address is a secret: who has it may post. So it is no argument, which other users of the machine see.
    webhook = os.environ.get("WEBHOOK_URL")
    if not webhook:
        parser.error("WEBHOOK_URL is not set: to where is it posted?")

    try:
        repository = ib.Repository(arguments.repository)
        plan = repository.plan_restore(arguments.name, arguments.target, policy=arguments.policy)
    except ib.InfluxBackupError as error:
        print(error.report, file=sys.stderr)
        return 1
    backup = f"{arguments.repository.rstrip('/')}/{arguments.name}"
    command = ["influx-backup", "restore", backup, arguments.target, "--policy", arguments.policy]
    command += ["--servers-stopped", "--plan", plan.hash]

    body = json.dumps({"text": message(plan, command)}).encode()
    request = urllib.request.Request(webhook, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30):
            print(f"posted plan {plan.hash}")
    except OSError as error:
        print(f"cannot post: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
