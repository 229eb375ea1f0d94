"""Dagster's pages after the demo, as a person sees them: green, nothing launched by itself, pictures that are there.

The same `lotus up` is asked by GraphQL (always) and looked at in a real browser (where there is one), which keeps its
pictures in `.artefacts/`.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, browser
from small_home import Cli, Facts

pytestmark = pytest.mark.process("`lotus up` on the demo's home, and a browser that looks at it")

ROOT = Path(__file__).resolve().parents[2]
BRANCH = "demo-11"
UNSEEN = {"live_parity", "healthy", "drift"}  # no daemon ran, none runs, too few days to compare with: a warning each
NO_ROWS = {("expert_set", "schema"), ("expert_training", "schema")}  # skipped: the experts are as shipped
NO_ROWS |= {("governance_week", "schema")}  # skipped: the last day is no Monday
FRESHNESS = {(asset, "freshness_check") for asset in ("raw_tape", "signal_eval", "active_priors")}  # asked by a sensor
ASSETS = """{ assetNodes { assetKey { path } isPartitioned partitionKeys
  partitionStats { numPartitions numMaterialized numFailed }
  assetObservations(limit: 1) { timestamp }
  assetChecksOrError { ... on AssetChecks { checks { name
    executionForLatestMaterialization { status evaluation { severity description } } } } } } }"""
LOCATION = "{ repositoriesOrError { ... on RepositoryConnection { nodes { location { name } } } } }"
RUNS = "{ runsOrError { ... on Runs { results { runId status tags { key value } } } } }"
TICKS = """{ sensorsOrError(repositorySelector: {repositoryName: "__repository__", repositoryLocationName: "lotus"}) {
  ... on Sensors { results { name sensorState { ticks(limit: 5) { status error { message } } } } } } }"""
STALE = '%s%d: assetNodeOrError(assetKey: {path: ["%s"]}) { ... on AssetNode { staleStatus(partition: "%s") } }'


@dataclass(frozen=True, slots=True)
class Pages:
    """A `lotus up` that serves: its address, and the token that lets one in."""

    address: str
    token: str

    def ask(self, query: str) -> Any:
        """Return what a GraphQL query finds."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(f"{self.address}/graphql", json.dumps({"query": query}).encode(), headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            found = json.load(answer)
        assert "errors" not in found, found["errors"]
        return found["data"]

    def checks(self) -> dict[tuple[str, str], Any]:
        """Return the newest execution of each check by asset and name."""
        return {
            (node["assetKey"]["path"][0], check["name"]): check["executionForLatestMaterialization"]
            for node in self.ask(ASSETS)["assetNodes"]
            for check in node["assetChecksOrError"]["checks"]
        }

    def runs(self) -> list[dict[str, str]]:
        """Return the tags of all runs but those that the clock asks for, with their status."""
        found = self.ask(RUNS)["runsOrError"]["results"]
        told = [{"status": run["status"], **{t["key"]: t["value"] for t in run["tags"]}} for run in found]
        return [run for run in told if "dagster/schedule_name" not in run]


