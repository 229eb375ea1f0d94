"""Decoded events of the tape to a paper account: one call an event, in arrival order. Translation only."""

from collections.abc import Sequence

from lotus.microtape.events import NULL, TRADE_WIDTH, Ctx, EventKind
from lotus_venues.ladder import book_levels
from lotus_venues.paper_account.account import PaperAccount

_BBO, _BOOK, _FAST, _TRADES, _CTX = map(
    int, (EventKind.BBO, EventKind.BOOK, EventKind.FAST, EventKind.TRADES, EventKind.CTX)
)


def show(account: PaperAccount, kind: int, asset: int, recv_ns: int, time_ms: int, values: Sequence[int]) -> None:
    """Show an event to an account: `kind` and `values` as in `lotus.microtape.events`, its pool slice as plain ints.

    A context that lacks mark, oracle or funding leaves the values of before.
    """
    if kind == _BBO:
        bid_px, bid_sz, _, ask_px, ask_sz, _ = values
        bid, ask = ((bid_px, bid_sz) if bid_px else None), ((ask_px, ask_sz) if ask_px else None)
        account.on_bbo(asset, recv_ns, time_ms, bid, ask)
    elif kind == _TRADES:
        for start in range(0, len(values), TRADE_WIDTH):
            px, lots, side, print_ms, tid = values[start : start + TRADE_WIDTH]
            account.on_trade(asset, recv_ns, print_ms, tid, px, lots, side)
    elif kind == _CTX:
        mark, oracle, funding = values[Ctx.MARK_PX], values[Ctx.ORACLE_PX], values[Ctx.FUNDING]
        if NULL not in (mark, oracle, funding):
            account.on_context(asset, recv_ns, mark, oracle, funding)
    elif kind in (_BOOK, _FAST):
        bids, asks = book_levels(values)
        take = account.on_book if kind == _BOOK else account.on_fast
        take(asset, recv_ns, time_ms, bids, asks)
