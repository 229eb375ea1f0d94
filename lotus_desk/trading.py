"""Trading in one daemon: market snapshot, desk, rebalancer and hot handlers, and proposals for what it publishes.

Windows are proposed in the transaction that logs them. What is decided about them is `lotus_modules.dm.decide`'s, about
the book `lotus_modules.dm.allocate`'s, what may be executed `lotus_modules.tr.execute`'s, how `desk`'s.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from lotus.decision.allocation.solver import FastSolver
from lotus.decision.alphas import InputFilter
from lotus.decision.decide import AccountMandate
from lotus.decision.policy.policy import shipped_policy
from lotus.detectors.registry import resting_entries
from lotus.errors import ConfigError, LotusError
from lotus.manifest import Asset
from lotus.modules.envelope import Message, RefusedError
from lotus.modules.intents import Module
from lotus.modules.messages.signals import TTL_S, meta_message, proposed_message
from lotus.modules.signals import DET_ALPHA, META_SCHEMAS
from lotus.names import path_step
from lotus.trading.plan.styles import CROSSING
from lotus.trading.venue import Venue
from lotus_desk.accounts.accounts import VenueAccess, desk_accounts, venue_account
from lotus_desk.accounts.paper import PaperAccounts
from lotus_desk.execution.books import TradeBooks
from lotus_desk.execution.desk import TradingDesk
from lotus_desk.market.line_seen import LineSeen
from lotus_desk.market.snapshot import BOOK_ACCOUNT, DeskTerms, MarketSnapshot, account_at
from lotus_desk.market.trigger_books import TriggerBooks
from lotus_desk.market.triggers import TriggerDesk
from lotus_desk.rebalancer import Rebalancer
from lotus_desk.safety.gate_facts import gate_faults, standing_fault
from lotus_desk.safety.interlock import UNKNOWN, Interlock
from lotus_desk.safety.kill_switch import KillSwitch
from lotus_desk.safety.last_parity import LastParity
from lotus_desk.watch.running import start_watchdog
from lotus_desk.watch.status import watchdog_status
from lotus_herald.consume import Handlers
from lotus_herald.keys import Keys
from lotus_herald.outbox import send_many
from lotus_modules.dm.allocate import Allocator
from lotus_modules.dm.decide import Decider
from lotus_modules.handlers import hot_handlers
from lotus_modules.knobs import KnobChooser, PolicyChooser, StyleChooser
from lotus_modules.tr.execute import Acceptor
from lotus_modules.tr.predicting import Predictor
from lotus_modules.tr.venues import VenueChooser
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
        """Give the accounts' journals free once the desk has ended: nothing is signed any more, no frame looked at."""
        self.triggers.close()
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
        propose_fresh(connection, rows, self.market.now_ms(), self.keys)


def propose_fresh(connection: Connection, rows: Sequence[SignalRow], now_ms: int, keys: Keys) -> None:
    """Do what `Trading.propose` says, for whoever has no desk of its own."""
    oldest_ms = now_ms - 1000 * TTL_S
    fresh = [row for row in rows if row.time_ms >= oldest_ms]
    for schema_ver in (DET_ALPHA, *META_SCHEMAS):
        for row in (row for row in fresh if row.schema_ver == schema_ver):
            try:
                send_many(connection, Module.SIG, [_message(row)], keys)
            except (RefusedError, KeyError) as problem:
                ids = {"event_id": row.event_id}
                logger.error("window %s is not proposed: %s", row.event_id, problem, extra=ids)
    put_signal_strands(connection, fresh)


def _message(row: SignalRow) -> Message:
    signal = json.loads(row.payload)
    return proposed_message(signal) if row.schema_ver == DET_ALPHA else meta_message(signal)


@dataclass(frozen=True, slots=True)
class TradingClock:
    """The clock of the feed: the machine's, or with a `pace` a replay's that runs so many times as fast.

    While `hold` returns a text, nothing is opened. `in_step`: it stands until the venue's answers are taken in.
    """

    now_ms: Callable[[], int]
    pace: float = 0.0
    hold: Callable[[], str] = str
    in_step: bool = False


