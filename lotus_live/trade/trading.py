"""Trading in one daemon: floor, desk and hot handlers put together, and proposals for what it publishes.

Windows are proposed in the transaction that logs them. What is decided about them is `lotus_herald.decide`'s, what may
be executed `lotus_herald.execute`'s, how `desk`'s.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlsplit

from lotus.errors import ConfigError
from lotus.manifest import Asset
from lotus.modules.envelope import RefusedError
from lotus.modules.intents import Module
from lotus.modules.signals import DET_ALPHA
from lotus.modules.trade_messages import TTL_S, proposed_message
from lotus.trading.orders import Side
from lotus.trading.venue import Venue
from lotus_herald.consume import Handlers
from lotus_herald.decide import Decider
from lotus_herald.execute import Acceptor
from lotus_herald.hot import hot_handlers
from lotus_herald.keys import Keys
from lotus_herald.outbox import send_many
from lotus_live.pipeline import Step
from lotus_live.trade.accounts import venue_account
from lotus_live.trade.books import TradeBooks
from lotus_live.trade.desk import TradingDesk
from lotus_live.trade.floor import FloorTerms, TradingFloor, account_name
from lotus_live.trade.kill_switch import KillSwitch
from lotus_live.trade.last_parity import LastParity
from lotus_live.trade.paper import PaperDesk
from lotus_store.config import Settings
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.signals import SignalRow
from lotus_venues.hyperliquid.info import LOOPBACK
from lotus_venues.ladder import Ladder
from lotus_venues.local_exchange.options import MAX_LEVERAGES


@dataclass(slots=True)
class Trading:
    """What a daemon that trades has beside its paper desk."""

    floor: TradingFloor
    desk: TradingDesk
    handlers: Mapping[Module, Handlers]
    keys: Keys
    paper: PaperDesk | None = None

    def see(self, recv_ns: int, step: Step, ladders: Sequence[Ladder]) -> None:
        """Take in a line of the feed; `ladders` are as it left them."""
        self.floor.see(recv_ns, step, ladders)
        if self.paper is not None:
            self.paper.see(recv_ns, step)

    def restored(self, goes_on: bool) -> None:
        """Say that the daemon fed its own tape again; `goes_on`: the next line is the one after it (a replay)."""
        if self.paper is not None and not goes_on:
            self.paper.lost_sight()

    def propose(self, connection: Connection, rows: Sequence[SignalRow]) -> None:
        """Put proposals of fresh published windows into sig's outbox, in the caller's transaction; safe to repeat.

        One that has not the form of a proposal is told on standard error and left out: the log may not wait for it.
        """
        oldest_ms = self.floor.now_ms() - 1000 * TTL_S
        fresh = [row for row in rows if row.schema_ver == DET_ALPHA and row.time_ms >= oldest_ms]
        for row in fresh:
            try:
                send_many(connection, Module.SIG, [proposed_message(json.loads(row.payload))], self.keys)
            except (RefusedError, KeyError) as problem:
                print(f"desk: window {row.event_id} is not proposed: {problem}", file=sys.stderr)


def trading_of(
    settings: Settings,
    databases: Databases,
    universe: Sequence[Asset],
    url: str,
    now_ms: Callable[[], int],
    pace: float = 0.0,
    session: str = "",
    paper: PaperDesk | None = None,
) -> Trading:
    """Return what the settings' `[trading]` section asks for, at the venue under `url` (REST base), or on `paper`.

    `now_ms` is the clock of the feed: the machine's, or with a `pace` a replay's that runs so many times as fast.
    Decisions and orders are valid as many times as long then, for the way takes its own time. Raises `ConfigError` for
    any address that is not on loopback.
    """
    wanted, outcomes = settings.trading, settings.manifest.outcomes
    if paper is None and urlsplit(url).hostname not in LOOPBACK:
        cause = "paper days, parity and the typed confirmation that real orders need are not judged yet"
        raise ConfigError(f"orders would go to {url}", "an exchange on loopback", cause)
    notional = Decimal(str(outcomes.probe_notional_usd))
    times = max(1.0, pace)
    entry_valid_ms, expires_ms = int(times * wanted.entry_valid_ms), int(times * wanted.expires_ms)
    terms = FloorTerms(
        notional, Decimal(str(wanted.stop_bps)), Decimal(str(wanted.budget_usd)), entry_valid_ms, wanted.leverage
    )

    def opened(account: str) -> Venue:
        if paper is not None:
            return paper.open(account)
        return venue_account(
            account, url, settings.keys_root, settings.home / "live" / "signer", universe, now_ms, expires_ms,
            2 * notional, pace,
        )  # fmt: skip

    venues = {account_name(side): opened(account_name(side)) for side in Side}
    parity = LastParity(databases, settings.branch)
    floor = TradingFloor(
        universe, next(iter(venues.values())).name, terms, now_ms, MAX_LEVERAGES, is_wall=not pace, parity_ok=parity
    )  # fmt: skip
    keys = Keys(settings.keys_root)
    books = TradeBooks(databases, keys, floor.venue, session)
    desk = TradingDesk(books, floor, venues, KillSwitch(settings.home))
    return Trading(floor, desk, hot_handlers(Decider(entry_valid_ms), Acceptor(floor, session)), keys, paper)
