"""`lotus up`: everything is served, a waiting message is applied, one signal ends all and leaves no process behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO

import dagster as dg
import pytest

from lotus.weave.watchdog import BraidAlert
from lotus_assets.jobs import watchdog
from lotus_herald.carry import carry
from lotus_herald.keys import Keys
from lotus_modules.priors.weave_notes import tell_alerts
from lotus_resources.provision import instance, provision
from lotus_store.config import Settings
from lotus_store.databases import Databases

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).parent / "golden" / "asset_graph.json"
SERVE = (
    "import sys; from lotus_store.config import load_settings; from lotus_assets.up import up;"
    "say = lambda text, done=None, *_: done is None and print(text, flush=True);"
    "raise SystemExit(up(load_settings(), int(sys.argv[1]), say=say))"
)
DAYS_QUERY = '{ assetNodeOrError(assetKey: {path: ["raw_tape"]}) { ... on AssetNode { partitionKeys } } }'
QUERY = (
    "{ assetNodes { id } repositoriesOrError { ... on RepositoryConnection"
    " { nodes { location { name } sensors { name } schedules { name } } } } }"
)


def living(home: Path) -> list[str]:
    """Return the command lines of living processes that name a home, in argument or environment."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            text = (place / "cmdline").read_bytes() + (place / "environ").read_bytes()
        except OSError:
            continue
        if os.fsencode(str(home)) in text and int(place.name) != os.getpid():
            found.append((place / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def alert_is_applied(settings: Settings, patience_s: float = 90.0) -> bool:
    """Put an alert into dm's inbox and tell whether Dagster applies it."""
    alert = BraidAlert(braid_id="b", detector_id="d", kind="expired", reason="x", e_value=1.0, scope="dm")
    with Databases(settings) as databases:
        with databases.connect("sig") as c:
            tell_alerts(c, settings.branch, "2026-01-05", [alert], "0" * 32, Keys(settings.keys_root))
        carry(databases, settings.branch)
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            with databases.connect("dm") as c:
                if c.execute("SELECT outcome FROM dm_inbox").fetchall() == [("applied",)]:
                    return True
            time.sleep(0.2)
    return False


def asked(port: int, body: bytes | None, path: str = "/graphql", **headers: str) -> urllib.request.Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, {"Content-Type": "application/json"} | named)


def shown_days(port: int, token: str) -> list[str]:
    """Return the days that the pages show; none while the code server begins anew."""
    request = asked(port, json.dumps({"query": DAYS_QUERY}).encode(), Authorization=f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=20) as answer:
        found: list[str] = json.load(answer)["data"]["assetNodeOrError"].get("partitionKeys", [])
    return found


def assert_nobody_else_is_let_in(port: int, token: str, by_get: tuple[int, int] = (405, 405)) -> None:
    """The red team's requests: another page's, another host's, a change by GET, one without a token.

    `by_get` are the answers to a change by GET, by the bearer and by the token in the address, without a cookie.
    """
    wipe = urllib.parse.quote('mutation{setConcurrencyLimit(concurrencyKey:"lane",limit:0)}')
    own, body = {"Authorization": f"Bearer {token}"}, json.dumps({"query": QUERY}).encode()
    for request, status in (
        (asked(port, body), 401),
        (asked(port, body, Authorization="Bearer x"), 401),
        (asked(port, None, f"/graphql?query={wipe}", **own), by_get[0]),
        (asked(port, None, f"/graphql?token={token}&query={wipe}"), by_get[1]),
        (asked(port, body, Origin="http://evil.example", **own), 403),
        (asked(port, body, Host="evil.example", **own), 400),
        (asked(port, None, "/", **own), 200),
    ):
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                found = answer.status
        except urllib.error.HTTPError as problem:
            found = problem.code
        assert found == status, (request.full_url, request.headers)


def assert_the_graph_is_served(port: int, token: str) -> None:
    """Ask for assets, sensors and schedules: all are there."""
    request = asked(port, json.dumps({"query": QUERY}).encode(), Authorization=f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=20) as answer:
        data = json.load(answer)["data"]
    assert len(data["assetNodes"]) == len(json.loads(GOLDEN.read_text()))
    (node,) = data["repositoriesOrError"]["nodes"]
    assert node["location"]["name"] == "lotus"
    sensors = {"closed_segments", "daemon_health", "failed_runs", "fresh_days", "late_executions", "new_inbox"}
    assert {s["name"] for s in node["sensors"]} == sensors
    schedules = {
        "nightly",
        "hourly_watchdog",
        "weekly_compaction",
        "candidates_forward",
        "nightly_purge",
        "weekly_breeding",
        "sla_watch",
    }
    assert {s["name"] for s in node["schedules"]} == schedules


def assert_a_new_day_is_shown_once_no_run_is_under_way(
    settings: Settings, said: IO[str], add: Callable[[], object], days: list[str], port: int, token: str
) -> None:
    """Let `add` write the last day while a run is under way: the pages show it when that has ended."""
    assert shown_days(port, token) == days[:-1]
    with Databases(settings) as databases, instance(provision(settings, databases)) as opened:
        run = opened.create_run_for_job(watchdog, status=dg.DagsterRunStatus.STARTED)
        add()
        told = next(line for line in said if "other days" in line)
        assert f"the pages show {days[0]} to {days[-1]} once " in told
        assert shown_days(port, token) == days[:-1], "the run would have been killed"
        opened.report_run_canceled(run)
    told = next(line for line in said if "other days" in line)
    assert told == f"the tape has other days now: the pages show {days[0]} to {days[-1]}\n"
    deadline = time.monotonic() + 60.0
    while shown_days(port, token) != days and time.monotonic() < deadline:
        time.sleep(0.5)
    assert shown_days(port, token) == days


@pytest.mark.process("`lotus up` with all that it starts, and its code server anew")
def test_nothing_is_imported_from_the_folder_of_the_command_new_days_are_shown_and_one_signal_ends_everything(
    settings: Settings, tape_home: Path, tmp_path: Path, days: list[str]
) -> None:
    here, kept, tape = tmp_path / "here", tape_home / "tape" / "tiny", settings.tape_root / "tiny"
    shutil.copytree(kept, tape, ignore=shutil.ignore_patterns(days[-1]))
    here.mkdir()
    for name in ("gql", "msgspec", "numpy", "lotus_assets", "lotus_resources"):
        (here / f"{name}.py").write_text('raise SystemExit("taken over")')
    environment = {**os.environ, "LOTUS_HOME": str(settings.home), "LOTUS_PG_DSN": settings.server_dsn}
    environment |= {"LOTUS_TAPE": "tiny", "PYTHONPATH": str(ROOT), "LOTUS_CONFIG": str(ROOT / "lotus.toml")}
    command = [sys.executable, "-P", "-c", SERVE, "0"]  # any free port
    served = subprocess.Popen(command, cwd=here, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert served.stdout is not None
        told = next(line for line in served.stdout if "Dagster UI" in line)
        console, dagster = (int(part.partition("/")[0]) for part in told.split("http://127.0.0.1:")[1:])
        token, port = told.rpartition("?token=")[2].split()[0], dagster
        assert_nobody_else_is_let_in(console, token, by_get=(404, 401))
        assert_nobody_else_is_let_in(port, token)
        assert_the_graph_is_served(port, token)
        assert alert_is_applied(settings)
        second = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, timeout=60)
        assert second.returncode != 0
        assert "already serves" in second.stderr
        add = partial(shutil.copytree, kept / days[-1], tape / days[-1])
        assert_a_new_day_is_shown_once_no_run_is_under_way(settings, served.stdout, add, days, port, token)
    finally:
        served.send_signal(signal.SIGINT)
        code = served.wait(60)
    assert code == 0
    time.sleep(0.2)
    assert living(settings.home) == []
