"""What the daemon knows of market and accounts at this moment, for judging plans and for driving them.

Long and short probes live in accounts of their own, because a venue nets a coin within an account and a netted probe
would measure nothing; the book has a third one, where netting is what is wanted. With several venues each account
stands for one at every other venue (`account_at`). Written by the daemon's loop, read by the threads of Herald and
rebalancer: every value is replaced whole.
"""

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from lotus.decision.book import CoinMarket
from lotus.manifest import Asset
from lotus.microtape.events import NULL, Ctx, EventKind
from lotus.microtape.frames.spec import C_VOL_REL, I_ASSET, I_END
from lotus.modules.intents import Module
from lotus.timebase import NS_PER_MS
from lotus.trading.accounts.book import BookTerms
from lotus.trading.execution.conditions import MarketView
from lotus.trading.execution.orders import AccountSnapshot, Side
from lotus.trading.plan.plan import Authority, ProbeTerms
from lotus.trading.plan.styles import CROSSING, Styles
from lotus.trading.plan.validate import AccountState
from lotus_desk.market.line_seen import LineSeen
from lotus_desk.market.volatility import MinuteVolatility
from lotus_herald.release import release_of
from lotus_modules.dm.allocate import PortfolioSnapshot
from lotus_venues.ladder import Ladder, Level

EXECUTOR = "tr"
BOOK_ACCOUNT: Final = "book"
_CTX = int(EventKind.CTX)
_SHOWN = frozenset({int(EventKind.BBO), int(EventKind.BOOK), int(EventKind.FAST), _CTX})
VOLUME_AGE_MS: Final = 1_000  # a frame that ended longer before the prices says nothing of their volume
NOTHING_HELD = AccountSnapshot(Decimal(0), Decimal(0), Decimal(0), (), 0)


@dataclass(frozen=True, slots=True)
class DeskTerms:
    """What all probes share: notional and stop, budget of an account in USD, leverage, age of a view, styles."""

    notional_usd: Decimal
    stop_bps: Decimal
    budget_usd: Decimal
    entry_valid_ms: int
    leverage: int = 5
    max_view_age_ms: int = 3_000
    styles: Styles = CROSSING


