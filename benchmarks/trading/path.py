"""From a proposal's commit to its order at the venue, durably: sig -> Herald -> dm -> Herald -> tr -> desk -> `place`.

With each proposal go its budget cues, as a daemon sends them; the decision-maker keeps both as inputs of its book.

`python -m benchmarks.trading.path --rate 2 --seconds 60`. Three databases take six commits on the way, two of them the
Herald's; the reference, measured in the same process between the proposals, is six bare committed inserts one after the
other on the same server. The venue answers at once, so only the path is measured.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from lotus.decision.alphas import InputFilter
from lotus.decision.policy.policy import shipped_policy
from lotus.hashing import natural_id
from lotus.manifest import Asset
from lotus.modules.intents import Module
from lotus.modules.messages.signals import meta_message, proposed_message
from lotus.modules.signals import ASYMMETRY, DET_ALPHA, META
from lotus.trading.execution.conditions import MarketView
from lotus.trading.execution.orders import (
    AccountSnapshot,
    NewOrder,
    OpenOrder,
    OrderGrouping,
    OrderState,
    OrderUpdate,
    Side,
    VenueFill,
    client_order_id,
)
from lotus.trading.venue import VenueEvent
from lotus_desk.execution.books import TradeBooks
from lotus_desk.execution.desk import TradingDesk
from lotus_desk.market.snapshot import DeskTerms, MarketSnapshot, account_name
from lotus_desk.safety.kill_switch import KillSwitch
from lotus_herald.herald import Herald
from lotus_herald.keys import Keys
from lotus_herald.outbox import send
from lotus_modules.dm.decide import Decider
from lotus_modules.handlers import hot_handlers
from lotus_modules.tr.execute import Acceptor
from lotus_store.config import Settings
from lotus_store.databases import Databases

BTC = Asset("BTC", 5)
COMMITS = 6
WARM_UP = 5
REFERENCE = "CREATE TABLE IF NOT EXISTS bench_reference (k bigint); GRANT ALL ON bench_reference TO PUBLIC"


def now_ms() -> int:
    """Return the wall clock."""
    return time.time_ns() // 1_000_000


class FreshMarket(MarketSnapshot):
    """A market that was seen just now."""

    def view(self, coin: str) -> MarketView:
        """Return a market of one price."""
        return MarketView(coin, now_ms(), Decimal(99_999), Decimal(100_001), Decimal(100_000))


@dataclass
class QuickVenue:
    """Answers at once that an order rests; remembers when it was asked."""

    asked_ns: dict[str, int] = field(default_factory=dict)
    name: str = "local"
    universe: Sequence[Asset] = (BTC,)

    async def connect(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def place(
        self, orders: Sequence[NewOrder], grouping: OrderGrouping = OrderGrouping.NONE
    ) -> Sequence[OrderUpdate]:
        """Remember when each order came."""
        at = time.time_ns()
        self.asked_ns |= {order.client_id: at for order in orders}
        return [OrderUpdate(order.client_id, OrderState.CANCELED, now_ms()) for order in orders]

    async def cancel(self, coin: str, client_ids: Sequence[str]) -> Sequence[OrderUpdate]:
        """Cancel."""
        return [OrderUpdate(name, OrderState.CANCELED, now_ms()) for name in client_ids]

    async def modify(self, order: NewOrder) -> OrderUpdate:
        """Agree."""
        return OrderUpdate(order.client_id, OrderState.RESTING, now_ms())

    async def set_leverage(self, coin: str, leverage: int, is_cross: bool = True) -> None:
        """Agree."""

    async def account(self) -> AccountSnapshot:
        """Return a rich account."""
        return AccountSnapshot(Decimal(10**9), Decimal(0), Decimal(10**9), (), now_ms())

    async def open_orders(self) -> Sequence[OpenOrder]:
        """Return nothing."""
        return ()

    async def order_of(self, client_id: str) -> OrderUpdate:
        """Return that it is cancelled."""
        return OrderUpdate(client_id, OrderState.CANCELED, now_ms())

    async def fills_since(self, time_ms: int) -> Sequence[VenueFill]:
        """Return nothing."""
        return ()

    async def schedule_cancel(self, time_ms: int | None) -> bool:
        """Refuse."""
        return False

    async def events(self) -> AsyncIterator[VenueEvent]:
        """Stay silent."""
        await asyncio.Event().wait()
        yield OrderUpdate("", OrderState.UNKNOWN, 0)

    async def server_time_ms(self) -> int:
        """Return the wall clock."""
        return now_ms()

    async def best_prices(self, coin: str) -> tuple[Decimal, Decimal] | None:
        """Return the market."""
        return Decimal(99_999), Decimal(100_001)


def signals_of(k: int, run: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the det-alpha and the ms payload of a window, valid ones: both are taken in on the way."""
    end_ms = now_ms()
    both = {
        "branch": "main", "event_id": natural_id("path", run, k), "detector_id": "sr", "spec_version": 1,
        "asset": "BTC",
        "asof_ts": datetime.fromtimestamp(end_ms / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
        "card_ref": "detector_cards/sr@1",
        "provenance": {
            "window": {"start_ms": end_ms - 5000, "end_ms": end_ms}, "close_recv_ns": str(end_ms * 1_000_000),
            "close_seq": 1, "recipe_hash": "0" * 32, "experts_ver": "1" * 32, "data_fingerprint": "2" * 32,
        },
    }  # fmt: skip
    alpha = both | {
        "schema_ver": DET_ALPHA, "signal": 0.5, "direction": 1, "strength": 0.5, "horizon_s": 60,
        "band_s": [30.0, 600.0],
        "det_sigma": 0.5, "curated_sigma": 0.6, "pi": 0.13, "context": 12 * "-", "suggested_triggers": [],
        "priors_ver": "0" * 32,
    }  # fmt: skip
    cues = both | {
        "schema_ver": META, "ms_kairos": 0.7, "ms_entrain_r": None, "ms_uncert": 0.1, "ms_hbar": 0.4,
        "ms_asym_score": None, "ms_asym_components": dict.fromkeys(ASYMMETRY, 0.0), "ms_asym_absent": [*ASYMMETRY],
    }  # fmt: skip
    return alpha, cues


def propose(databases: Databases, keys: Keys, rate: float, count: int, run: int) -> tuple[dict[str, int], list[float]]:
    """Send proposals at a pace; return when each was committed (ns), and the reference's times in ms."""
    committed: dict[str, int] = {}
    reference: list[float] = []
    with closing(databases.connect("sig")) as connection:
        began = time.monotonic()
        for k in range(count):
            time.sleep(max(0.0, began + k / rate - time.monotonic()))
            signal, cues = signals_of(k, run)
            send(connection, Module.SIG, proposed_message(signal), keys)
            send(connection, Module.SIG, meta_message(cues), keys)
            connection.commit()
            committed[signal["event_id"]] = time.time_ns()
            time.sleep(min(0.25, 0.5 / rate))
            at = time.perf_counter()
            for i in range(COMMITS):
                connection.execute("INSERT INTO bench_reference VALUES (%s)", [i])
                connection.commit()
            reference.append((time.perf_counter() - at) * 1e3)
    return committed, reference


async def measured(databases: Databases, home: Path, rate: float, count: int) -> tuple[list[float], list[float]]:
    """Return the latencies of the path and of the reference, in ms."""
    keys, venue = Keys(home / "keys"), QuickVenue()
    terms = DeskTerms(Decimal(1000), Decimal(300), Decimal(10**9), 60_000)
    market = FreshMarket((BTC,), "local", terms, now_ms)
    desk = TradingDesk(TradeBooks(databases, keys, "local"), market, {account_name(Side.BUY): venue}, KillSwitch(home))
    policy = shipped_policy()
    decider = Decider(60_000, InputFilter("main", frozenset({"BTC"}), policy.horizons), policy, now_ms)
    herald = Herald(
        databases, keys, hot_handlers(decider, Acceptor(market)), now_ms, now_ms, replica="bench", own_only=True,
        on_applied=desk.applied,
    )  # fmt: skip
    tasks = [asyncio.create_task(desk.run()), asyncio.create_task(herald.run())]
    await asyncio.sleep(2.0)
    committed, reference = await asyncio.to_thread(propose, databases, keys, rate, count, time.time_ns())
    await asyncio.sleep(2.0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    asked = {event: venue.asked_ns.get(entry_of(event)) for event in committed}
    return [(at - committed[event]) / 1e6 for event, at in asked.items() if at is not None], reference


def entry_of(event_id: str) -> str:
    """Return the name of the first entry order of a window's probe."""
    plan_id = natural_id("probe", event_id)
    return client_order_id(plan_id, "entry")


def quantile(values: Sequence[float], q: float) -> float:
    """Return the nearest-rank quantile."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(q * len(ordered)))], 2)


@click.command()
@click.option("--rate", default=0.47, show_default=True, help="Proposals a second; 0.47 is the demo's in real time.")
@click.option("--seconds", default=60.0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(rate: float, seconds: float, as_json: bool) -> None:
    """Measure the path."""
    count = WARM_UP + max(1, int(rate * seconds))
    with tempfile.TemporaryDirectory(prefix="lotus-path-") as name:
        home = Path(name)
        home.chmod(0o755)
        with closing(Databases(Settings(home))) as databases:
            with databases.open().owner("sig") as owner:
                owner.execute(REFERENCE)
            path, reference = asyncio.run(measured(databases, home, rate, count))
    path, reference = path[WARM_UP:], reference[WARM_UP:]
    told = {
        "rate": rate, "proposed": count - WARM_UP, "ordered": len(path),
        "path_ms": {"p50": quantile(path, 0.5), "p99": quantile(path, 0.99), "worst": quantile(path, 1.0)},
        "six_commits_ms": {"p50": quantile(reference, 0.5), "p99": quantile(reference, 0.99)},
        "ratio_p50": round(quantile(path, 0.5) / quantile(reference, 0.5), 2),
        "ratio_p99": round(quantile(path, 0.99) / quantile(reference, 0.99), 2),
        "p99_over_p50_of_six_commits": round(quantile(path, 0.99) / quantile(reference, 0.5), 2),
    }  # fmt: skip
    print(json.dumps(told) if as_json else json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
