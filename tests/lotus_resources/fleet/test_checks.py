"""What `lotus fleet doctor` says of a sound place and of every fault: found, expected, likely cause."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fleet_bed import broker_on, free_port

from lotus_resources.fleet import checks
from lotus_resources.fleet.broker import BROKER_ENV
from lotus_resources.fleet.checks import WRONG, fleet_checks
from lotus_resources.provision import provision
from lotus_store.config import Settings
from lotus_store.databases import Databases
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
    assert wrong(fleet) == {}
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
    monkeypatch.setattr(checks, "held", lambda _session, _runs: set[str]())
    assert "a pooler in transaction mode" in wrong(fleet)["sessions"]
