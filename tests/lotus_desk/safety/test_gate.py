"""The gate before real orders: every reason by itself, all of them together, the typed sentence, and what ends it.

The local exchange poses as the venue: the rule of loopback is taken away from the modules under test, nothing else.
"""

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import eth_account
import pytest
from click.testing import CliRunner

from lotus.errors import ConfigError
from lotus.manifest import Asset, Manifest
from lotus.modules.messages.trading import PlanReference
from lotus_cli.desk.arm import arm_command
from lotus_desk.accounts.accounts import desk_accounts
from lotus_desk.accounts.paper_days import PaperDay, paper_days
from lotus_desk.safety import gate_facts
from lotus_desk.safety.arming import arming_path, disarm, read_arming, sentence
from lotus_desk.safety.gate import AccountFacts, GateReason, HomeFacts, account_faults, home_faults
from lotus_desk.trading import Trading, TradingClock, trading_of
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.day_commits import DayCommit, commit_day
from lotus_store.ledger.trading.plans import FillLine, OrderLine, PlanRow, PlanStep, put_plan, step_plans
from lotus_store.private import write_secret
from lotus_store.settings.sections import SafetySettings, TradingSettings
from lotus_venues.hyperliquid.caps import SignerCaps
from lotus_venues.hyperliquid.rate_budget import shared_weight
from lotus_venues.local_exchange.options import Options, TimeSource
from lotus_venues.local_exchange.web.server import LocalExchange

BTC = Asset("BTC", 5)
ADDRESS, DESK, DOG = "0x" + "a" * 40, "0x" + "b" * 40, "0x" + "c" * 40
NOW_MS = 1_700_000_000_000
SAFETY = SafetySettings(paper_days=2)
CAPS = SignerCaps(Decimal(100), Decimal(5000), Decimal(1000), {"BTC": Decimal("0.01")})
AGENT = {"role": "agent", "data": {"user": ADDRESS}}
WELL = AccountFacts(
    "book", ADDRESS, DESK, DOG, CAPS, "", {DESK: AGENT, DOG: AGENT}, (), "default", Decimal(2000), 20
)  # fmt: skip
HOME = HomeFacts("https://v", ("https://v",), (PaperDay("2026-01-02", True), PaperDay("2026-01-01", True)))
R = GateReason

ACCOUNT_CASES: list[tuple[GateReason, dict[str, Any]]] = [
    (R.NO_KEY, {"key_address": ""}),
    (R.NO_KEY, {"address": "", "roles": {}, "key_address": "", "watchdog_address": DOG}),
    (R.MASTER_KEY, {"key_address": ADDRESS}),
    (R.MASTER_KEY, {"roles": {DESK: {"role": "user"}, DOG: AGENT}}),
    (R.NO_AGENT, {"roles": {DESK: {"role": "missing"}, DOG: AGENT}}),
    (R.NO_AGENT, {"roles": {DESK: {"role": "agent", "data": {"user": DOG}}, DOG: AGENT}}),
    (R.AGENT_ENDS, {"agents": ({"address": DESK.upper(), "validUntil": NOW_MS + 3_600_000},)}),
    (R.WATCHDOG_KEY, {"watchdog_address": ""}),
    (R.WATCHDOG_KEY, {"watchdog_address": DESK}),
    (R.WATCHDOG_KEY, {"roles": {DESK: AGENT, DOG: {"role": "user"}}}),
    (R.UNIFIED, {"abstraction": "unifiedAccount"}),
    (R.UNIFIED, {"abstraction": "portfolioMargin"}),
    (R.UNIFIED, {"abstraction": "what_comes_next"}),
    (R.NO_CAPS, {"caps": None, "caps_problem": "no book.caps.toml"}),
    (R.WIDE_CAPS, {"caps": replace(CAPS, max_order_usd=Decimal(2000))}),
    (R.WIDE_CAPS, {"caps": replace(CAPS, max_open_usd=Decimal(20_000), max_day_usd=Decimal(20_000))}),
    (R.WIDE_CAPS, {"caps": replace(CAPS, max_size={"BTC": Decimal(1), "DOGE": Decimal(1)})}),
    (R.VENUE_SILENT, {"problem": "no answer"}),
    (R.CLOCK_SKEW, {"skew_ms": -501}),
    (R.CLOCK_SKEW, {"skew_ms": None}),
]
HOME_CASES: list[tuple[GateReason, dict[str, Any]]] = [
    (R.ADDRESS, {"url": "https://elsewhere"}),
    (R.PAPER_DAYS, {"days": (PaperDay("2026-01-02", True), PaperDay("2026-01-01", None))}),
    (R.PAPER_DAYS, {"days": ()}),
    (R.PAPER_DAYS, {"days_problem": "the ledger is away"}),
    (R.PARITY, {"days": (PaperDay("2026-01-02", True), PaperDay("2026-01-01", False))}),
    (R.RELEASE_MISMATCH, {"mismatches": ("tr: tr_plans.x is missing", "another")}),
]


