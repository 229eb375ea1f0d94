"""What `lotus fleet doctor` says of a sound place and of every fault: found, expected, likely cause."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fleet_bed import broker_on, free_port
from sqlalchemy import make_url
from transaction_pooler import pooled

from lotus_resources.dagster_home import DSN_ENV
from lotus_resources.fleet import checks
from lotus_resources.fleet.broker import BROKER_ENV
from lotus_resources.fleet.checks import WRONG, fleet_checks
from lotus_resources.provision import provision
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.shard_lease import ShardLease
from lotus_store.settings.sections import FleetSettings


@pytest.fixture
def fleet(
    settings: Settings, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    for name, value in provision(settings, databases).items():
        monkeypatch.setenv(name, value)
    with broker_on(free_port(), tmp_path) as address:
        monkeypatch.setenv(BROKER_ENV, address)
        yield replace(settings, fleet=FleetSettings(slots=2))


def wrong(settings: Settings) -> dict[str, str]:
    return {name: text for name, text in fleet_checks(settings).items() if text.startswith(WRONG)}


@pytest.mark.process("a broker is started and asked, and workers are waited for")
def test_a_sound_place_has_nothing_wrong_and_each_fault_is_named(
    fleet: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Databases(fleet) as opened, opened.connect("sig") as sig:
        assert ShardLease("tape.1of2", "host:1").take(sig)
        assert ShardLease("tape.2of2", "host:2").take(sig)
    assert wrong(fleet) == {}
    assert fleet_checks(fleet)["live shard tape.1of2"].startswith("ok, host:1, epoch 1, renewed ")
    with Databases(fleet) as opened, opened.owner("sig") as sig:
        sig.execute("UPDATE shard_lease SET until = until - interval '1 minute' WHERE shard = 'tape.2of2'")
    assert "expected: a holder; likely cause: its daemon ended" in wrong(fleet)["live shard tape.2of2"]
    with Databases(fleet) as opened, opened.owner("sig") as sig:
        sig.execute("DELETE FROM shard_lease")
    assert "slots is 0; expected: at least 1" in wrong(replace(fleet, fleet=FleetSettings()))["slots"]
    assert fleet_checks(replace(fleet, lake_url="s3://b/p"))["lake"] == "ok, s3"
    with monkeypatch.context() as skewed:
        skewed.setattr(checks, "MOST_SKEW_S", -1.0)
        found = wrong(fleet)
        assert {name: "no time service" in text for name, text in found.items()} == {"broker": True, "clock": True}
    with monkeypatch.context() as old:
        old.setattr(checks, "LEAST_REDIS", (99, 0))
        assert "expected: 99.0 or later" in wrong(fleet)["broker"]
    with monkeypatch.context() as away:
        away.setenv(BROKER_ENV, "redis://127.0.0.1:1/0")
        assert "no answer (OperationalError)" in wrong(fleet)["broker"]
        away.delenv(BROKER_ENV)
        assert f"{BROKER_ENV} is not set" in wrong(fleet)["broker"]


def test_a_broker_that_may_drop_runs_is_refused(fleet: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    import redis

    redis.Redis.from_url(checks.os.environ[BROKER_ENV]).config_set("maxmemory-policy", "allkeys-lru")
    assert "allkeys-lru; expected: noeviction" in wrong(fleet)["broker"]


def test_a_pooler_that_changes_sessions_is_found(fleet: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    url = make_url(os.environ[DSN_ENV])
    folder = str(url.query.get("host") or url.host)
    with pooled(f"{folder}/.s.PGSQL.{url.port or 5432}") as port:
        through = url.set(host="127.0.0.1", port=port, query={k: v for k, v in url.query.items() if k != "host"})
        monkeypatch.setenv(DSN_ENV, through.render_as_string(hide_password=False))
        found = wrong(fleet)
    assert found == {"sessions": found["sessions"]}, "all else goes through it"
    assert "statements of one connection in 2 sessions; expected: one;" in found["sessions"]
    assert "a pooler in transaction mode" in found["sessions"]


def test_the_place_of_segments_is_tried(fleet: Settings, tmp_path: Path) -> None:
    assert fleet_checks(fleet)["segments"].startswith("ok on one machine: not set")
    place = tmp_path / "segments"
    assert fleet_checks(replace(fleet, segments_url=str(place)))["segments"] == "ok, a folder"
    assert not list(place.iterdir()), "nothing stays"
    (tmp_path / "file").write_text("no folder")
    assert "folders.segments refuses" in wrong(replace(fleet, segments_url=str(tmp_path / "file")))["segments"]
    assert "folders.segments refuses" in wrong(replace(fleet, segments_url="gopher://b/p"))["segments"]


def test_a_clock_that_is_off_is_found_by_a_process_that_has_one(fleet: Settings) -> None:
    program = shutil.which("faketime")
    if program is None:
        pytest.skip("no program that gives a process another clock: `apt-get install faketime`")
    words = [
        program,
        "-f",
        "+5s",
        sys.executable,
        "-P",
        "-c",
        "from lotus_resources.fleet import checks; print(checks._clock())",
    ]
    done = subprocess.run(words, capture_output=True, text=True, env=dict(os.environ), timeout=60, check=True)
    assert "the clock of the database is 5.0 s off; expected: 2 s at most" in done.stdout
