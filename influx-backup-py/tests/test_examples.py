"""The scripts of `examples/python` and the code of the README, run as a user runs them."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import json
import os
import re
import runpy
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import CodeType

import influx_backup as ib
import pytest
from conftest import PROGRAM, not_run
from influx_backup import errors
from minio import Minio

TESTS = Path(__file__).parent
README = TESTS.parent / "README.md"
EXAMPLES = TESTS.parents[1] / "examples" / "python"
PROGRAMS = TESTS.parents[1] / "influx-backup-core" / "testing" / "programs"
"""What stands for programs that stop and start nodes."""

SLOW = ["--bandwidth", "64KiB"]
"""A backup of the generated cluster needs minutes with it."""

Ran = subprocess.CompletedProcess[str]


def environment(**more: str) -> dict[str, str]:
    """What a script has: no options of stores but those given, and the schedulers that stand for real ones."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "AZURE_", "GOOGLE_"))}
    path = os.pathsep.join(filter(None, [str(TESTS / "schedulers"), os.environ.get("PYTHONPATH")]))
    return {**kept, "PYTHONPATH": path, **more}


def run(script: str, *arguments: object, **more: str) -> Ran:
    """Runs a script to its end."""
    command = [sys.executable, str(EXAMPLES / script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment(**more))


def backup_names(repository: Path) -> list[tuple[str, str]]:
    return [(it.name, it.state) for it in ib.Repository(repository).list()]


@pytest.fixture
def backups(core: Path, tmp_path: Path) -> Path:
    """A directory with the backup `n1` of `core`."""
    ib.Repository(tmp_path / "backups").backup(core, name="n1")
    return tmp_path / "backups"


def test_every_script_is_in_the_table_and_here() -> None:
    kinds = (".py", ".service", ".timer", ".yaml")
    found = {str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("*") if path.suffix in kinds}
    table = (EXAMPLES / "README.md").read_text()
    assert set(re.findall(r"\]\((.+?)\)", table)) == found
    tests = Path(__file__).read_text()
    assert [path for path in sorted(found) if Path(path).name not in tests] == [], "without a test"


def test_pyright_accepts_the_scripts() -> None:
    scripts = map(str, EXAMPLES.glob("*.py"))
    command = [sys.executable, "-m", "pyright", "--pythonversion=3.10", f"--pythonpath={sys.executable}", *scripts]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
    assert ran.returncode == 0, ran.stdout + ran.stderr


# The nightly backup


def test_nightly(core: Path, tmp_path: Path) -> None:
    first = run("nightly.py", core, tmp_path / "backups", "--prefix", "tonight")
    assert first.returncode == 0, first.stderr
    assert re.match(r"backup tonight-\d{4}-\d\d-\d\d: complete\ncertificate: all clauses hold\n", first.stdout)
    ((name, state),) = backup_names(tmp_path / "backups")
    assert name.startswith("tonight-") and state == "complete"
    again = run("nightly.py", core, tmp_path / "backups", "--prefix", "tonight")
    assert (again.returncode, again.stdout) == (0, f"{name} is there already\n"), again.stderr


def test_nightly_names_what_failed(tmp_path: Path) -> None:
    ran = run("nightly.py", tmp_path / "missing", tmp_path / "backups")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert f"error [location-not-found]: `file://{tmp_path}/missing` does not exist" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_nightly_is_stopped_and_started_again(core: Path, tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    command = [sys.executable, str(EXAMPLES / "nightly.py"), str(core), str(backups), *SLOW]
    with subprocess.Popen(command, env=environment()) as process:
        wait_for(lambda: any(state == "in_progress" for _, state in backup_names(backups)))
        meanwhile = run("nightly.py", core, backups)
        assert meanwhile.returncode == 75 and "error [backup-in-progress]" in meanwhile.stderr
        process.terminate()
        assert process.wait(5) == 128 + signal.SIGTERM
    ((name, state),) = backup_names(backups)
    assert state == "unfinished"
    assert run("nightly.py", core, backups).returncode == 0
    assert backup_names(backups) == [(name, "complete")]


def test_units_of_systemd(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    verify = shutil.which("systemd-analyze")
    if not verify:
        not_run(request, "no systemd-analyze: it is part of systemd")
    installed = tmp_path / "influx-backup"
    (installed / "bin").mkdir(parents=True)
    (installed / "bin" / "python").symlink_to(sys.executable)
    for name in ("influx-backup.service", "influx-backup.timer"):
        text = (EXAMPLES / "systemd" / name).read_text()
        (tmp_path / name).write_text(text.replace("/opt/influx-backup", str(installed)))
    units = [str(tmp_path / "influx-backup.timer"), str(tmp_path / "influx-backup.service")]
    ran = subprocess.run([str(verify), "verify", *units], capture_output=True, text=True, timeout=60, check=False)
    told = [line for line in ran.stderr.splitlines() if "influx-backup" in line]
    assert told == [] and ran.returncode == 0, ran.stderr
    service = (EXAMPLES / "systemd" / "influx-backup.service").read_text()
    assert "\nRestartPreventExitStatus=1 2\n" in service and "nightly.py ${SOURCE} ${REPOSITORY}\n" in service


def test_the_cron_job(core: Path, tmp_path: Path) -> None:
    import yaml

    job = yaml.safe_load((EXAMPLES / "kubernetes" / "cronjob.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "CronJob")
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    work = job["spec"]["jobTemplate"]["spec"]
    (rule,) = work["podFailurePolicy"]["rules"]
    pod = work["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["restartPolicy"] == "Never", "a policy for failures needs it"
    assert rule["onExitCodes"] == {"containerName": container["name"], "operator": "NotIn", "values": [75, 143]}
    assert {it["name"] for it in container["volumeMounts"]} == {it["name"] for it in pod["volumes"]}
    # Its command is what the script takes: run with places that exist.
    program, script, *places = container["command"]
    assert (program, script, len(places)) == ("python", "/scripts/nightly.py", 2)
    assert run("nightly.py", core, tmp_path / "backups").returncode == 0


# The drill


def test_restore_drill(backups: Path, core: Path, tmp_path: Path) -> None:
    ib.Repository(backups).backup(core, name="a-newer-one")
    (tmp_path / "scratch").mkdir()
    ran = run("restore_drill.py", backups, "--scratch", tmp_path / "scratch", "--max-age", 1)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.endswith("\na-newer-one restores\n") and "certificate: no violations" in ran.stdout
    assert re.search(r"\nnode01: 20\d\d-", ran.stdout), "the recovery point is named"
    assert list((tmp_path / "scratch").iterdir()) == []
    old = run("restore_drill.py", backups, "--max-age", 0)
    assert old.returncode == 1 and re.search(r"a-newer-one restores, but it is 0:\d\d:\d\d\.\d+ old", old.stderr)


def test_a_drill_finds_damage(backups: Path, tmp_path: Path) -> None:
    empty = run("restore_drill.py", tmp_path / "empty")
    assert (empty.returncode, empty.stderr) == (1, f"no complete backup in file://{tmp_path}/empty\n")
    next((backups / "n1").rglob("*.parquet")).unlink()
    ran = run("restore_drill.py", backups)
    assert ran.returncode == 1 and "error [damaged-backup]" in ran.stderr and "restores" not in ran.stdout


# S3 to S3


def upload(cluster: Path, minio: Minio, tmp_path: Path, prefix: str) -> None:
    """Puts a cluster into the bucket `prod`."""
    repository = ib.Repository(tmp_path / "upload")
    repository.backup(cluster, name="n1")
    repository.restore("n1", ib.Location(f"s3://prod/{prefix}", options=minio.options))


def test_s3_to_s3(core: Path, minio: Minio, tmp_path: Path) -> None:
    upload(core, minio, tmp_path, "s3_to_s3")
    given = minio.environment.items()
    accounts = {f"{account}_{name}": value for account in ("SOURCE", "VAULT") for name, value in given}
    places = ["s3://prod/s3_to_s3", "s3://vault/s3_to_s3"]
    ran = run("s3_to_s3.py", *places, "--name", "n1", "--concurrency", 4, **accounts)
    assert ran.returncode == 0 and ran.stdout.startswith("backup n1: complete\n"), ran.stderr
    repository = ib.Repository("s3://vault/s3_to_s3", options=minio.options)
    assert repository.verify("n1", level="bytes").ok
    # The credentials of one account are not used for the other.
    accounts["SOURCE_AWS_SECRET_ACCESS_KEY"] = "wrong"
    refused = run("s3_to_s3.py", *places, "--name", "n2", **accounts)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "error [access-denied]" in refused.stderr and "s3://prod/s3_to_s3" in refused.stderr


def test_s3_to_s3_names_what_failed() -> None:
    ran = run("s3_to_s3.py", "s3://prod", "s3://vault/nightly", SOURCE_AWS_REGOIN="eu-central-1")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "error [unknown-option]" in ran.stderr and "`aws_region`" in ran.stderr and "Traceback" not in ran.stderr


# A dry run to a channel


@contextlib.contextmanager
def webhook(status: int) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server that answers posts with a status, its URL and the bodies it was sent."""
    bodies: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == "application/json"
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hook", bodies
        finally:
            server.shutdown()
            thread.join()


def test_dry_run_to_chat(backups: Path, tmp_path: Path) -> None:
    target = tmp_path / "restored"
    ib.Repository(backups).restore("n1", target)
    next(target.rglob("*.wal")).with_name("00000009999.wal").write_bytes(b"newer")
    before = sorted(target.rglob("*"))
    with webhook(200) as (url, bodies):
        ran = run("dry_run_to_chat.py", backups, "n1", target, "--policy", "replace", WEBHOOK_URL=url)
    assert ran.returncode == 0, ran.stderr
    assert sorted(target.rglob("*")) == before, "nothing is restored"
    (body,) = bodies
    text = body["text"]
    assert re.match(r"\*Restore to approve:\* \d+ objects, \d+ overwritten, 1 deleted\n```Restore of ", text)
    assert "00000009999.wal" in text and text.count("```") == 4 and len(text) < 4000
    # The command of the message does what was shown.
    command = text.split("```")[3]
    assert command.startswith(f"influx-backup restore {backups}/n1 {target} --policy replace --servers-stopped --plan ")
    done = subprocess.run([*PROGRAM, *command.split()[1:]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not list(target.rglob("00000009999.wal")) and ib.certify(target).is_proven


def test_a_message_is_escaped_and_cut() -> None:
    class Plan:
        objects, overwrites, deletions = 3, ("a", "b"), ()

        def __str__(self) -> str:
            return "1 < 2 & 3 > 2\n" + 5000 * "x"

    text = runpy.run_path(str(EXAMPLES / "dry_run_to_chat.py"))["message"](Plan(), ["a program", "--plan", "0f"])
    assert text.startswith("*Restore to approve:* 3 objects, 2 overwritten, 0 deleted\n```1 &lt; 2 &amp; 3 &gt; 2\nxxx")
    assert text.endswith("x\n…```\nWith the servers stopped:\n```'a program' --plan 0f```") and len(text) < 3500


def test_a_dry_run_that_fails_is_not_posted(backups: Path, core: Path, tmp_path: Path) -> None:
    with webhook(200) as (url, bodies):
        ran = run("dry_run_to_chat.py", backups, "other", tmp_path / "restored", WEBHOOK_URL=url)
        assert ran.returncode == 1 and "error [backup-not-found]" in ran.stderr and bodies == []
        ran = run("dry_run_to_chat.py", backups, "n1", core, WEBHOOK_URL=url)
        assert ran.returncode == 1 and "error [target-not-empty]" in ran.stderr and bodies == []
    with webhook(500) as (url, bodies):
        ran = run("dry_run_to_chat.py", backups, "n1", tmp_path / "restored", WEBHOOK_URL=url)
    assert (
        ran.returncode == 1
        and ran.stderr == "cannot post: HTTP Error 500: Internal Server Error\n"
        and len(bodies) == 1
    )


# Schedulers


def test_airflow_task(core: Path, tmp_path: Path) -> None:
    places = {"AIRFLOW_VAR_INFLUX_SOURCE": str(core), "AIRFLOW_VAR_INFLUX_REPOSITORY": str(tmp_path / "backups")}
    ran = run("airflow_task.py", **places)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("attempt 1 of back_up\nattempt 1 of verify\nbackup airflow-2026-01-02: intact\n")
    assert backup_names(tmp_path / "backups") == [("airflow-2026-01-02", "complete")]
    assert "import influx_backup" not in (EXAMPLES / "airflow_task.py").read_text().split("\ndef ")[0], "workers fork"


def test_a_task_of_airflow_that_cannot_succeed_is_not_retried(tmp_path: Path) -> None:
    places = {"AIRFLOW_VAR_INFLUX_SOURCE": str(tmp_path / "missing"), "AIRFLOW_VAR_INFLUX_REPOSITORY": str(tmp_path)}
    ran = run("airflow_task.py", **places)
    assert ran.returncode == 1 and ran.stdout == "attempt 1 of back_up\n"
    assert "AirflowFailException: error [location-not-found]" in ran.stderr


def test_prefect_task(core: Path, tmp_path: Path) -> None:
    ran = run("prefect_task.py", core, tmp_path / "backups")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("attempt 1 of back_up\n") and re.search(
        r"\nparquet: \d+ objects, \d+ bytes\n", ran.stdout
    )
    ((name, state),) = backup_names(tmp_path / "backups")
    assert name.startswith("prefect-") and state == "complete" and f"\nbackup {name}: complete\n" in ran.stdout


def test_a_task_of_prefect_is_retried_where_that_helps(core: Path, tmp_path: Path) -> None:
    ran = run("prefect_task.py", tmp_path / "missing", tmp_path / "backups")
    assert ran.returncode == 1 and ran.stdout == "attempt 1 of back_up\n"
    assert "influx_backup.errors.NotFoundError" in ran.stderr
    command = [sys.executable, str(EXAMPLES / "nightly.py"), str(core), str(tmp_path / "backups"), *SLOW]
    with subprocess.Popen([*command, "--prefix", "prefect"], env=environment()) as process:
        wait_for(lambda: any(state == "in_progress" for _, state in backup_names(tmp_path / "backups")))
        ran = run("prefect_task.py", core, tmp_path / "backups")
        process.terminate()
    assert ran.returncode == 1 and ran.stdout.endswith("attempt 6 of back_up\n")
    assert "BackupInProgressError" in ran.stderr


# Own copiers


def test_command_copier(core: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    tool = program(tmp_path / "bin" / "tool", f'echo "$2" >> {log}; exec cp "$@"')
    ran = run("command_copier.py", core, tmp_path / "backups", "--", tool, "-p")
    assert ran.returncode == 0, ran.stderr
    copied = log.read_text().splitlines()
    parquet = [str(path) for path in core.rglob("*.parquet")]
    assert sorted(copied) == sorted(parquet) and parquet
    assert re.search(
        rf"by CommandCopier {len(parquet)}, local \d+|by local \d+, CommandCopier {len(parquet)}", ran.stdout
    )
    ((name, state),) = backup_names(tmp_path / "backups")
    assert state == "complete" and ib.Repository(tmp_path / "backups").verify(name, level="bytes").ok
    assert not list((tmp_path / "backups").rglob("*#*"))


def test_what_a_command_tells_is_in_the_error(core: Path, tmp_path: Path) -> None:
    tool = program(tmp_path / "tool", 'echo part > "$2"; echo "no such filer" >&2; exit 3')
    ran = run("command_copier.py", "--max-elapsed", "1s", core, tmp_path / "backups", "--", tool)
    assert ran.returncode == 1, ran.stdout
    assert f"{tool} ended with 3: no such filer" in ran.stderr and "Traceback" not in ran.stderr
    assert not list((tmp_path / "backups").rglob("*#*"))


def test_ctrl_c_ends_the_command_of_a_copier(core: Path, tmp_path: Path) -> None:
    tool = program(tmp_path / "tool", f"echo $$ >> {tmp_path / 'pids'}; exec sleep 60")
    command = [
        sys.executable,
        str(EXAMPLES / "command_copier.py"),
        str(core),
        str(tmp_path / "backups"),
        "--",
        str(tool),
    ]
    with subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        wait_for((tmp_path / "pids").exists)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        _, told = process.communicate(timeout=10)
        assert time.monotonic() - began < 2 and told.endswith("KeyboardInterrupt\n"), told
    for pid in (tmp_path / "pids").read_text().split():
        wait_for(lambda pid=pid: not Path(f"/proc/{pid}").exists(), 2)
    ((_, state),) = backup_names(tmp_path / "backups")
    assert state == "unfinished" and not list((tmp_path / "backups").rglob("*#*"))


# Orchestrators


def program(path: Path, body: str) -> Path:
    """A shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


NODES = ["ingester01", "ingester02", "compactor01"]

ORCHESTRATORS = {
    "restore_compose.py": ("docker", ["compose.yaml"]),
    "restore_kubernetes.py": ("kubectl", ["--namespace", "influx"]),
    "restore_ssh.py": (
        "ssh",
        [*(f"--host={node}={node}.example" for node in NODES), "--unit", "influxdb3-core", "--sudo"],
    ),
}


class Fakes:
    """A `PATH` on which a program is a fake one, and all nodes run."""

    def __init__(self, directory: Path, name: str) -> None:
        self.state, self.log = directory / "state", directory / "log"
        self.state.mkdir()
        for node in NODES:
            (self.state / node).touch()
        (directory / "bin").mkdir()
        self.program = directory / "bin" / name
        shutil.copy(PROGRAMS / name, self.program)
        path = f"{self.program.parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = {"PATH": path, "STATE": str(self.state), "LOG": str(self.log)}

    def running(self) -> list[str]:
        return sorted(path.name for path in self.state.iterdir())

    def calls(self, words: str) -> list[str]:
        """The nodes of the calls that have these words, in order."""
        lines = [line for line in self.log.read_text().splitlines() if re.search(words, line)]
        return [node for line in lines for node in NODES if node in line]


@pytest.fixture
def damaged(enterprise: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A repository with the backup `n1` of `enterprise`, and a copy of it with data that is newer."""
    ib.Repository(tmp_path / "backups").backup(enterprise, name="n1")
    shutil.copytree(enterprise, tmp_path / "data")
    next((tmp_path / "data").rglob("*.wal")).with_name("00000009999.wal").write_bytes(b"newer")
    return tmp_path / "backups", tmp_path / "data"


@pytest.mark.parametrize("script", ORCHESTRATORS)
def test_orchestrators(script: str, damaged: tuple[Path, Path], tmp_path: Path) -> None:
    name, arguments = ORCHESTRATORS[script]
    fakes = Fakes(tmp_path, name)
    backups, data = damaged
    ran = run(script, *arguments, backups, "n1", data, **fakes.environment)
    assert ran.returncode == 0, ran.stderr
    assert f"n1 restored to file://{data}: " in ran.stdout
    assert not list(data.rglob("00000009999.wal")) and ib.certify(data).is_proven
    assert fakes.running() == sorted(NODES)
    assert sorted(fakes.calls(r"\bstop\b|replicas=0")) == sorted(NODES)
    assert fakes.calls(r"\bstart\b|replicas=1") == NODES, "data nodes first"


@pytest.mark.parametrize("script", ORCHESTRATORS)
def test_a_server_that_does_not_stop_keeps_its_data(script: str, damaged: tuple[Path, Path], tmp_path: Path) -> None:
    name, arguments = ORCHESTRATORS[script]
    fakes = Fakes(tmp_path, name)
    fakes.program.write_text('#!/bin/sh\necho "permission denied" >&2\nexit 255\n')
    backups, data = damaged
    before = {path: path.read_bytes() for path in data.rglob("*") if path.is_file()}
    ran = run(script, *arguments, backups, "n1", data, **fakes.environment)
    assert ran.returncode == 1 and ran.stdout == ""
    assert "error [orchestrator]" in ran.stderr and "returned non-zero exit status 255" in ran.stderr
    assert "permission denied" in ran.stderr and "Traceback" not in ran.stderr
    assert {path: path.read_bytes() for path in data.rglob("*") if path.is_file()} == before


def test_a_host_that_is_away_is_not_stopped(damaged: tuple[Path, Path], tmp_path: Path) -> None:
    systemctl = runpy.run_path(str(EXAMPLES / "restore_ssh.py"))["Systemctl"]
    fakes = Fakes(tmp_path, "ssh")
    fakes.program.write_text('#!/bin/sh\necho "ssh: connect: no route to host" >&2\nexit 255\n')
    node = next(node for node in ib.discover(damaged[1]).description.nodes if node.id == "ingester01")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", fakes.environment["PATH"])
        assert not systemctl({"ingester01": "ingester01.example"}, "influxdb3", False).stopped(node)


# A service


@contextlib.contextmanager
def service(source: Path, backups: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The service of events, with its address."""
    command = [sys.executable, str(EXAMPLES / "event_service.py"), str(source), str(backups), "--port", "0", *options]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as it:
        try:
            assert it.stdout
            port = it.stdout.readline().removeprefix("listening on port ").strip()
            assert port, it.stderr and it.stderr.read()
            yield it, f"http://127.0.0.1:{port}/backups/"
        finally:
            it.kill()


def post(url: str) -> list[dict[str, object]]:
    with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=30) as answer:
        return [json.loads(line) for line in answer]


def test_event_service(core: Path, tmp_path: Path) -> None:
    with service(core, tmp_path / "backups") as (process, url):
        events = post(f"{url}monday")
        kinds = [event["event"] for event in events if event["event"] != "progress"]
        assert kinds[0] == "pass_started" and "committed" in kinds
        assert (kinds[-1], events[-1]["error"]) == ("finished", None)
        assert backup_names(tmp_path / "backups") == [("monday", "complete")]
        error = post(f"{url}monday")[-1]["error"]
        assert isinstance(error, dict) and error["code"] == "backup-exists"
        with pytest.raises(urllib.error.HTTPError) as missing:
            post(url.replace("backups", "other"))
        missing.value.close()
        assert missing.value.code == 404
        process.terminate()
        assert process.wait(5) == 0


def test_who_hangs_up_stops_nothing_and_sigterm_does(core: Path, tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    with service(core, backups, *SLOW) as (process, url):
        with urllib.request.urlopen(urllib.request.Request(f"{url}monday", method="POST"), timeout=30) as answer:
            assert json.loads(answer.readline())["seq"] == 1
        wait_for(lambda: backup_names(backups) == [("monday", "in_progress")])
        time.sleep(1)
        assert backup_names(backups) == [("monday", "in_progress")]
        process.terminate()
        assert process.wait(5) == 0
    assert backup_names(backups) == [("monday", "unfinished")]
    with service(core, backups) as (_, url):
        assert post(f"{url}monday")[-1]["error"] is None
    assert backup_names(backups) == [("monday", "complete")]


def test_an_event_service_names_what_failed(core: Path) -> None:
    ran = run("event_service.py", core, core)
    assert ran.returncode == 1 and ran.stderr.startswith("error [overlap]: "), ran.stderr


# The README


def blocks(page: Path = README) -> list[str]:
    """The Python code of a page, block by block."""
    return re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


TOUR = """\
import influx_backup as ib
repo = ib.Repository("s3://vault/nightly", options={"aws_region": "eu-central-1"})
report = repo.backup("s3://prod", name="n1", progress=True)
print(report.status, report.recovery_points["node1"].reached)
plan = repo.plan_restore("n1", "/var/lib/influxdb3/data", policy="replace"); print(plan)
repo.restore(plan, servers_stopped=True)
assert ib.certify("/var/lib/influxdb3/data").is_proven

job = repo.backup_async("s3://prod")
async for event in job: ...
report = await job
"""
"""The tour as issue 9 asks for it, without its comments."""


def test_the_tour_is_what_was_asked_for() -> None:
    assert re.sub(r" +#.*", "", blocks()[0]) == TOUR


def test_the_readme_runs(
    core: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target, made = tmp_path / "restored", tmp_path / "made"
    calls = tmp_path / "calls"
    program(tmp_path / "bin" / "systemctl", f'echo "$@" >> {calls}; [ "$1" = is-active ] && echo inactive; exit 0')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(os, "getloadavg", lambda: (0.5, 0.5, 0.5))
    places = {
        r'"s3://vault/nightly", options=\{.*?\}': repr(str(tmp_path / "backups")),
        r'"s3://vault/nightly"': repr(str(tmp_path / "backups")),
        r'(?<!Location\()"s3://prod"': repr(str(core)),
        r'"/var/lib/influxdb3/data"': repr(str(target)),
        r'"/tmp/cluster"': repr(str(made)),
        r'"node1"': '"node01"',
    }
    names: dict[str, object] = {"__name__": "readme"}
    for number, block in enumerate(blocks()):
        for place, here in places.items():
            block = re.sub(place, lambda _, here=here: here, block)  # type: ignore[misc]
        code = compile(block, f"{README}, block {number + 1}", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)

        async def run_block(code: CodeType = code) -> None:
            returned = eval(code, names)
            if returned is not None:
                await returned

        asyncio.run(run_block())
    printed = capsys.readouterr().out
    assert re.match(r"complete 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d.*\+00:00\nRestore of node01 from backup n1 to ", printed)
    for line in [
        r"n1 complete 20.*\+00:00",
        r"s3 nightly s3://vault",
        r"s3://prod",
        r"20.*\+00:00 parquet \d+ \d+",
        r"backup `n1` exists: choose another name",
        r"\d+ objects",
        r"True",
        r"\{'local': \d+\}",
        r"\('node01',\)",
        r"\{.*'n1': 'complete'.*\} True",
        r"core node01",
    ]:
        assert re.search(rf"^{line}$", printed, re.MULTILINE), f"{line} in:\n{printed}"
    assert calls.read_text().split("\n")[0] == "stop influxdb3@node01"
    assert calls.read_text().split("\n")[-2] == "start influxdb3@node01"


def test_the_code_of_the_front_page_runs(core: Path, tmp_path: Path) -> None:
    (code,) = blocks(README.parents[1] / "README.md")
    code = code.replace("s3://vault/nightly", str(tmp_path / "backups")).replace("s3://prod", str(core))
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0 and ran.stdout.startswith("backup monday: complete\n"), ran.stderr


def test_the_tour_on_s3(core: Path, minio: Minio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upload(core, minio, tmp_path, "tour")
    for name, value in minio.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_REGION", raising=False)
    target = tmp_path / "restored"
    places = {
        "s3://vault/nightly": "s3://vault/tour",
        "s3://prod": "s3://prod/tour",
        "/var/lib/influxdb3/data": str(target),
        '"node1"': '"node01"',
    }
    code = blocks()[0]
    for place, here in places.items():
        code = code.replace(place, here)
    code = textwrap.indent(f"{code}\nprint(report.status)\n", "    ")
    script = f"import asyncio\nasync def tour():\n{code}\nasyncio.run(tour())\n"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("complete 20") and ran.stdout.endswith("\ncomplete\n")
    assert ib.certify(target).is_proven


def test_the_table_of_errors_is_the_hierarchy() -> None:
    rows = re.findall(r"^\| `(\w+Error)` \| (.*?) ?\|", README.read_text(), re.MULTILINE)
    known = {name: getattr(errors, name) for name in errors.__all__ if name.endswith("Error")}
    assert [name for name, _ in rows if name not in known] == []
    assert set(known) - {name for name, _ in rows} == {"InfluxBackupError"}
    for name, parents in rows:
        bases = {base.__name__ for base in known[name].__bases__} - {"InfluxBackupError"}
        assert set(re.findall(r"\w+", parents)) == bases, name


def test_the_readme_has_every_verb() -> None:
    table = README.read_text().split("## Verbs")[1].split("\n## ")[0]
    verbs = {name.removesuffix("_async") for name in [*dir(ib), *dir(ib.Repository)] if name.endswith("_async")}
    assert {verb for verb in verbs if f"{verb}(" not in table} == {"open"}


def test_links_lead_somewhere() -> None:
    for page in (README, EXAMPLES / "README.md"):
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / link).exists(), f"{link} in {page}"


# Helpers


def wait_for(condition: object, seconds: float = 10) -> None:
    """Waits until a condition is true."""
    assert callable(condition)
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)