@pytest.mark.parametrize(("reason", "change"), ACCOUNT_CASES)
def test_one_fault_of_an_account_is_one_reason(reason: GateReason, change: dict[str, Any]) -> None:
    found = account_faults(replace(WELL, **change), SAFETY, (BTC,), NOW_MS)
    assert reason in {fault.reason for fault in found}
    assert all(str(fault).startswith(f"{fault.reason}: book: found ") for fault in found)
    if change.get("address", ADDRESS):
        assert {fault.reason for fault in found} == {reason}


@pytest.mark.parametrize(("reason", "change"), HOME_CASES)
def test_one_fault_of_the_home_is_one_reason(reason: GateReason, change: dict[str, Any]) -> None:
    assert [fault.reason for fault in home_faults(replace(HOME, **change), SAFETY)] == [reason]


def test_without_a_fault_there_is_no_reason_and_every_reason_is_tested() -> None:
    assert account_faults(WELL, SAFETY, (BTC,), NOW_MS) == []
    assert home_faults(HOME, SAFETY) == []
    assert {reason for reason, _ in (*ACCOUNT_CASES, *HOME_CASES)} == set(GateReason) - {R.NOT_ARMED}


def test_several_faults_are_all_told() -> None:
    bad = replace(WELL, caps=None, skew_ms=900, watchdog_address="", key_address=ADDRESS)
    found = {fault.reason for fault in account_faults(bad, SAFETY, (BTC,), NOW_MS)}
    assert found == {R.NO_CAPS, R.CLOCK_SKEW, R.WATCHDOG_KEY, R.MASTER_KEY}
    bad_home = replace(HOME, url="", days=(PaperDay("2026-01-02", False),), mismatches=("x",))
    assert {f.reason for f in home_faults(bad_home, SAFETY)} == {R.ADDRESS, R.PAPER_DAYS, R.PARITY, R.RELEASE_MISMATCH}


# --- with the local exchange posing as the venue

ACCOUNTS = [*desk_accounts(Settings(Path()))]