@pytest.fixture(scope="module")
def pages(_demo: tuple[Cli, Facts]) -> Iterator[Pages]:
    """`lotus up` on the home in which the demo has run."""
    home = _demo[0].home
    environment = {**os.environ, "LOTUS_HOME": str(home), "LOTUS_CONFIG": str(home / "lotus.toml")}
    environment |= {"LOTUS_TAPE": BRANCH, "LOTUS_BRANCH": BRANCH, "PYTHONPATH": str(ROOT)}
    code = "from lotus_cli.main import main; main()"
    served = subprocess.Popen(
        [sys.executable, "-P", "-c", code, "up", "--port", "0"], env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        assert served.stderr is not None
        told = next(line for line in served.stderr if "Dagster UI" in line)
        address, _, token = told.partition("Dagster UI ")[2].split()[0].partition("/?token=")
        address = re.sub(r"lotus-[0-9a-f]{32}\.localhost", "127.0.0.1", address)  # urllib asks the system for names
        yield Pages(address, token)
    finally:
        served.send_signal(signal.SIGINT)
        assert served.wait(60) == 0


@pytest.fixture(scope="module")
def begun(pages: Pages) -> int:
    """How many runs there were when `lotus up` had just begun to serve."""
    return len(pages.runs())


@pytest.fixture(scope="module")
def tab(pages: Pages) -> Iterator[Browser]:
    """A browser that is let in."""
    with browser(pages.address, pages.token) as opened:
        yield opened


def test_every_day_of_the_demo_is_there_and_in_step_and_the_location_is_lotus(
    lotus: Cli, pages: Pages, begun: int
) -> None:
    assert begun > 0, "those of the demo"
    found = pages.ask(LOCATION)["repositoriesOrError"]["nodes"]
    assert [node["location"]["name"] for node in found] == ["lotus"]
    nodes = {node["assetKey"]["path"][0]: node for node in pages.ask(ASSETS)["assetNodes"] if node["isPartitioned"]}
    assert len(nodes) > 25
    assert nodes["lessons"]["partitionKeys"][0] == "2026-01-05"
    stats = {name: node["partitionStats"] for name, node in nodes.items()}
    assert {n: s for n, s in stats.items() if s["numMaterialized"] != s["numPartitions"] or s["numFailed"]} == {}
    assert stats["lessons"]["numPartitions"] == stats["priors_in_force"]["numPartitions"] == 4
    assert nodes["priors_in_force"]["assetObservations"], "the latest event that the graph shows"
    asked = [STALE % (name, k, name, day) for name, n in nodes.items() for k, day in enumerate(n["partitionKeys"])]
    status = {name: node["staleStatus"] for name, node in pages.ask("{" + "\n".join(asked) + "}").items()}
    assert {name: found for name, found in status.items() if found != "FRESH"} == {}


def test_checks_are_green_but_for_those_that_saw_nothing_and_no_sensor_fails(lotus: Cli, pages: Pages) -> None:
    deadline = time.monotonic() + 45.0
    while pages.checks()["live_daemon", "healthy"] is None and time.monotonic() < deadline:
        time.sleep(0.5)
    found = pages.checks()
    assert [key for key, told in found.items() if told is None] == []
    fine = {key for key, told in found.items() if told["status"] == "SUCCEEDED"} | NO_ROWS | FRESHNESS
    red = {key: told for key, told in found.items() if key not in fine and key[1] not in UNSEEN}
    assert red == {}
    for asset, name in (("signal_events", "live_parity"), ("live_daemon", "healthy")):
        assert (found[asset, name]["status"], found[asset, name]["evaluation"]["severity"]) == ("FAILED", "WARN")
    assert found["live_daemon", "healthy"]["evaluation"]["description"].startswith("no daemon runs here")
    ticks = {s["name"]: s["sensorState"]["ticks"] for s in pages.ask(TICKS)["sensorsOrError"]["results"]}
    assert {name: told for name, told in ticks.items() if any(tick["status"] == "FAILURE" for tick in told)} == {}
    assert ticks["daemon_health"]


def test_the_lineage_is_green(lotus: Cli, tab: Browser) -> None:
    text = tab.shown("/asset-groups", "lineage", "tape", "scoring", "learning", "beliefs", "decision", "upkeep")
    assert "Unsynced" not in text
    tab.page.set_viewport_size({"width": 3600, "height": 1600})  # a graph as wide as this is else without words
    beliefs = tab.shown("/locations/lotus/asset-groups/beliefs/lineage", "beliefs", "priors_in_force", "100% filled")
    assert beliefs.count("100% filled") == 9
    for word in ("Unsynced", "missing", "Never materialized", "Failed"):
        assert word not in beliefs


def test_lessons_show_what_is_believed_as_a_picture_first(lotus: Cli, tab: Browser) -> None:
    text = tab.shown("/assets/lessons", "lessons", "in_force", "2026-01-08", "content_hash")
    assert text.index("believed") < text.index("in_force") < text.index("content_hash") < text.index("seconds_")
    picture = tab.page.locator('img[alt^="uplift with 95"]').first
    assert picture.evaluate("image => image.naturalWidth") > 250
    plain = " ".join(text.split())
    assert "grade B, in force from 2026-01-08" in plain
    days = tab.shown(
        "/assets/lessons?view=partitions&partition=2026-01-07", "lessons_night", "forest_plot", "Missing (0)"
    )
    assert "Unsynced" not in days
    tab.page.locator("tr", has_text="forest_plot").get_by_text("[Show Markdown]").click()
    forest = tab.page.locator('img[alt="lessons and refusals"]').first
    forest.wait_for()
    assert forest.evaluate("image => image.naturalWidth") > 250
    tab.page.wait_for_timeout(500)
    tab.keep("forest")


def test_runs_and_checks_can_be_read_and_nothing_was_launched(
    lotus: Cli, pages: Pages, tab: Browser, begun: int
) -> None:
    runs = tab.shown("/runs", "runs", "Success")
    assert "Failure" not in runs
    assert "lotus-pid" not in runs
    checks = tab.shown("/assets/lessons?view=checks", "checks", "error_budget", "significant", "support", "whole")
    assert checks.count("Succeeded") >= 4
    health = tab.shown("/assets/live_daemon?view=checks", "daemon", "healthy", "no daemon runs here")
    assert "kill_switch" in health
    found = pages.runs()
    assert [run for run in found if "dagster/sensor_name" in run or run["status"] != "SUCCESS"] == []
    assert len(found) == begun