def trading_of(
    settings: Settings,
    databases: Databases,
    universe: Sequence[Asset],
    url: str,
    clock: TradingClock,
    session: str = "",
    paper: PaperAccounts | None = None,
    others: Mapping[str, str] = MappingProxyType({}),
) -> Trading:
    """Return what the settings' `[trading]` section asks for, at the venue under `url` (REST base), or on `paper`.

    `others` are further exchanges on loopback, REST bases by name, with an account for each of the first venue's. A
    replay's `session` has plans and nonces of its own; with a pace its decisions and orders are valid as many times
    as long, for the way takes its own time. Raises `ConfigError` for any address that is not on loopback, unless the
    venue is `hyperliquid` and nothing speaks against real orders.
    """
    wanted, manifest = settings.trading, settings.manifest
    holds: Callable[[], Mapping[str, str]] = dict if paper is not None else _require_gate(settings, databases, url)
    switch, terms = _switch_of(settings), _terms_of(settings, clock.pace)
    venues: dict[str, Venue] = {}
    if paper is None:
        access = _access_of(settings, universe, url, clock, session, switch)
        venues |= {name: venue_account(name, access, cap_usd) for name, cap_usd in desk_accounts(settings).items()}
        for venue, address in others.items():
            beside = replace(access, url=address, journals=access.journals / venue, name=venue)
            for name, cap_usd in desk_accounts(settings).items():
                venues[account_at(name, venue)] = venue_account(name, beside, cap_usd)
    else:
        venues |= {account: paper.open(account) for account in desk_accounts(settings)}
    market = MarketSnapshot(
        universe, next(iter(venues.values())).name, terms, clock.now_ms, MAX_LEVERAGES, is_wall=not clock.pace,
        parity_ok=LastParity(databases, settings.branch), session=session, clock_hold=clock.hold, mismatch=UNKNOWN,
        others=tuple(others),
    )  # fmt: skip
    keys = Keys(settings.keys_root)
    books = TradeBooks(databases, keys, market.venue, session, market.others)
    write = TriggerBooks(databases, keys).write
    triggers = TriggerDesk(universe, manifest.kernel.cadence_ms, write, folder=settings.home / "live")
    desk = TradingDesk(books, market, venues, switch, triggers, clock.in_step)
    interlock = Interlock(market, databases, holds)
    interlock.look()
    policy = shipped_policy()
    input_filter = InputFilter(settings.branch, frozenset(asset.name for asset in universe), policy.horizons)
    decider = Decider(terms.entry_valid_ms, input_filter, policy, clock.now_ms)
    caps, executors = policy.caps, tuple(f"{venue}:{STRATEGY}" for venue in market.venues)
    allocator = Allocator(
        branch=settings.branch,
        portfolio_id=PORTFOLIO,
        authority=AccountMandate(BOOK_ACCOUNT, executors, caps.gross, caps.turnover_day),
        solve=FastSolver().solve,
        chooser=PolicyChooser(policy, manifest.weave, wanted.explore_policy, manifest.score.seed),
        keys=keys,
    )
    portfolio = partial(market.portfolio, BOOK_ACCOUNT)
    rebalancer = Rebalancer(databases, allocator, portfolio, manifest.kernel.window_ms, clock.pace)
    predictor = Predictor(databases, is_prepared=not (clock.pace or clock.in_step))
    for venue in market.venues:
        predictor.known(settings.branch, venue, clock.now_ms())  # lets the first fit begin
    chooser = KnobChooser(manifest.weave, wanted.explore_knobs, manifest.score.seed)
    styler = StyleChooser(wanted.entry_shares, manifest.score.seed, resting_entries())
    chosen = VenueChooser(market.answering, market.every, wanted.explore_venue, manifest.score.seed)
    handlers = hot_handlers(decider, Acceptor(market, chooser, predictor.known, styler, chosen))
    return Trading(
        market=market,
        desk=desk,
        rebalancer=rebalancer,
        handlers=handlers,
        keys=keys,
        interlock=interlock,
        triggers=triggers,
        paper=paper,
    )


def _switch_of(settings: Settings) -> KillSwitch:
    """Return the kill switch, thrown where the home traded before and lost the folder of its switch."""
    switch = KillSwitch(settings.home)
    if not switch.folder.is_dir() and any((settings.keys_root / "venue").glob("*.address")):
        switch.throw()
    return switch.prepare()


def _terms_of(settings: Settings, pace: float) -> DeskTerms:
    wanted = settings.trading
    return DeskTerms(
        Decimal(str(settings.manifest.outcomes.probe_notional_usd)),
        Decimal(str(wanted.stop_bps)),
        Decimal(str(wanted.budget_usd)),
        _in_step(wanted.entry_valid_ms, pace),
        wanted.leverage,
        styles=CROSSING.ordered(wanted.entry_style, wanted.entry_fallback, wanted.exit_style),
    )


def _in_step(limit_ms: int, pace: float) -> int:
    """Return a limit of the wall's clock in ms of a clock that runs at a pace."""
    return int(max(1.0, pace) * limit_ms)


def _access_of(
    settings: Settings, universe: Sequence[Asset], url: str, clock: TradingClock, session: str, switch: KillSwitch
) -> VenueAccess:
    signer = settings.home / "live" / "signer"
    return VenueAccess(
        url=url,
        keys=settings.keys_root,
        journals=signer / path_step(session) if session else signer,  # a replay's nonces are of its tape's time
        universe=universe,
        clock_ms=clock.now_ms,
        expires_ms=_in_step(settings.trading.expires_ms, clock.pace),
        pace=clock.pace,
        in_step=clock.in_step,
        is_halted=switch.is_thrown,
    )


def _require_gate(settings: Settings, databases: Databases, url: str) -> Callable[[], Mapping[str, str]]:
    """Return what tells, later on, which accounts may open nothing any more. Raises `ConfigError` with every reason."""
    if urlsplit(url).hostname in LOOPBACK:
        return dict
    if settings.trading.venue != "hyperliquid":
        cause = "real orders need trading.venue = hyperliquid, days on paper and a typed confirmation"
        raise ConfigError(f"orders would go to {url}", "an exchange on loopback", cause)
    gate, accounts = gate_faults(settings, databases, url, [*desk_accounts(settings)])
    if gate:
        listed = "".join(f"\n  {fault}" for fault in gate)
        cause = "`lotus arm --account NAME` checks all of it and asks for the confirmation"
        raise ConfigError(f"{len(gate)} reasons against real orders:{listed}\n", "none", cause)

    def holds() -> Mapping[str, str]:
        faults = {facts.account: standing_fault(settings, facts, url) for facts in accounts}
        if not watchdog_status(settings.home)["alive"]:
            missing = NO_WATCHDOG
            try:
                start_watchdog(settings)
            except (OSError, LotusError) as problem:  # without one nothing opens, and the desk goes on
                missing = f"{NO_WATCHDOG}: {problem}"
            faults = {account: "; ".join(filter(None, (why, missing))) for account, why in faults.items()}
        return {account: why for account, why in faults.items() if why}

    return holds
