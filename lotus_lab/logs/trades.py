"""Closed trades of any bot, and the events that they make: every row published, no propensity, so grade D at most.

What was not traded was not logged, and with which chance nobody knows: `lotus learn` shows what goes with what, and
accepts nothing. Features are what is known at the entry: side, hour, weekend and the log's own x_ columns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from lotus.errors import SchemaError
from lotus.own_signals.checks import MAX_DECISION_S
from lotus_lab.reading.cells import shortened

_US_PER_S: Final = 1_000_000
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class ClosedTrade:
    """One round trip: times in us since 1970 (UTC), side 1 long or -1 short, payoff in bps of its entry."""

    opened_us: int
    closed_us: int
    asset: str
    strategy: str
    side: int
    payoff_bps: float
    features: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImportedLog:
    """Events for `lab.learn`, how many trades were left out because they are open, and what to know of them."""

    events: pa.Table
    open_trades: int
    notes: tuple[str, ...]


def events_of(trades: Sequence[ClosedTrade], open_trades: int, note: str = "") -> ImportedLog:
    """Return the events of closed trades; raises `SchemaError` for none, or for one that closes before it opens.

    All trades of a strategy have one horizon, the longest time that one was held: a rule may not know which trades
    would be short.
    """
    if not trades:
        found = f"no closed trade ({open_trades} open)" if open_trades else "no closed trade"
        raise SchemaError(found, "one or more", "another file, or a bot that has not traded yet?")
    for k, x in enumerate(trades, 1):
        if x.closed_us < x.opened_us:
            raise SchemaError(f"trade {k} closes before it opens", "opened, then closed", "another order of columns?")
    held: dict[str, int] = {}
    for x in trades:
        seconds = max(1, -(-(x.closed_us - x.opened_us) // _US_PER_S))
        held[x.strategy] = max(held.get(x.strategy, 1), seconds)
    opened = np.array([x.opened_us for x in trades], dtype=np.int64)
    hours, days = opened // (3600 * _US_PER_S) % 24, (opened // (_DAY_S * _US_PER_S) + 3) % 7
    names = list(dict.fromkeys(name for x in trades for name in x.features))
    columns = {
        "ts": pa.array(opened, pa.timestamp("us", "UTC")),
        "asset": pa.array([x.asset for x in trades]),
        "detector_id": pa.array([x.strategy for x in trades]),
        "horizon_s": pa.array([held[x.strategy] for x in trades], pa.int64()),
        "published": pa.array([True] * len(trades)),
        "payoff_bps": pa.array([x.payoff_bps for x in trades], pa.float64()),
        "x_side": pa.array(["long" if x.side > 0 else "short" for x in trades]),
        "x_hour": pa.array(hours.astype(np.float64)),
        "x_weekend": pa.array(np.where(days >= 5, "weekend", "week")),
        **{name: pa.array([x.features.get(name) for x in trades]) for name in names},
    }
    constant = [name for name, values in columns.items() if name.startswith("x_") and len(values.unique()) < 2]
    kept = {name: values for name, values in columns.items() if name not in constant}
    return ImportedLog(pa.table(kept), open_trades, _notes(trades, open_trades, held, constant, note))


def no_log(path: Path, error: Exception, expected: str) -> SchemaError:
    """Return the error for a file that cannot be read as a log."""
    words = shortened(" ".join(str(error).split()), 120)
    return SchemaError(f"{path} cannot be read: {words}", expected, "another file, or one that was cut short?")


def _notes(
    trades: Sequence[ClosedTrade], open_trades: int, held: Mapping[str, int], constant: Sequence[str], note: str
) -> tuple[str, ...]:
    notes = [
        f"{len(trades):,} closed trades and no propensity: what `lotus learn` finds in them is an association, grade D,"
        " shown and never accepted. `lab.Randomiser` logs what is missing."
    ]
    notes += [f"{open_trades} open trades are left out; a row without its end teaches nothing."] if open_trades else []
    notes += [note] if note else []
    notes += [f"The same in every trade, and left out: {', '.join(constant)}."] if constant else []
    notes += [
        f"{name} held a trade for {seconds / 3600:.1f} hours: `lotus learn` takes at most {MAX_DECISION_S // 3600}, "
        "since payoffs that overlap make every interval too narrow."
        for name, seconds in held.items() if seconds > MAX_DECISION_S
    ]  # fmt: skip
    return tuple(notes)
