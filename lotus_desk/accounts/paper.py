"""The paper accounts of a daemon: one an account of the desk, shown the daemon's own feed, kept in Postgres.

An account that was stored goes on at the line after the last one it saw: lines of the tape that it did not keep are
shown to it again, those it knows are passed over. Silence of the feed beyond the gap limit, and a restart on a living
market, are outages: it says so (`PaperState.outages`), forgets the books, and its resting orders queue anew. What is
matched stands in `lotus_venues.paper_account`. In the literature: state machine replication from a log.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lotus.manifest import Asset
from lotus.timebase import NS_PER_MS
from lotus_desk.market.line_seen import LineSeen
from lotus_store.config import Settings
from lotus_store.ledger.trading.paper_books import KEPT_MS
from lotus_venues.local_exchange.options import MAX_LEVERAGES, OTHER_LEVERAGE
from lotus_venues.paper_account.account import PaperAccount
from lotus_venues.paper_account.feed import show
from lotus_venues.paper_account.money import PaperTerms
from lotus_venues.paper_account.state import PaperStore
from lotus_venues.paper_account.venue import PaperAccountVenue

PAPER = "paper"
FORGET_MS = 600_000


@dataclass(slots=True)
class PaperAccounts:
    """Paper accounts of one run (`session`), all called from the daemon's loop.

    `now_ns` is the clock of the feed, `store_of` where an account of a name is kept.
    """

    settings: Settings
    universe: Sequence[Asset]
    session: str
    now_ns: Callable[[], int]
    store_of: Callable[[str], PaperStore]
    venues: dict[str, PaperAccountVenue] = field(default_factory=dict)
    _blind: set[str] = field(default_factory=set)
    _at_ns: int = 0
    _nth: int = 0
    _forgot_ms: int = 0

    def open(self, account: str) -> PaperAccountVenue:
        """Return the venue of an account of the desk, as it was stored. Raises `LedgerError`."""
        name = f"{self.session}/{account}"
        market = PaperAccount(self.universe, self._terms(), name)
        venue = PaperAccountVenue(market, self.now_ns, self.store_of(name))
        venue.load(outage=False)
        self.venues[account] = venue
        return venue

    def see(self, recv_ns: int, step: LineSeen) -> None:
        """Show a line of the feed to every account that has not seen it."""
        kind = step.kind
        if not kind:
            return
        self._nth = self._nth + 1 if recv_ns == self._at_ns else 1
        self._at_ns = recv_ns
        values = step.payload.tolist()
        for name, venue in self.venues.items():
            state = venue.market.state
            if (recv_ns, self._nth) <= (state.line_ns, state.line_nth):
                continue
            if state.line_ns and (name in self._blind or self._is_silent(recv_ns - state.line_ns)):
                venue.market.see_again(recv_ns)
            self._blind.discard(name)
            show(venue.market, kind, step.asset, recv_ns, recv_ns // NS_PER_MS, values)
            state = venue.market.state
            state.line_ns, state.line_nth = recv_ns, self._nth
            venue.ahead.note()
        self._forget(recv_ns // NS_PER_MS)

    def lost_sight(self) -> None:
        """Say that the next line is not the one after the last: the market went on while nobody looked."""
        self._blind = set(self.venues)

    def as_json(self) -> dict[str, Any]:
        """Return every account: equity three ways in USD, what it paid, orders and coins, and what it did not see."""
        return {name: _told(venue.market) for name, venue in self.venues.items()}

    def _terms(self) -> PaperTerms:
        wanted = self.settings.trading
        most: Mapping[str, int] = {a.name: MAX_LEVERAGES.get(a.name, OTHER_LEVERAGE) for a in self.universe}
        return PaperTerms(
            Decimal(str(wanted.paper_deposit_usd)), wanted.fee_tier, self.settings.manifest.outcomes.latency_ms,
            wanted.leverage, most,
        )  # fmt: skip

    def _is_silent(self, passed_ns: int) -> bool:
        return passed_ns > self.settings.manifest.kernel.gap_ms * NS_PER_MS

    def _forget(self, now_ms: int) -> None:
        """Drop from memory, every ten minutes, what ended long ago."""
        if now_ms - self._forgot_ms >= FORGET_MS:
            self._forgot_ms = now_ms
            for venue in self.venues.values():
                venue.market.forget(now_ms - KEPT_MS)


def _told(market: PaperAccount) -> dict[str, Any]:
    state, marks = market.state, market.marks()
    return {
        "equity_usd": marks.mark_micro / 1e6,
        "equity_optimistic_usd": marks.mid_micro / 1e6,
        "equity_pessimistic_usd": marks.far_micro / 1e6,
        "fees_usd": state.fees_micro / 1e6,
        "funding_usd": state.funding_micro / 1e6,
        "open_orders": sum(len(names) for names in state.open_ids),
        "coins_held": sum(position.lots != 0 for position in state.positions),
        "fills": state.next_fill - 1,
        "outages": [[o.from_ms, o.until_ms, o.resting, o.held] for o in state.outages],
    }
