"""Trading in one daemon: market snapshot, desk, rebalancer and hot handlers, and proposals for what it publishes.

Windows are proposed in the transaction that logs them. What is decided about them is `lotus_modules.dm.decide`'s, about
the book `lotus_modules.dm.allocate`'s, what may be executed `lotus_modules.tr.execute`'s, how `desk`'s.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from lotus.decision.allocation.solver import FastSolver
from lotus.decision.alphas import InputFilter
from lotus.decision.decide import AccountMandate
from lotus.decision.policy.policy import shipped_policy
from lotus.errors import ConfigError, LotusError
from lotus.manifest import Asset
from lotus.modules.envelope import Message, RefusedError
from lotus.modules.intents import Module
from lotus.modules.messages.signals import TTL_S, meta_message, proposed_message
from lotus.modules.signals import DET_ALPHA, META
from lotus.names import path_step
from lotus.trading.venue import Venue
from lotus_desk.accounts.accounts import desk_accounts, venue_account
from lotus_desk.accounts.paper import PaperAccounts
from lotus_desk.execution.books import TradeBooks
from lotus_desk.execution.desk import TradingDesk
from lotus_desk.market.line_seen import LineSeen
from lotus_desk.market.snapshot import BOOK_ACCOUNT, DeskTerms, MarketSnapshot
from lotus_desk.market.trigger_books import TriggerBooks
from lotus_desk.market.triggers import TriggerDesk
from lotus_desk.rebalancer import Rebalancer
from lotus_desk.safety.gate_facts import gate_faults, standing_fault
from lotus_desk.safety.interlock import UNKNOWN, Interlock
from lotus_desk.safety.kill_switch import KillSwitch
from lotus_desk.safety.last_parity import LastParity
from lotus_desk.watch.running import start_watchdog, watchdog_status
from lotus_herald.consume import Handlers
from lotus_herald.keys import Keys
from lotus_herald.outbox import send_many
from lotus_modules.dm.allocate import Allocator
from lotus_modules.dm.decide import Decider
from lotus_modules.handlers import hot_handlers
from lotus_modules.knobs import KnobChooser, PolicyChooser
from lotus_modules.tr.execute import Acceptor
from lotus_modules.tr.predicting import Predictor
from lotus_store.config import Settings
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.signals.signals import SignalRow
from lotus_store.ledger.signals.strands import put_signal_strands
from lotus_venues.hyperliquid.info import LOOPBACK
from lotus_venues.hyperliquid.venue import HyperliquidVenue
from lotus_venues.ladder import Ladder
from lotus_venues.local_exchange.options import MAX_LEVERAGES

logger = logging.getLogger(__name__)

PORTFOLIO = "book"
STRATEGY = "market"  # the only one that a plan of the book asks for yet
NO_WATCHDOG = "no watchdog watches this home; expected one beside real orders"


@dataclass(slots=True)
class Trading:
    """What a daemon that trades has beside its paper desk."""

    market: MarketSnapshot
    desk: TradingDesk
    rebalancer: Rebalancer
    handlers: Mapping[Module, Handlers]
    keys: Keys
    interlock: Interlock
    triggers: TriggerDesk
    paper: PaperAccounts | None = None

    async def run(self) -> None:
        """Run the desk, and beside it the look at what holds trading; ends as the desk ends."""
        looking = asyncio.create_task(self.interlock.run())
        try:
            await self.desk.run()
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    def close(self) -> None:
        """Give the accounts' journals free once the desk has ended: nothing is signed any more."""
        for venue in self.desk.venues.values():
            if isinstance(venue, HyperliquidVenue):
                venue.exchange.signer.journal.close()

    def see(self, recv_ns: int, step: LineSeen, ladders: Sequence[Ladder], raw: bytes) -> None:
        """Take in a line of the feed, `raw` as it came; `ladders` are as it left them."""
        self.market.see(recv_ns, step, ladders, raw)
        if self.paper is not None:
            self.paper.see(recv_ns, step)

    def frame(self, ints: NDArray[np.int64], floats: NDArray[np.float64]) -> None:
        """Take in a frame of the day as it closed: the market snapshot first, then the triggers that watch it."""
        self.market.frame(ints, floats)
        self.triggers.frame(ints, floats)

    def restored(self, goes_on: bool) -> None:
        """Say that the daemon fed its own tape again; `goes_on`: the next line is the one after it (a replay)."""
        if self.paper is not None and not goes_on:
            self.paper.lost_sight()

    def propose(self, connection: Connection, rows: Sequence[SignalRow]) -> None:
        """Put proposals of fresh published windows into sig's outbox, then their cues, and their strands beside them.

        All in the caller's transaction, safe to repeat. One that has not the form of its message is logged and
        left out: the ledger's log may not wait for it.
        """
        oldest_ms = self.market.now_ms() - 1000 * TTL_S
        fresh = [row for row in rows if row.time_ms >= oldest_ms]
        for schema_ver in (DET_ALPHA, META):
            for row in (row for row in fresh if row.schema_ver == schema_ver):
                try:
                    send_many(connection, Module.SIG, [_message(row)], self.keys)
                except (RefusedError, KeyError) as problem:
                    ids = {"event_id": row.event_id}
                    logger.error("window %s is not proposed: %s", row.event_id, problem, extra=ids)
        put_signal_strands(connection, fresh)


def _message(row: SignalRow) -> Message:
    signal = json.loads(row.payload)
    return proposed_message(signal) if row.schema_ver == DET_ALPHA else meta_message(signal)


