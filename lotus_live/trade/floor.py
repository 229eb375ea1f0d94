"""What the daemon knows of market and accounts at this moment, for judging plans and for driving them.

Long and short probes live in accounts of their own, because a venue nets a coin within an account and a netted probe
would measure nothing. Written by the daemon's loop, read by the Herald's thread: every value is replaced whole.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from lotus.manifest import Asset
from lotus.microtape.events import NULL, Ctx, EventKind
from lotus.modules.intents import Module
from lotus.timebase import NS_PER_MS
from lotus.trading.orders import Account, Side
from lotus.trading.plan import Authority, ProbeTerms
from lotus.trading.validate import Situation
from lotus.trading.watch import MarketView
from lotus_herald.release import release_of
from lotus_live.pipeline import Step
from lotus_venues.ladder import Ladder

EXECUTOR = "tr"
_CTX = int(EventKind.CTX)
_SHOWN = frozenset({int(EventKind.BBO), int(EventKind.BOOK), int(EventKind.FAST), _CTX})
NOTHING_HELD = Account(Decimal(0), Decimal(0), Decimal(0), (), 0)


@dataclass(frozen=True, slots=True)
class FloorTerms:
    """What all probes share: notional and stop, budget of one account in USD, leverage, and how old a view may be."""

    notional_usd: Decimal
    stop_bps: Decimal
    budget_usd: Decimal
    entry_valid_ms: int
    leverage: int = 5
    max_view_age_ms: int = 3_000


@dataclass(slots=True)
class TradingFloor:
    """Views by coin and accounts by name; `now_ms` is the clock of the feed, that of the tape in a replay.

    `is_wall`: it is the machine's, and the venue's may be compared with it. `parity_ok` is asked at every plan.
    """

    universe: Sequence[Asset]
    venue: str
    common: FloorTerms
    now_ms: Callable[[], int]
    max_leverage: Mapping[str, int] = field(default_factory=dict)
    is_wall: bool = False
    parity_ok: Callable[[], bool] = lambda: True
    halted: bool = False
    mismatch: str = ""  # how the modules differ from one another
    holds: Mapping[str, str] = field(default_factory=dict)  # why an account may open nothing
    clock_skew_ms: int = 0
    accounts: dict[str, Account] = field(default_factory=dict)
    _tops: list[tuple[int, int, int]] = field(default_factory=list)
    _marks: list[int] = field(default_factory=list)
    _used: dict[str, Decimal] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Nothing was seen yet."""
        self._tops = [(0, 0, 0)] * len(self.universe)
        self._marks = [0] * len(self.universe)

    def see(self, recv_ns: int, step: Step, ladders: Sequence[Ladder]) -> None:
        """Take in a line of the feed; `ladders` are as it left them."""
        if step.kind not in _SHOWN:
            return
        if step.kind == _CTX:
            mark = int(step.payload[Ctx.MARK_PX])
            self._marks[step.asset] = 0 if mark == NULL else mark
            return
        ladder = ladders[step.asset]
        if ladder.is_two_sided:
            self._tops[step.asset] = recv_ns // NS_PER_MS, ladder.bids[0][0], ladder.asks[0][0]

    def view(self, coin: str) -> MarketView | None:
        """Return the market of a coin as last seen, None before anything was."""
        index = next((i for i, asset in enumerate(self.universe) if asset.name == coin), -1)
        if index < 0 or not self._tops[index][0]:
            return None
        time_ms, bid, ask = self._tops[index]
        decimals = -self.universe[index].px_decimals
        low, high = Decimal(bid).scaleb(decimals), Decimal(ask).scaleb(decimals)
        mark = Decimal(self._marks[index]).scaleb(decimals) if self._marks[index] else (low + high) / 2
        return MarketView(coin, time_ms, low, high, mark)

    def oldest_view_s(self) -> float:
        """Return the age of the market that was not seen for longest, in seconds; negative before any was seen."""
        views = [self.view(asset.name) for asset in self.universe]
        return max(((self.now_ms() - view.time_ms) / 1000.0 for view in views if view is not None), default=-1.0)

    def situation(self, coin: str, account: str) -> Situation:
        """Return where and when a plan of a coin would be executed in an account."""
        known = self.accounts.get(account, NOTHING_HELD)
        held = next((p.size for p in known.positions if p.coin == coin), Decimal(0))
        return Situation(
            now_ms=self.now_ms(),
            venue=self.venue,
            account=account,
            executor=EXECUTOR,
            release=release_of(Module.DM),
            universe={asset.name: asset for asset in self.universe},
            view=self.view(coin),
            equity_usd=known.equity_usd,
            free_margin_usd=known.withdrawable_usd,
            leverage=self.common.leverage,
            coin_max_leverage=self.max_leverage.get(coin, self.common.leverage),
            position=held,
            used_budget_usd=self._used.get(account, Decimal(0)),
            max_view_age_ms=self.common.max_view_age_ms,
            clock_skew_ms=self.clock_skew_ms,
            parity_ok=self.parity_ok(),
            halted=self.halted or account in self.holds,
            mismatch=self.mismatch,
        )

    def terms(self, side: Side) -> ProbeTerms:
        """Return the terms of a probe of a side."""
        common = self.common
        authority = Authority(account_name(side), common.budget_usd, (EXECUTOR,))
        return ProbeTerms(
            common.notional_usd,
            common.stop_bps,
            authority,
            (self.venue,),
            common.leverage,
            common.entry_valid_ms,
        )

    def use(self, used: Mapping[str, Decimal]) -> None:
        """Take in the value of all plans under way by account."""
        self._used = dict(used)


def account_name(side: Side) -> str:
    """Return the name of the account in which probes of a side are held."""
    return "probes-long" if side is Side.BUY else "probes-short"