@dataclass
class Posing:
    """An exchange that counts as remote, and a home whose accounts trade there."""

    url: str
    settings: Settings
    databases: Databases
    exchange: LocalExchange

    def key(self, name: str) -> str:
        return (self.settings.keys_root / "venue" / name).read_text().strip()

    def opened(self) -> Trading:
        return trading_of(
            self.settings, self.databases, (BTC,), self.url, TradingClock(lambda: time.time_ns() // 1_000_000)
        )

    def arm(self, account: str, typed: str | None = None) -> Any:
        address = self.key(f"{account}.address")
        text = sentence(account, address, CAPS.max_open_usd) if typed is None else typed
        return CliRunner().invoke(arm_command, ["--account", account], input=text + "\n")


def traded_day(databases: Databases, number: int, agreed: bool | None) -> None:
    """Let a day of January 2026 be traded at the local exchange, and compared."""
    day, at_ms = f"2026-01-{number:02d}", 1_767_225_600_000 + (number - 1) * 86_400_000 + 3_600_000
    name = f"0x{number:032x}"
    row = PlanRow(f"p{number}", "main", "d", "l", "probe", "BTC", "local", "accepted", at_ms, {}, PlanReference(), {})
    order = OrderLine(name, row.plan_id, "local", "BTC", "entry", "filled", at_ms, {})
    fill = FillLine("local", f"f{number}", name, "BTC", at_ms, {})
    with databases.connect("tr") as tr:
        put_plan(tr, row)
        step_plans(tr, [PlanStep(row.plan_id, "done", {}, Decimal(0), orders=[order], fills=[fill])])
    if agreed is not None:
        checks = [{"name": "live_parity", "passed": agreed, "text": "", "numbers": {"logged": 7}}]
        with databases.connect("sig") as sig:
            commit_day(sig, DayCommit("main", day, "signal_events", "h", 1, "i", {"checks": checks}))


@pytest.fixture
def posing(databases: Databases, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Posing]:
    """Everything as real orders need it, but for the typed sentence."""
    folder = settings.keys_root / "venue"
    folder.mkdir(parents=True, mode=0o700)
    agents, accounts = {}, {}
    for account in ACCOUNTS:
        master = eth_account.Account.create()
        accounts[master.address.lower()] = Decimal(5_000)
        write_secret(folder / f"{account}.address", master.address.lower())
        write_secret(folder / f"{account}.caps.toml", CAPS_TOML)
        for ending in ("key", "watchdog.key"):
            agent = eth_account.Account.create()
            agents[agent.address.lower()] = master.address.lower()
            write_secret(folder / f"{account}.{ending}", "0x" + bytes(agent.key).hex().removeprefix("0x"))
    ready, over, urls = threading.Event(), threading.Event(), []
    served: list[LocalExchange] = []

    async def serve() -> None:
        options = Options(accounts=accounts, agents=agents, open_deposit_usd=None, clock=TimeSource.WALL, limit_scale=0)
        async with LocalExchange((BTC,), options=options) as running:
            urls.append(running.url)
            served.append(running)
            ready.set()
            while not over.is_set():
                await asyncio.sleep(0.01)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(20)
    shared_weight(urls[0], limit=100_000)  # the weights of this test's accounts would fill the venue's minute
    for place in ("lotus_desk.trading", "lotus_desk.accounts.accounts", "lotus_venues.hyperliquid.venue"):
        monkeypatch.setattr(f"{place}.LOOPBACK", frozenset())
    monkeypatch.setattr(gate_facts, "KNOWN_URLS", (urls[0],))
    monkeypatch.setattr("lotus_desk.trading.start_watchdog", lambda _: None)
    for number in (1, 2, 3):
        traded_day(databases, number, True)
    manifest = replace(Manifest(), universe=(BTC,))
    wanted = TradingSettings(venue="hyperliquid", url=urls[0])
    made = replace(settings, manifest=manifest, trading=wanted, safety=SafetySettings(paper_days=3))
    monkeypatch.setattr("lotus_cli.desk.arm.settings_of", lambda *_, **__: made)
    yield Posing(urls[0], made, databases, served[0])
    over.set()
    thread.join(20)


CAPS_TOML = (
    f'max_order_usd = "{CAPS.max_order_usd}"\nmax_day_usd = "{CAPS.max_day_usd}"\n'
    f'max_open_usd = "{CAPS.max_open_usd}"\n[coins]\nBTC = "0.01"\n'
)


def test_armed_by_the_exact_sentence_it_trades_and_not_a_moment_longer(
    posing: Posing, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Path] = []
    monkeypatch.setattr("lotus_desk.trading.start_watchdog", lambda wanted: started.append(wanted.home))
    monkeypatch.setattr("lotus_desk.trading.watchdog_status", lambda _home: {"alive": True})
    with pytest.raises(ConfigError) as refused:
        posing.opened()
    assert str(refused.value).count("not_armed") == 3, "all that is missing is the sentence, for each"
    assert "3 reasons" in str(refused.value)
    for account in ACCOUNTS:
        told = posing.arm(account)
        assert told.exit_code == 0, told.output
        assert "5000" in told.output
        assert "1000 open" in told.output
    path = arming_path(posing.settings.home, ACCOUNTS[0])
    assert path.stat().st_mode & 0o777 == 0o600
    trading = posing.opened()
    assert trading.market.venue == "hyperliquid"
    assert trading.market.mismatch == ""
    assert not trading.market.account_state("BTC", ACCOUNTS[0]).halted

    async def connects() -> None:
        for venue in trading.desk.venues.values():
            await venue.connect()
            assert (await venue.account()).equity_usd == 5000
            await venue.close()

    asyncio.run(connects())
    disarm(posing.settings.home, ACCOUNTS[0])
    trading.interlock.look()
    assert trading.market.account_state("BTC", ACCOUNTS[0]).halted
    assert not trading.market.account_state("BTC", ACCOUNTS[1]).halted
    assert "not armed" in trading.market.holds[ACCOUNTS[0]]
    monkeypatch.setattr("lotus_desk.trading.watchdog_status", lambda _home: {"alive": False})
    trading.interlock.look()
    assert trading.market.account_state("BTC", ACCOUNTS[1]).halted
    assert "no watchdog" in trading.market.holds[ACCOUNTS[1]]
    assert started == [posing.settings.home]


def test_another_sentence_arms_nothing(posing: Posing) -> None:
    for typed in ("yes", sentence(ACCOUNTS[0], posing.key(f"{ACCOUNTS[0]}.address"), Decimal(999))):
        assert posing.arm(ACCOUNTS[0], typed).exit_code == 1
    assert read_arming(posing.settings.home, ACCOUNTS[0]) is None


def test_what_was_agreed_to_ends_with_any_change_and_with_time(posing: Posing, monkeypatch: pytest.MonkeyPatch) -> None:
    for account in ACCOUNTS:
        assert posing.arm(account).exit_code == 0
    caps = posing.settings.keys_root / "venue" / f"{ACCOUNTS[1]}.caps.toml"
    write_secret(caps, CAPS_TOML.replace('"1000"', '"2000"'))
    with pytest.raises(ConfigError, match="caps, settings, release or keys changed"):
        posing.opened()
    write_secret(caps, CAPS_TOML)
    posing.opened()
    later = time.time_ns() // 1_000_000 + 8 * 86_400_000
    monkeypatch.setattr(gate_facts, "wall_ms", lambda: later)
    with pytest.raises(ConfigError, match=r"its arming ended 1\.0 days ago"):
        posing.opened()


def test_several_faults_of_a_real_home_are_all_listed_and_nothing_is_asked(posing: Posing) -> None:
    folder = posing.settings.keys_root / "venue"
    write_secret(folder / f"{ACCOUNTS[0]}.key", "0x" + "7" * 64)
    (folder / f"{ACCOUNTS[0]}.caps.toml").unlink()
    (folder / f"{ACCOUNTS[0]}.watchdog.key").chmod(0o644)
    traded_day(posing.databases, 4, False)
    with posing.databases.owner("dm") as connection:
        connection.execute("ALTER TABLE dm_strand ADD COLUMN stray text")
    try:
        told = posing.arm(ACCOUNTS[0])
        with pytest.raises(ConfigError) as refused:
            posing.opened()
    finally:
        with posing.databases.owner("dm") as connection:
            connection.execute("ALTER TABLE dm_strand DROP COLUMN stray")
    assert told.exit_code == 1
    assert "type exactly" not in told.output
    wanted = ("no_agent", "no_caps", "watchdog_key", "parity", "release_mismatch")
    for reason in wanted:
        assert f"{reason}: " in told.output
    for reason in (*wanted, "not_armed"):
        assert f"{reason}: " in str(refused.value)
    assert "dm_strand" in told.output
    assert "parity of 67 %" in told.output


def test_a_master_key_is_refused(posing: Posing) -> None:
    rich = eth_account.Account.create()
    folder = posing.settings.keys_root / "venue"
    write_secret(folder / f"{ACCOUNTS[0]}.key", "0x" + bytes(rich.key).hex().removeprefix("0x"))
    write_secret(folder / f"{ACCOUNTS[0]}.address", rich.address.lower())
    told = posing.arm(ACCOUNTS[0])
    assert told.exit_code == 1
    assert "master_key: probes-long: found the account's own key" in told.output


def test_a_unified_account_is_refused_whatever_its_perp_state_tells(posing: Posing) -> None:
    posing.exchange.info.abstraction = "unifiedAccount"
    told = posing.arm(ACCOUNTS[0])
    assert told.exit_code == 1
    assert "unified: probes-long: found account abstraction 'unifiedAccount'" in told.output
    posing.exchange.info.abstraction = "disabled"
    assert posing.arm(ACCOUNTS[0]).exit_code == 0


@pytest.mark.parametrize("venue", ["local", "off"])
def test_without_the_name_of_the_venue_nothing_leaves_loopback(posing: Posing, venue: str) -> None:
    for account in ACCOUNTS:
        assert posing.arm(account).exit_code == 0
    posing.settings = replace(posing.settings, trading=replace(posing.settings.trading, venue=venue))
    with pytest.raises(ConfigError, match="orders would go to"):
        posing.opened()


def test_days_count_that_were_traded_logged_and_compared(databases: Databases) -> None:
    traded_day(databases, 1, True)
    traded_day(databases, 2, None)
    traded_day(databases, 3, False)
    found = paper_days(databases, "main", 10)
    assert [(day.day, day.agreed) for day in found] == [
        ("2026-01-03", False), ("2026-01-02", None), ("2026-01-01", True),
    ]  # fmt: skip
    assert paper_days(databases, "main", 1)[-1].day == "2026-01-03"
    assert paper_days(databases, "other", 10) == []


def test_keys_that_others_can_read_are_no_keys(tmp_path: Path) -> None:
    write_secret(tmp_path / "k", "0x" + "1" * 64)
    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o600
    (tmp_path / "k").chmod(0o640)
    assert gate_facts._address_of(tmp_path / "k") == ""
    assert gate_facts._address_of(tmp_path / "none") == ""
