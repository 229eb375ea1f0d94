"""Trades that somebody filled (a paper venue, an exchange), split into their costs against the recorded quotes.

Prices, fees and funding are what the venue reported; mids at the decisions and spreads at the fills are read from the
tape. Which orders belong to a trade is decided where the fills are read, not here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lotus.errors import SchemaError
from lotus.manifest import Manifest
from lotus.outcomes.path import QuotePath
from lotus.trading.accounts.pnl import FillSource, Floats, Ints, Texts, TradeColumns, TradeEnds, decomposed
from lotus.trading.accounts.pnl_tape import Columns, path_of


@dataclass(frozen=True, slots=True)
class Filled:
    """Round trips, arrays [n]: who decided what and when, and what was filled at which price.

    `decided_mid` is the mid in USD that the decision to enter saw, `leave_ns` the receive stamp of the decision to
    leave; `entry_ns` and `exit_ns` those of the first fills; `side` 1 or -1; `size` base units, 0 if nothing was
    filled; prices are averages in USD; fees and funding USD, negative when received.
    """

    detector: Texts
    asset: Texts
    time_ms: Ints
    decided_mid: Floats
    leave_ns: Ints
    side: Floats
    size: Floats
    entry_px: Floats
    exit_px: Floats
    entry_ns: Ints
    exit_ns: Ints
    fees_usd: Floats
    funding_usd: Floats


def filled_trades(
    source: FillSource, filled: Filled, quotes: Mapping[str, Columns], manifest: Manifest
) -> TradeColumns:
    """Return the trades of round trips; `quotes` as for `tape_trades`.

    Raises `SchemaError` for an asset without quotes, or a fill before the first of them.
    """
    mid, entry_half, exit_half = (np.full(len(filled.side), np.nan) for _ in range(3))
    for asset in manifest.universe:
        own_rows = np.flatnonzero((filled.asset == asset.name) & (filled.size > 0.0))
        if not len(own_rows):
            continue
        if asset.name not in quotes:
            raise SchemaError(f"no quotes of {asset.name}", "the quotes that its fills met", "a pruned lake")
        path, unit = path_of(quotes[asset.name]), 10.0**asset.px_decimals
        places = [_seen(path, stamps[own_rows]) for stamps in (filled.leave_ns, filled.entry_ns, filled.exit_ns)]
        mid[own_rows] = path.mid2[places[0]] / 2.0 / unit
        for half, seen in ((entry_half, places[1]), (exit_half, places[2])):
            half[own_rows] = (path.ask_px[seen] - path.bid_px[seen]) / 2.0 / unit
    legs = TradeEnds(filled.decided_mid, entry_half, filled.entry_px), TradeEnds(mid, exit_half, filled.exit_px)
    names, paid = (filled.detector, filled.asset), (filled.fees_usd, filled.funding_usd)
    return decomposed(source, names, filled.time_ms, filled.side, filled.size, legs, paid)


def _seen(path: QuotePath, stamps: Ints) -> Ints:
    """Return the newest quote at each stamp."""
    places = np.searchsorted(path.recv_ns, stamps, side="right") - 1
    if np.any(places < 0):
        raise SchemaError("a fill before the first quote of its tape", "the quotes that it met", "a pruned lake")
    return places.astype(np.int64)