@dataclass(slots=True)
class MarketSnapshot:
    """Views by coin and accounts by name; `now_ms` is the clock of the feed, that of the tape in a replay.

    `venue` is the first venue, `others` are the names of further ones; `away` are accounts whose venue does not answer,
    with the time (own clock, ms) since when, where there are several venues. `held` are signed sizes of the book's
    accounts by coin, by own fills. `is_wall`: the clock is the machine's, and the venue's may be compared with it.
    `parity_ok` is asked at every plan. In step with a replay a book that changed is taken in when somebody looks, from
    `book_of` an asset. In the literature: lazy evaluation.
    """

    universe: Sequence[Asset]
    venue: str
    common: DeskTerms
    now_ms: Callable[[], int]
    max_leverage: Mapping[str, int] = field(default_factory=dict)
    is_wall: bool = False
    parity_ok: Callable[[], bool] = lambda: True
    halted: bool = False
    mismatch: str = ""  # how the modules differ from one another
    holds: Mapping[str, str] = field(default_factory=dict)  # why an account may open nothing
    clock_hold: Callable[[], str] = str  # why the clock lets nothing be opened
    session: str = ""
    others: Sequence[str] = ()
    away: Mapping[str, int] = field(default_factory=dict)
    book_of: Callable[[int], Ladder] = lambda _: Ladder()
    clock_skew_ms: int = 0
    accounts: dict[str, AccountSnapshot] = field(default_factory=dict)
    held: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    will_hold: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    _tops: list[tuple[int, int, int]] = field(default_factory=list)
    _marks: list[int] = field(default_factory=list)
    _books: list[tuple[tuple[Level, ...], tuple[Level, ...]]] = field(default_factory=list)
    _moves: list[MinuteVolatility] = field(default_factory=list)
    _volumes: list[tuple[int, float]] = field(default_factory=list)  # end and `vol_rel` of the newest frame
    _contexts: list[bytes] = field(default_factory=list)
    _late_ns: list[int] = field(default_factory=list)  # stamps of books not taken in yet, 0 for none
    _used: dict[str, Decimal] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Nothing was seen yet."""
        self._tops = [(0, 0, 0)] * len(self.universe)
        self._marks = [0] * len(self.universe)
        self._books = [((), ())] * len(self.universe)
        self._moves = [MinuteVolatility() for _ in self.universe]
        self._volumes = [(0, math.nan)] * len(self.universe)
        self._contexts = [b""] * len(self.universe)
        self._late_ns = [0] * len(self.universe)

    def frame(self, ints: NDArray[np.int64], floats: NDArray[np.float64]) -> None:
        """Take in a frame of the day as it closed: its traded volume over the usual (`vol_rel`)."""
        self._volumes[int(ints[I_ASSET])] = int(ints[I_END]), float(floats[C_VOL_REL])

    def see(self, recv_ns: int, step: LineSeen, ladders: Sequence[Ladder], raw: bytes) -> None:
        """Take in a line of the feed, `raw` as it came; `ladders` are as it left them."""
        if step.kind not in _SHOWN:
            return
        if step.kind == _CTX:
            mark = int(step.payload[Ctx.MARK_PX])
            self._marks[step.asset] = 0 if mark == NULL else mark
            self._contexts[step.asset] = raw
            return
        self._late_ns[step.asset] = 0
        self._see_book(recv_ns, step.asset, ladders[step.asset])

    def may_wait(self, recv_ns: int, step: LineSeen) -> bool:
        """Leave a line of the feed for later, if it counts for nothing but what the next look shows."""
        if step.kind not in _SHOWN:
            return True
        if step.kind == _CTX or self._moves[step.asset].counts(recv_ns // NS_PER_MS):
            return False
        self._late_ns[step.asset] = recv_ns
        return True

    def _see_book(self, recv_ns: int, asset: int, ladder: Ladder) -> None:
        if ladder.is_two_sided:
            now_ms, bid, ask = recv_ns // NS_PER_MS, ladder.bids[0][0], ladder.asks[0][0]
            self._tops[asset] = now_ms, bid, ask
            self._books[asset] = tuple(ladder.bids), tuple(ladder.asks)
            self._moves[asset].see(now_ms, (bid + ask) / 2.0)

    def _look(self, asset: int) -> None:
        """Take in the book that waits."""
        if late_ns := self._late_ns[asset]:
            self._late_ns[asset] = 0
            self._see_book(late_ns, asset, self.book_of(asset))

    def view(self, coin: str) -> MarketView | None:
        """Return the market of a coin as last seen, None before anything was."""
        index = next((i for i, asset in enumerate(self.universe) if asset.name == coin), -1)
        if index < 0:
            return None
        self._look(index)
        if not self._tops[index][0]:
            return None
        time_ms, bid, ask = self._tops[index]
        decimals = -self.universe[index].px_decimals
        low, high = Decimal(bid).scaleb(decimals), Decimal(ask).scaleb(decimals)
        mark = Decimal(self._marks[index]).scaleb(decimals) if self._marks[index] else (low + high) / 2
        moved = self._moves[index].bps
        volatility = None if moved is None else Decimal(f"{moved:.4f}")
        end_ms, ratio = self._volumes[index]
        is_known = not math.isnan(ratio) and time_ms - end_ms <= VOLUME_AGE_MS
        volume = Decimal(f"{ratio:.4f}") if is_known else None
        return MarketView(
            coin=coin, time_ms=time_ms, bid=low, ask=high, mark=mark, volume_ratio=volume, volatility_bps=volatility
        )

    def levels(self, coin: str) -> Mapping[Side, Sequence[tuple[Decimal, Decimal]]]:
        """Return price and size of the seen levels that an order of each side would meet, best first."""
        index = next((i for i, asset in enumerate(self.universe) if asset.name == coin), -1)
        if index < 0:
            return {}
        self._look(index)
        asset, (bids, asks) = self.universe[index], self._books[index]

        def plain(side: Sequence[Level]) -> list[tuple[Decimal, Decimal]]:
            px, size = -asset.px_decimals, -asset.sz_decimals
            return [(Decimal(level).scaleb(px), Decimal(lots).scaleb(size)) for level, lots in side]

        return {Side.BUY: plain(asks), Side.SELL: plain(bids)}

    @property
    def venues(self) -> tuple[str, ...]:
        """The names of all venues, the first one first."""
        return (self.venue, *self.others)

    def every(self, account: str) -> tuple[str, ...]:
        """Return the accounts that stand for one of the first venue: itself, and one at each other venue."""
        return (account, *(account_at(account, venue) for venue in self.others))

    def answering(self, account: str) -> tuple[str, ...]:
        """Return those of `every` whose venues answer; all of them, where none does."""
        accounts = self.every(account)
        return tuple(name for name in accounts if name not in self.away) or accounts

    def portfolio(self, account: str) -> PortfolioSnapshot | None:
        """Return what is seen of an account, at all venues together, and of all markets.

        None before it was asked for; of a venue that is away the last that was seen counts.
        """
        names = self.every(account)
        seen = [self.accounts[name] for name in names if name in self.accounts]
        equity_usd = sum((money.equity_usd for money in seen), Decimal(0))
        if not seen or equity_usd <= 0:
            return None
        views = {asset.name: view for asset in self.universe if (view := self.view(asset.name)) is not None}
        markets = {coin: self._market(coin, view) for coin, view in views.items()}
        halted = "the kill switch is thrown" if self.halted else "" if self.parity_ok() else "live and batch differ"
        halted = halted or self.clock_hold()
        return PortfolioSnapshot(
            now_ms=self.now_ms(),
            equity_usd=float(equity_usd),
            sizes=_together(self.held, names),
            marks={coin: float(view.mark) for coin, view in views.items()},
            markets={coin: market for coin, market in markets.items() if market is not None},
            halted=halted,
            will_hold=_together(self.will_hold, names),
        )

    def _market(self, coin: str, view: MarketView) -> CoinMarket | None:
        """Return what a coin's market is like, None before the venue sent its volume and open interest."""
        index = next(i for i, asset in enumerate(self.universe) if asset.name == coin)
        try:
            context = msgspec.json.decode(self._contexts[index], type=_Told).data.ctx
            volume_usd, interest = float(context.volume), float(context.interest)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return None
        return CoinMarket(
            spread_bps=float((view.ask - view.bid) / view.mid * 10_000),
            adv_usd=volume_usd,
            open_interest_usd=interest * float(view.mark),
            max_leverage=float(self.max_leverage.get(coin, self.common.leverage)),
        )

    def oldest_view_s(self) -> float:
        """Return the age of the market that was not seen for longest, in seconds; negative before any was seen."""
        seen = (max(top[0], late // NS_PER_MS) for top, late in zip(self._tops, self._late_ns, strict=True))
        return max(((self.now_ms() - seen_ms) / 1000.0 for seen_ms in seen if seen_ms), default=-1.0)

    def account_state(self, coin: str, account: str) -> AccountState:
        """Return where and when a plan of a coin would be executed in an account."""
        money = self.accounts.get(account, NOTHING_HELD)
        held = next((p.size for p in money.positions if p.coin == coin), Decimal(0))
        return AccountState(
            now_ms=self.now_ms(),
            venue=venue_of(account) or self.venue,
            account=account,
            executor=EXECUTOR,
            release=release_of(Module.DM),
            universe={asset.name: asset for asset in self.universe},
            view=self.view(coin),
            equity_usd=money.equity_usd,
            free_margin_usd=money.withdrawable_usd,
            leverage=self.common.leverage,
            coin_max_leverage=self.max_leverage.get(coin, self.common.leverage),
            position=held,
            used_budget_usd=self._used.get(account, Decimal(0)),
            max_view_age_ms=self.common.max_view_age_ms,
            clock_skew_ms=self.clock_skew_ms,
            parity_ok=self.parity_ok(),
            halted=self.halted or account in self.holds or bool(self.clock_hold()),
            mismatch=self.mismatch,
            session=self.session,
            levels=self.levels(coin),
        )

    def terms(self, side: Side) -> ProbeTerms:
        """Return the terms of a probe of a side."""
        common = self.common
        authority = Authority(account_name(side), common.budget_usd, (EXECUTOR,))
        return ProbeTerms(
            notional_usd=common.notional_usd,
            stop_bps=common.stop_bps,
            authority=authority,
            venues=self.venues,
            max_leverage=common.leverage,
            entry_valid_ms=common.entry_valid_ms,
            styles=common.styles,
        )

    def book_terms(self, authority: Authority, hold_ms: int) -> BookTerms:
        """Return the terms of plans of the book under an authority, never beyond the settings' own budget."""
        common, usd = self.common, min(authority.budget_usd, self.common.budget_usd)
        return BookTerms(
            stop_bps=common.stop_bps,
            authority=Authority(authority.account, usd, authority.executors),
            venues=self.venues,
            max_leverage=common.leverage,
            entry_valid_ms=common.entry_valid_ms,
            hold_ms=hold_ms,
            styles=common.styles,
        )

    def use(self, used: Mapping[str, Decimal]) -> None:
        """Take in the value of all plans under way by account."""
        self._used = dict(used)


class _Context(msgspec.Struct):
    """What is read of a context besides its mark, numbers as text: USD traded in 24 h, open interest in base units."""

    volume: str = msgspec.field(name="dayNtlVlm")
    interest: str = msgspec.field(name="openInterest")


class _Data(msgspec.Struct):
    """The data of a context frame."""

    ctx: _Context


class _Told(msgspec.Struct):
    """A context frame of one coin."""

    data: _Data


def _together(sizes: Mapping[str, Mapping[str, Decimal]], accounts: Sequence[str]) -> dict[str, float]:
    """Return the signed sums of some accounts' sizes by coin."""
    sums: dict[str, Decimal] = {}
    for name in accounts:
        for coin, size in sizes.get(name, {}).items():
            sums[coin] = sums.get(coin, Decimal(0)) + size
    return {coin: float(size) for coin, size in sums.items()}


def account_at(account: str, venue: str) -> str:
    """Return the name of the account that stands for one of the first venue at another venue."""
    return f"{account}@{venue}"


def venue_of(account: str) -> str:
    """Return the venue that an account's name tells, empty for one of the first venue.

    >>> venue_of("book@local-2"), venue_of("book")
    ('local-2', '')
    """
    return account.partition("@")[2]


def account_name(side: Side) -> str:
    """Return the name of the account in which probes of a side are held."""
    return "probes-long" if side is Side.BUY else "probes-short"
