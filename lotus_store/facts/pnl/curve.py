"""Money of trades over time: cumulative gross and net, the deepest fall of net, sums of days, and every trade.

From split trades alone; pictures of it are `lotus.pictures.curves` and `text_plot`. In the literature: equity curve,
maximum drawdown.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lotus.timebase import day_of
from lotus.trading.accounts.pnl import AMOUNTS, Floats, Ints, TradeColumns


@dataclass(frozen=True, slots=True)
class Curve:
    """Cumulative sums after every trade in order of its decision, arrays [n]: ms UTC and USD."""

    time_ms: Ints
    gross: Floats
    net: Floats

    @property
    def drawdown(self) -> Floats:
        """How far net lies below its highest value so far (zero before the first trade), USD, at most 0, array [n]."""
        return self.net - np.maximum(np.maximum.accumulate(self.net), 0.0)

    @property
    def deepest(self) -> tuple[float, int, int]:
        """Return the deepest fall of net, USD, and the times (ms) of the trade it fell from and of its lowest one."""
        lowest = int(np.argmin(self.drawdown))
        top = int(np.argmax(self.net[: lowest + 1]))
        return float(self.drawdown[lowest]), int(self.time_ms[top]), int(self.time_ms[lowest])


def curve_of(trades: TradeColumns) -> Curve:
    """Return the curve of trades; there must be one."""
    order = np.argsort(trades.time_ms, kind="stable")
    gross, net = (np.cumsum(trades.amount(name)[order]) / 1e6 for name in ("gross", "net"))
    return Curve(trades.time_ms[order], gross, net)


def by_day(trades: TradeColumns) -> list[dict[str, Any]]:
    """Return the sums of every day of decisions, in order: trades, gross and net in USD."""
    days = np.array([day_of(int(ms)) for ms in trades.time_ms], dtype=object)
    return [
        {
            "day": day,
            "trades": int(np.sum(days == day)),
            **{f"{name}_usd": int(trades.amount(name)[days == day].sum()) / 1e6 for name in ("gross", "net")},
        }
        for day in sorted(set(days.tolist()))
    ]


def trips_of(trades: TradeColumns) -> list[dict[str, Any]]:
    """Return the trades one by one in order of their decisions, amounts in USD."""
    return [
        {
            "time_ms": int(trades.time_ms[k]),
            "detector": str(trades.detector[k]),
            "coin": str(trades.asset[k]),
            "filled": bool(trades.filled[k]),
            "traded_usd": int(trades.notional[k]) / 1e6,
            **{f"{name}_usd": int(trades.amount(name)[k]) / 1e6 for name in AMOUNTS},
        }
        for k in np.argsort(trades.time_ms, kind="stable")
    ]