def trading_of(
    settings: Settings,
    databases: Databases,
    universe: Sequence[Asset],
    url: str,
    now_ms: Callable[[], int],
    pace: float = 0.0,
    session: str = "",
    paper: PaperAccounts | None = None,
    clock_hold: Callable[[], str] = str,
) -> Trading:
    """Return what the settings' `[trading]` section asks for, at the venue under `url` (REST base), or on `paper`.

    `now_ms` is the clock of the feed: the machine's, or with a `pace` a replay's that runs so many times as fast. A
    replay's `session` has plans and nonces of its own. While `clock_hold` tells something, nothing is opened.
    Decisions and orders are valid as many times as long then, for the way takes its own time. Raises `ConfigError` for
    any address that is not on loopback, unless the venue is `hyperliquid` and nothing speaks against real orders.
    """
    wanted, outcomes = settings.trading, settings.manifest.outcomes
    holds: Callable[[], Mapping[str, str]] = dict if paper is not None else _require_gate(settings, databases, url)
    notional = Decimal(str(outcomes.probe_notional_usd))
    times = max(1.0, pace)
    entry_valid_ms, expires_ms = int(times * wanted.entry_valid_ms), int(times * wanted.expires_ms)
    terms = DeskTerms(
        notional, Decimal(str(wanted.stop_bps)), Decimal(str(wanted.budget_usd)), entry_valid_ms, wanted.leverage
    )
    switch = KillSwitch(settings.home)
    if not switch.folder.is_dir() and any((settings.keys_root / "venue").glob("*.address")):
        switch.throw()  # it traded before: what the folder said of its switch is lost with it
    switch = switch.prepare()
    signer = settings.home / "live" / "signer"
    journals = signer / path_step(session) if session else signer  # a replay's nonces are of its tape's time

    def opened(account: str, cap_usd: Decimal) -> Venue:
        if paper is not None:
            return paper.open(account)
        return venue_account(
            account, url, settings.keys_root, journals, universe, now_ms, expires_ms, cap_usd, pace, switch.is_thrown,
        )  # fmt: skip

    venues = {account: opened(account, cap_usd) for account, cap_usd in desk_accounts(settings).items()}
    parity = LastParity(databases, settings.branch)
    market = MarketSnapshot(
        universe, next(iter(venues.values())).name, terms, now_ms, MAX_LEVERAGES, is_wall=not pace, parity_ok=parity,
        session=session, clock_hold=clock_hold,
    )  # fmt: skip
    keys = Keys(settings.keys_root)
    books = TradeBooks(databases, keys, market.venue, session)
    chooser = KnobChooser(settings.manifest.weave, wanted.explore_knobs, settings.manifest.score.seed)
    triggers = TriggerDesk(universe, settings.manifest.kernel.cadence_ms, TriggerBooks(databases, keys).write)
    desk = TradingDesk(books, market, venues, switch, triggers)
    market.mismatch = UNKNOWN
    interlock = Interlock(market, databases, holds)
    interlock.look()
    policy = shipped_policy()
    input_filter = InputFilter(settings.branch, frozenset(asset.name for asset in universe), policy.horizons)
    decider = Decider(entry_valid_ms, input_filter, policy, now_ms)
    tries = PolicyChooser(policy, settings.manifest.weave, wanted.explore_policy, settings.manifest.score.seed)
    caps, executor = policy.caps, f"{market.venue}:{STRATEGY}"
    allocator = Allocator(
        settings.branch, PORTFOLIO, AccountMandate(BOOK_ACCOUNT, (executor,), caps.gross, caps.turnover_day),
        FastSolver().solve, tries, keys,
    )  # fmt: skip
    rebalancer = Rebalancer(
        databases, allocator, lambda: market.portfolio(BOOK_ACCOUNT), settings.manifest.kernel.window_ms, pace
    )
    predictor = Predictor(databases)
    predictor.known(settings.branch, market.venue, now_ms())  # lets the first fit begin
    handlers = hot_handlers(decider, Acceptor(market, chooser, predictor.known))
    return Trading(market, desk, rebalancer, handlers, keys, interlock, triggers, paper)


def _require_gate(settings: Settings, databases: Databases, url: str) -> Callable[[], Mapping[str, str]]:
    """Return what tells, later on, which accounts may open nothing any more. Raises `ConfigError` with every reason."""
    if urlsplit(url).hostname in LOOPBACK:
        return dict
    if settings.trading.venue != "hyperliquid":
        cause = "real orders need trading.venue = hyperliquid, days on paper and a typed confirmation"
        raise ConfigError(f"orders would go to {url}", "an exchange on loopback", cause)
    found, known = gate_faults(settings, databases, url, [*desk_accounts(settings)])
    if found:
        listed = "".join(f"\n  {fault}" for fault in found)
        cause = "`lotus arm --account NAME` checks all of it and asks for the confirmation"
        raise ConfigError(f"{len(found)} reasons against real orders:{listed}\n", "none", cause)

    def holds() -> Mapping[str, str]:
        faults = {facts.account: standing_fault(settings, facts, url) for facts in known}
        if not watchdog_status(settings.home)["alive"]:
            missing = NO_WATCHDOG
            try:
                start_watchdog(settings)
            except (OSError, LotusError) as problem:  # without one nothing opens, and the desk goes on
                missing = f"{NO_WATCHDOG}: {problem}"
            faults = {account: "; ".join(filter(None, (why, missing))) for account, why in faults.items()}
        return {account: why for account, why in faults.items() if why}

    return holds
