"""A market of two coins in front of a paper account, and steps through it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from lotus.manifest import Asset
from lotus.timebase import HOUR_MS, NS_PER_MS
from lotus.trading.execution.orders import (
    OrderGrouping,
    OrderState,
    TimeInForce,
    client_order_id,
)
from lotus_venues.paper_account.account import PaperAccount
from lotus_venues.paper_account.money import PaperTerms
from lotus_venues.paper_account.orders import OrderForm

BTC, ETH = Asset("BTC", 5), Asset("ETH", 4)
UNIVERSE = (BTC, ETH)
T0 = 1_760_000_400_000  # 400 s after a full hour
PX, LOTS = 1_000_000, 1000  # 100,000.0 USD; 0.01 BTC
BUY, SELL = 1, -1


@dataclass
class Market:
    """An account and the hands that move its market, a millisecond a message."""

    account: PaperAccount
    now_ms: int = T0
    tid: int = 0
    names: int = 0

    def book(self, bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> None:
        """Show a book."""
        self.now_ms += 1
        self.account.on_book(0, self.now_ms * NS_PER_MS, self.now_ms, bids, asks)

    def trade(self, side: int, px: int, lots: int, tid: int = 0, time_ms: int = 0) -> None:
        """Show a trade."""
        self.now_ms += 1
        self.tid += 1
        stamp = time_ms or self.now_ms
        self.account.on_trade(0, self.now_ms * NS_PER_MS, stamp, tid or self.tid, px, lots, side)

    def mark(self, px: int, rate_e12: int = 0) -> None:
        """Tell mark and oracle."""
        self.now_ms += 1
        self.account.on_context(0, self.now_ms * NS_PER_MS, px, px, rate_e12)

    def place(self, side: int, px: int, lots: int = LOTS, **more: Any) -> str:
        """Place an order and return its name."""
        self.names += 1
        name = client_order_id(str(self.names), "entry")
        self.account.place(self.now_ms * NS_PER_MS, [OrderForm(name, 0, side, lots, px, **more)])
        return name

    def filled(self, name: str) -> int:
        """Return the lots that an order has filled."""
        return self.account.state.orders[name].done

    def state(self, name: str) -> OrderState:
        """Return where an order stands."""
        return self.account.order_of(name).state


def market(**terms: Any) -> Market:
    """Return a market of 100,000.0 / 100,000.1 with 0.05 BTC a side, and a second level of 0.05."""
    made = Market(PaperAccount(UNIVERSE, PaperTerms(Decimal(10_000), **terms)))
    made.mark(PX)
    made.book([(PX, 5000), (PX - 10, 5000)], [(PX + 1, 5000), (PX + 11, 5000)])
    return made


STEP = st.one_of(
    st.tuples(st.just("book"), st.integers(-30, 30), st.integers(1, 6000)),
    st.tuples(st.just("trade"), st.sampled_from([BUY, SELL]), st.integers(-30, 30), st.integers(1, 4000)),
    st.tuples(st.just("mark"), st.integers(-60, 60), st.integers(-(10**8), 10**8)),
    st.tuples(
        st.just("place"),
        st.sampled_from([BUY, SELL]),
        st.integers(-25, 25),
        st.integers(101, 6000),
        st.sampled_from(TimeInForce),
        st.booleans(),
        st.booleans(),
    ),
    st.tuples(st.just("group"), st.sampled_from([BUY, SELL]), st.integers(-25, 25), st.integers(101, 3000)),
    st.tuples(st.just("cancel"), st.integers(0, 30)),
    st.tuples(st.just("modify"), st.integers(0, 30), st.integers(-25, 25), st.integers(101, 3000)),
    st.tuples(st.just("hour")),
)


def play(made: Market, step: Any) -> None:
    """Do one random step."""
    now_ns = made.now_ms * NS_PER_MS
    match step:
        case ("book", shift, lots):
            made.book([(PX + shift, lots), (PX + shift - 5, 3000)], [(PX + shift + 1, 3000), (PX + shift + 9, lots)])
        case ("trade", side, shift, lots):
            made.trade(side, PX + shift, lots)
        case ("mark", shift, rate):
            made.mark(PX + shift, rate)
        case ("place", side, shift, lots, tif, reduce_only, is_stop):
            made.place(side, PX + shift, lots, tif=tif, reduce_only=reduce_only, trigger=(PX + shift) * is_stop)
        case ("group", side, shift, lots):
            made.names += 1
            entry, stop = (client_order_id(str(made.names), purpose) for purpose in ("entry", "stop"))
            exit_px = PX + shift - side * 20
            forms = [
                OrderForm(entry, 0, side, lots, PX + shift),
                OrderForm(stop, 0, -side, lots, exit_px - side * 900, reduce_only=True, trigger=exit_px),
            ]
            made.account.place(now_ns, forms, OrderGrouping.ENTRY_WITH_EXITS)
        case ("cancel", index):
            made.account.cancel(now_ns, [client_order_id(str(index), "entry")])
        case ("modify", index, shift, lots):
            name = client_order_id(str(index), "entry")
            side = made.account.state.orders[name].side if name in made.account.state.orders else BUY
            made.account.modify(now_ns, OrderForm(name, 0, side, lots, PX + shift))
        case ("hour",):
            made.now_ms += HOUR_MS
            made.mark(PX)
