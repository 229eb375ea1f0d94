"""`lotus doctor --venue`: what it says of an exchange that answers, of none, and of one whose clock is off."""

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lotus.manifest import Asset, Manifest
from lotus_cli.upkeep.doctor_venue import safety_checks, venue_checks
from lotus_store.config import Settings
from lotus_store.settings.sections import LiveSettings, TradingSettings
from lotus_venues.local_exchange.options import Options, TimeSource
from lotus_venues.local_exchange.web.server import LocalExchange

BTC = Asset("BTC", 5)


@pytest.fixture(params=[0, 5_000], ids=["clock_right", "clock_ahead"])
def exchange(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    """An exchange in a thread of its own, whose clock is ahead by some ms."""
    ready, over = threading.Event(), threading.Event()
    found: list[str] = []

    async def serve() -> None:
        options = Options(clock=TimeSource.WALL, wall_ms=lambda: time.time_ns() // 1_000_000 + request.param)
        async with LocalExchange((BTC,), options=options) as running:
            found.append(running.url)
            ready.set()
            while not over.is_set():
                await asyncio.sleep(0.01)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    yield found[0], request.param
    over.set()
    thread.join(10)


def settings_of(home: Path, url: str) -> Settings:
    manifest = replace(Manifest(), universe=(BTC,))
    live = LiveSettings(rest_url=url)
    return Settings(home, manifest=manifest, live=live, trading=TradingSettings(venue="local"))


def test_every_account_is_told_with_the_clock(tmp_path: Path, exchange: tuple[str, int]) -> None:
    url, ahead_ms = exchange
    told = venue_checks(settings_of(tmp_path, url))
    assert sorted(told) == ["book", "probes-long", "probes-short"]
    for line in told.values():
        assert line.startswith("ok local 0x" if not ahead_ms else "WRONG: expected at most 500 ms of skew, local 0x")
        assert "0 positions" in line
    assert len({line.split()[2] for line in told.values()}) == (3 if not ahead_ms else 1)


def test_an_exchange_that_does_not_answer_is_wrong(tmp_path: Path) -> None:
    told = venue_checks(settings_of(tmp_path, "http://127.0.0.1:1"))
    assert all(line.startswith("WRONG: ") and "cannot be reached" in line for line in told.values())


def test_without_a_venue_it_says_so(tmp_path: Path) -> None:
    assert "trading.venue is off" in venue_checks(Settings(tmp_path))["venue"]


def test_the_dead_mans_switch_is_probed_and_stays_off(tmp_path: Path) -> None:
    told = safety_checks(settings_of(tmp_path, "http://127.0.0.1:1"))
    assert sorted(told) == ["schedule_cancel", "watchdog"]
    assert told["schedule_cancel"] == (
        "ok, off; probed on loopback it left 0 of 1 entries and 0 of 1 stops: it removes stops, so it is never armed"
    )
    assert told["watchdog"].startswith("ok, none runs")


def test_every_reason_against_real_orders_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lotus_desk.safety.gate_facts.KNOWN_URLS", ("http://127.0.0.1:1",))
    wanted = TradingSettings(venue="hyperliquid", url="http://127.0.0.1:1")
    told = safety_checks(replace(settings, trading=wanted))["real_orders"]
    assert told.startswith("WRONG: ")
    for reason in ("no_key", "watchdog_key", "no_caps", "venue_silent", "paper_days", "not_armed"):
        assert f"{reason}: " in told
