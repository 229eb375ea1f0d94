"""The doctor compares machines: each worker says its release, slots, clock, and whether it reads this lake."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from fleet_bed import ROOT, broker_on, free_port

from lotus_resources.fleet import checks
from lotus_resources.fleet.broker import BROKER_ENV, celery_app, release
from lotus_resources.fleet.checks import WRONG, fleet_checks
from lotus_resources.fleet.roll_call import roll_call
from lotus_resources.provision import instance, provision
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.settings.sections import FleetSettings

pytestmark = pytest.mark.process("a broker and the workers of two machines")
OTHER = "one.release"


@contextmanager
def machine(name: str, place: Path, slots: int, more: Mapping[str, str]) -> Iterator[None]:
    """Run a worker with a home and settings of its own."""
    place.mkdir()
    (place / "lotus.toml").write_text(f"[fleet]\nslots = {slots}\n")
    own = {"LOTUS_HOME": str(place), "LOTUS_CONFIG": str(place / "lotus.toml"), "PYTHONPATH": str(ROOT), **more}
    words = [sys.executable, "-P", "-m", "celery", "-A", "lotus_resources.fleet.worker", "worker", "-n", f"w@{name}",
             "--pool", "solo", "--without-gossip", "--without-mingle"]  # fmt: skip
    with (
        (place / "log").open("w") as log,
        subprocess.Popen(words, env={**os.environ, **own}, stdout=log, stderr=log) as process,
    ):
        try:
            yield
        finally:
            process.kill()


def test_what_differs_among_machines_is_named_by_machine(
    settings: Settings, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = provision(settings, databases)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ours = replace(settings, fleet=FleetSettings(slots=2))
    shared = {"LOTUS_LAKE": settings.lake_root}
    with broker_on(free_port(), tmp_path) as address, instance(environment) as opened:
        monkeypatch.setenv(BROKER_ENV, address)
        assert fleet_checks(ours)["workers"].startswith("none answers")
        with machine("alike", tmp_path / "alike", 2, shared):
            answered(1)
            found = fleet_checks(ours)
            assert not [text for text in found.values() if text.startswith(WRONG)]
            assert found["lake"] == "ok, 1 workers read what was written here"
            assert found["workers"] == f"ok, 1 of release {release()}"
            with machine("apart", tmp_path / "apart", 3, {"LOTUS_LAKE": str(tmp_path / "elsewhere")}):
                answered(2)
                monkeypatch.setattr(checks, "release", lambda: OTHER)
                monkeypatch.setattr(checks, "MOST_SKEW_S", -1.0)
                opened.event_log_storage.set_concurrency_slots("lanes", 1)
                found = fleet_checks(ours)
                opened.event_log_storage.delete_concurrency_limit("lanes")
            assert "slots: apart has 3; expected: 2 as here" in found["worker slots"]
            assert "is not in the lake of apart; expected: one lake" in found["lake"]
            assert f"alike has {release()}, apart has {release()}; expected: {OTHER}" in found["workers"]
            assert "the clock of alike is" in found["worker clocks"]
            assert "a limit for the pool 'lanes'; expected: 'lane' alone" in found["pools"]
        assert not list(Path(settings.lake_root).glob(".doctor-*")), "the marker is gone"


def answered(workers: int) -> None:
    """Wait until so many workers answer a ping."""
    app, until = celery_app(os.environ), time.monotonic() + 40.0
    while len(app.control.ping(timeout=1.0)) < workers:
        assert time.monotonic() < until


def test_a_worker_that_knows_no_roll_call_has_another_release(tmp_path: Path, settings: Settings) -> None:
    class Old:
        class control:
            @staticmethod
            def ping(**_: object) -> list[str]:
                return ["w@old"]

            @staticmethod
            def broadcast(*_: object, **__: object) -> list[dict[str, dict[str, str]]]:
                return [{"w@old": {"error": "unknown control command"}}]

    (facts,) = roll_call(Old, settings)
    assert (facts.host, facts.release, facts.sees_lake) == ("old", "one that knows no roll call", False)
