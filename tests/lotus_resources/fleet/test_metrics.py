"""The metrics of a fleet, scraped as Prometheus does: over HTTP, from a real database and a real broker."""

import re
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest
from fleet_bed import ROOT, broker_on, free_port

from lotus_live.reports.metrics_page import metrics_page
from lotus_resources.fleet import metrics
from lotus_resources.fleet.broker import BROKER_ENV
from lotus_resources.fleet.lease import lease
from lotus_resources.fleet.metrics import FLEET_METRICS, FleetCollector
from lotus_resources.provision import instance, provision
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.settings.sections import FleetSettings

pytestmark = pytest.mark.process("a broker that is away is tried for some seconds")
DAY, STAGE = "2026-01-02", "raw_tape"
PRICED = FleetSettings(slots=3, price_core_h=0.5)


@pytest.fixture
def environment(settings: Settings, databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """A provisioned home with one stage's cost and one part of its table."""
    found = provision(settings, databases)
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    part = Path(settings.lake_root) / STAGE / f"branch={settings.branch}" / f"day={DAY}"
    part.mkdir(parents=True)
    (part / "part.parquet").write_bytes(b"x" * 1234)
    write = "INSERT INTO stage_costs (branch, day, stage, cpu_s, wall_s) VALUES (%s, %s, %s, 7200, 1)"
    with databases.owner("sig") as c:
        c.execute("DELETE FROM stage_costs")
        c.execute(write, [settings.branch, DAY, STAGE])
    yield found
    with databases.owner("sig") as c:
        c.execute("DELETE FROM stage_costs")


def scrape(settings: Settings, databases: Databases) -> dict[str, float]:
    """Return name with labels, and value, of every sample."""
    with (
        metrics_page(0, FleetCollector(settings, databases), "fleet.metrics_port") as page,
        urllib.request.urlopen(f"http://127.0.0.1:{page.server_port}/metrics", timeout=30) as answer,
    ):
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, value in (x.rsplit(" ", 1) for x in lines if not x.startswith("#"))}


def test_a_scrape_tells_runs_leases_broker_and_what_stages_took(
    settings: Settings, databases: Databases, environment: dict[str, str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    fleet = replace(settings, fleet=PRICED)
    job = dg.JobDefinition(graph_def=dg.GraphDefinition(name="nothing"))
    with broker_on(free_port(), tmp_path) as address, instance(environment) as opened:
        monkeypatch.setenv(BROKER_ENV, address)
        before = scrape(fleet, databases)
        run = opened.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
        with lease(run.run_id) as is_ours:
            assert is_ours
            now = scrape(fleet, databases)
        opened.delete_run(run.run_id)
    started = 'lotus_fleet_runs{state="STARTED"}'
    assert now[started] - before[started] == 1.0
    assert now['lotus_fleet_waiting{where="queue"}'] == now['lotus_fleet_runs{state="QUEUED"}']
    assert now["lotus_fleet_leases"] - before["lotus_fleet_leases"] == 1.0
    assert now["lotus_fleet_oldest_lease_seconds"] > 0.0
    assert (now["lotus_fleet_slots"], now["lotus_fleet_broker_up"]) == (3.0, 1.0)
    assert (now['lotus_fleet_workers{state="idle"}'], now['lotus_fleet_waiting{where="broker"}']) == (0.0, 0.0)
    assert now[f'lotus_stage_cpu_seconds{{day="{DAY}",stage="{STAGE}"}}'] == 7200.0
    assert now[f'lotus_stage_bytes{{day="{DAY}",stage="{STAGE}"}}'] == 1234.0
    assert now[f'lotus_stage_cost_usd{{day="{DAY}"}}'] == 1.0, "two core-hours at half a dollar"


def test_a_broker_that_is_away_is_told_and_without_a_fleet_it_is_not_asked(
    settings: Settings, databases: Databases, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BROKER_ENV, "redis://127.0.0.1:1/0")
    away = scrape(replace(settings, fleet=FleetSettings(slots=1)), databases)
    assert away["lotus_fleet_broker_up"] == 0.0
    assert not any("workers" in name or "cost" in name for name in away)
    monkeypatch.setattr(metrics, "celery_app", lambda _: pytest.fail("the broker was asked"))
    assert not any("broker" in name for name in scrape(settings, databases))


def test_the_page_of_the_docs_lists_every_metric() -> None:
    text = (ROOT / "docs" / "reference" / "metrics.md").read_text()
    listed = re.findall(r"^\| `(lotus_(?:fleet|stage)\w+)` \| gauge \| (.*) \| (.+) \|$", text, re.MULTILINE)
    assert listed == [(m.name, ", ".join(f"`{label}`" for label in m.labels), m.text) for m in FLEET_METRICS]
