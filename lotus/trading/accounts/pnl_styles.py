"""What executed plans earned by the styles in which they were ordered: a row for every style of entry, and of exit.

A plan stands under the style it was ordered in, whatever was filled of it: one that joined and crossed in the end is
one that joined, and `rested` tells how much of it rested. Void plans count in no sum; they are counted apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lotus.detectors.entry_style import EntryStyle, Fallback
from lotus.trading.accounts.pnl import Line, TradeColumns, total
from lotus.trading.plan.styles import CROSSING, Styles

End = Literal["entry", "exit"]
Fill = tuple[float, float, bool]  # price in USD, size in base units, whether its order rested
ORDER = tuple(style.value for style in EntryStyle)


@dataclass(frozen=True, slots=True)
class EndFills:
    """What was filled at one end of a plan: value in USD, and the part of it that rested."""

    usd: float = 0.0
    rested_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class PlanEnds:
    """How a plan was ordered, the share of its planned size that was filled, and both ends of it."""

    styles: Styles = CROSSING
    filled: float = 0.0
    entry: EndFills = EndFills()
    exit: EndFills = EndFills()


@dataclass(frozen=True, slots=True)
class StyleLine:
    """One style of an end: its trades, filled share of the size, share of the value there that rested, void plans.

    `rested` is None where nothing was filled there.
    """

    end: End
    style: str
    line: Line
    filled: float
    rested: float | None
    void: int


def plan_ends(styles: Styles, planned: float, entry: Sequence[Fill], leave: Sequence[Fill]) -> PlanEnds:
    """Return how a plan was ordered and filled; `planned` is its size in base units, 0 where nobody told it."""
    size = sum(size for _, size, _ in entry)
    filled = min(1.0, size / planned) if planned else float(size > 0.0)
    return PlanEnds(styles, filled, _end(entry), _end(leave))


def _end(fills: Sequence[Fill]) -> EndFills:
    return EndFills(sum(px * size for px, size, _ in fills), sum(px * size for px, size, rests in fills if rests))


def name_at(styles: Styles, end: End) -> str:
    """Return the style of an end in words.

    >>> name_at(Styles(EntryStyle.JOIN, Fallback.SKIP), "entry")
    'join, or skip'
    """
    if end == "exit":
        return styles.exit.value
    skips = styles.entry is not EntryStyle.CROSS and styles.fallback is Fallback.SKIP
    return f"{styles.entry.value}, or skip" if skips else styles.entry.value


def by_style(trades: TradeColumns, plans: Sequence[PlanEnds], void: Sequence[Styles] = ()) -> tuple[StyleLine, ...]:
    """Return a row for each style of entry, then of exit; `plans` [n] are those of the trades, `void` are not."""
    return (*_at(trades, plans, void, "entry"), *_at(trades, plans, void, "exit"))


def _at(trades: TradeColumns, plans: Sequence[PlanEnds], void: Sequence[Styles], end: End) -> list[StyleLine]:
    own, apart = [name_at(plan.styles, end) for plan in plans], [name_at(styles, end) for styles in void]
    lines = []
    for name in sorted({*own, *apart}, key=lambda name: (ORDER.index(name.split(",")[0]), name)):
        chosen = [plan for plan, its in zip(plans, own, strict=True) if its == name]
        fills = [plan.entry if end == "entry" else plan.exit for plan in chosen]
        usd = sum(fill.usd for fill in fills)
        lines.append(
            StyleLine(
                end=end,
                style=name,
                line=total(trades.where(np.array([its == name for its in own], dtype=np.bool_)), name),
                filled=sum(plan.filled for plan in chosen) / len(chosen) if chosen else 0.0,
                rested=sum(fill.rested_usd for fill in fills) / usd if usd else None,
                void=apart.count(name),
            )
        )
    return lines
