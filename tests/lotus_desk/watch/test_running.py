"""How a watchdog starts: over faulty settings, past links in its folder, with odd names of accounts."""

import asyncio
import os
import signal
from decimal import Decimal
from pathlib import Path

import pytest
from read_only import read_only
from watch_bed import BTC, now_ms, stop_watchdog, until, watch_bed

from lotus.errors import ConfigError
from lotus_desk.accounts.accounts import VenueAccess, venue_account
from lotus_desk.watch.running import run_watchdog, start_watchdog
from lotus_desk.watch.sessions import account_names, guard_session
from lotus_desk.watch.status import watchdog_status
from lotus_store.config import Settings
from lotus_store.settings.sections import SafetySettings, TradingSettings


def of(home: Path, url: str = "http://127.0.0.1:1") -> Settings:
    return Settings(home, trading=TradingSettings(venue="local", url=url), safety=SafetySettings(dead_s=7.0))


@pytest.mark.process("the watchdog as a process, twice")
def test_a_restarted_watchdog_starts_over_a_faulty_lotus_toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        async with watch_bed(tmp_path) as bed:
            config = tmp_path / "lotus.toml"
            config.write_text(f'[trading]\nvenue = "local"\nurl = "{bed.exchange.url}"\n')
            monkeypatch.setenv("LOTUS_CONFIG", str(config))
            for _ in range(2):
                await bed.hold()
                bed.beat(0.0)
                start_watchdog(bed.settings)
                await until(lambda: bool(watchdog_status(tmp_path)["alive"]), 20.0)
                await asyncio.to_thread(stop_watchdog, tmp_path)
                assert not watchdog_status(tmp_path)["alive"]
                config.write_text("[trading\n")

    asyncio.run(go())


@pytest.mark.process("the watchdog as a process, twice")
def test_a_watchdog_that_starts_in_a_read_only_home_flattens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        async with watch_bed(tmp_path) as bed:
            config = tmp_path / "lotus.toml"
            config.write_text(f'[trading]\nvenue = "local"\nurl = "{bed.exchange.url}"\n')
            monkeypatch.setenv("LOTUS_CONFIG", str(config))
            await bed.hold()
            bed.beat(0.0)
            start_watchdog(bed.settings)
            await until(lambda: bool(watchdog_status(tmp_path)["alive"]), 20.0)
            pid = watchdog_status(tmp_path)["pid"]
            await until(lambda: any((tmp_path / "live" / "signer").glob("*.watchdog/lock")), 20.0)
            os.kill(pid, signal.SIGKILL)
            await until(lambda: not watchdog_status(tmp_path)["alive"], 20.0)
            with read_only(tmp_path):
                start_watchdog(bed.settings)
                bed.switch.throw(flatten=True)
                await until(lambda: bed.held == 0, 20.0)
            await until(lambda: bool(watchdog_status(tmp_path)["alive"]), 20.0)
            await asyncio.to_thread(stop_watchdog, tmp_path)

    asyncio.run(go())


@pytest.mark.parametrize("name", ["watchdog.lock", "watchdog.log"])
def test_no_lock_and_no_log_through_a_link(tmp_path: Path, name: str) -> None:
    (tmp_path / "live").mkdir()
    away = tmp_path / "away"
    (tmp_path / "live" / name).symlink_to(away)
    with pytest.raises(ConfigError, match="is a link"):
        start_watchdog(of(tmp_path))
    if name == "watchdog.lock":
        with pytest.raises(ConfigError, match="is a link"):
            run_watchdog(of(tmp_path))
    assert not watchdog_status(tmp_path)["alive"]
    assert not away.exists()


@pytest.mark.parametrize("account", ["../../away", "a/b", ". x", "é"])
def test_an_odd_account_is_found_and_its_journal_stays_in_the_home(tmp_path: Path, account: str) -> None:
    """Its files are written under one step of a path; the watchdog reads the same account back from them."""
    home = tmp_path / "a" / "home"

    async def go() -> None:
        async with watch_bed(home) as bed:
            keys, journals = bed.settings.keys_root, home / "live" / "signer"
            desk = venue_account(
                account,
                VenueAccess(
                    url=bed.exchange.url,
                    keys=keys,
                    journals=journals,
                    universe=(BTC,),
                    clock_ms=now_ms,
                    expires_ms=2_000,
                ),
                Decimal(10_000),
            )
            desk.exchange.signer.journal.close()
            assert account in list(account_names(bed.settings))
            session = guard_session(bed.settings, account)
            try:
                assert session.exchange.signer.journal.folder.parent == home / "live" / "signer"
            finally:
                session.close()

    asyncio.run(go())
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["home"]
