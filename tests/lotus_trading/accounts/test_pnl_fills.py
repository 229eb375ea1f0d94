"""Round trips that a venue filled: prices and fees are the venue's, mids and spreads the tape's."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.errors import SchemaError
from lotus.manifest import Manifest
from lotus.trading.accounts.pnl import AMOUNTS, FillSource
from lotus.trading.accounts.pnl_fills import Filled, filled_trades

MANIFEST = Manifest()
# BTC in tenths of a dollar: (receive stamp, bid, ask)
SEEN = (
    (100, 999_990, 1_000_010), (200, 1_000_000, 1_000_040), (300, 1_010_000, 1_010_100), (400, 1_020_000, 1_020_000),
)  # fmt: skip
QUOTES = {
    "BTC": {
        "recv_ns": np.array([row[0] for row in SEEN]), "time_ms": np.zeros(4, np.int64),
        "bid_px": np.array([row[1] for row in SEEN]), "ask_px": np.array([row[2] for row in SEEN]),
        "bid_sz": np.ones(4, np.int64), "ask_sz": np.ones(4, np.int64),
    }
}  # fmt: skip
LONG = Filled(
    np.array(["d"], dtype=object), np.array(["BTC"], dtype=object), np.array([7]), np.array([100_000.0]),
    np.array([310]), np.array([1.0]), np.array([0.01]), np.array([100_005.0]), np.array([101_990.0]), np.array([250]),
    np.array([400]), np.array([0.9]), np.array([-0.1]),
)  # fmt: skip


def test_one_long_round_trip_by_hand() -> None:
    """Decided at 100,000 and at the newest quote before 310 ns; spreads are those of the quotes at the fills."""
    trades = filled_trades(FillSource.VENUE, LONG, QUOTES, MANIFEST)
    told = {name: int(trades.amount(name)[0]) for name in AMOUNTS}
    gross, spread = 0.01 * (101_005 - 100_000), 0.01 * (2.0 + 0.0)
    net = 0.01 * (101_990 - 100_005) - 0.9 + 0.1
    assert told["gross"] == round(1e6 * gross)
    assert told["spread"] == round(1e6 * spread)
    assert (told["fees"], told["funding"]) == (900_000, -100_000)
    assert told["net"] == round(1e6 * net)
    assert trades.source is FillSource.VENUE


def test_a_short_is_the_mirror_of_a_long() -> None:
    short = filled_trades(FillSource.VENUE, replace(LONG, side=-LONG.side), QUOTES, MANIFEST)
    long = filled_trades(FillSource.VENUE, LONG, QUOTES, MANIFEST)
    assert short.gross[0] == -long.gross[0]
    assert short.spread[0] == long.spread[0]
    assert short.slippage[0] + short.spread[0] == -(long.slippage[0] + long.spread[0])


def test_what_was_not_filled_needs_no_quotes_and_counts_with_zeros() -> None:
    unknown = np.array([np.nan])
    nothing = replace(LONG, size=np.zeros(1), entry_px=unknown, exit_px=unknown, entry_ns=np.zeros(1, np.int64))
    trades = filled_trades(FillSource.PAPER_LIVE, nothing, {}, MANIFEST)
    assert len(trades) == 1
    assert not trades.filled[0]
    assert all(trades.amount(name)[0] == 0 for name in AMOUNTS)


def test_fills_that_the_tape_does_not_reach_are_refused() -> None:
    with pytest.raises(SchemaError, match="no quotes of BTC"):
        filled_trades(FillSource.VENUE, LONG, {}, MANIFEST)
    for name in ("entry_ns", "exit_ns", "leave_ns"):
        with pytest.raises(SchemaError, match="before the first quote"):
            filled_trades(FillSource.VENUE, replace(LONG, **{name: np.array([99])}), QUOTES, MANIFEST)
