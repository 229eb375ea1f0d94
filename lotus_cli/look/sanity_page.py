"""The sanity table for people: what works first, losers counted, a forest plot beside the numbers and as a picture."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lotus.outcomes.sanity import BELOW_COST, EARNS, NOTHING_SHOWN, WRONG, Columns
from lotus.outcomes.sanity_text import HEADER, READING, sanity_rows
from lotus_cli.terminal.tables import TableColumn, folded, table
from lotus_cli.terminal.text_plot import whisker

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 40
VERDICTS = (EARNS, BELOW_COST, NOTHING_SHOWN, WRONG)
_FIRST = ("series", "horizon", "signed move, bps", "verdict")
_REST = ("cost, bps", "hit", "spoken", "n_eff", "correlation", "rank corr.", "kind")
_WORDS = ("series", "verdict", "kind")


def ordered(rows: Columns) -> Columns:
    """Return rows of SANITY_TABLE, what works first: by verdict, then by the signed move in units of its interval."""
    mean, low, high = (rows[name].astype(np.float64) for name in ("mean_bps", "mean_low_bps", "mean_high_bps"))
    evidence = np.where(high > low, mean / np.maximum(high - low, 1e-12), -np.inf)
    ranks = np.array([VERDICTS.index(verdict) for verdict in rows["verdict"].tolist()])
    order = np.lexsort((-evidence, ranks))
    return {name: values[order] for name, values in rows.items()}


def page(title: str, table_rows: Columns, shown: int, wide: bool) -> str:
    """Return the page of the first `shown` of some ordered rows of one asset."""
    counts = Counter(table_rows["verdict"].tolist())
    summary = "; ".join(f"{verdict}: {counts[verdict]}" for verdict in VERDICTS)
    rows = {name: values[:shown] for name, values in table_rows.items()}
    lines = [f"SANITY   {title}: {len(table_rows['verdict'])} rows", f"  {summary}"]
    if shown < len(table_rows["verdict"]):
        lines.append(f"  the first {shown} are shown; --all: every row; --verdict: those of one verdict")
    reading = f"{READING} What works stands first, so the top is flattered by the search for it."
    return "\n".join([*lines, "", _table(rows, wide), "", folded(reading)])


def _table(rows: Columns, wide: bool) -> str:
    lows, means, highs = (rows[name].tolist() for name in ("mean_low_bps", "mean_bps", "mean_high_bps"))
    reach = _reach(means, [*lows, *highs])
    texts = [dict(zip(HEADER, row, strict=True)) for row in sanity_rows(rows, str(rows["asset"][0]))] if lows else []
    plots = [whisker(*ends, reach) for ends in zip(lows, means, highs, strict=True)]
    columns = [TableColumn(name, right=name not in _WORDS) for name in _FIRST]
    columns += [
        TableColumn(f"-{reach:.2g} to {reach:+.2g} bps"),
        *(TableColumn(n, right=n not in _WORDS) for n in _REST),
    ]
    cells = [
        [*(row[name] for name in _FIRST), plot, *(row[name] for name in _REST)]
        for row, plot in zip(texts, plots, strict=True)
    ]
    return table(columns, cells, wide)


def _reach(means: Sequence[float], ends: Sequence[float]) -> float:
    """Return where the axis ends, bps: every mean and most intervals lie within it, the longest go on beyond."""
    sizes = [abs(x) for x in ends if math.isfinite(x)]
    farthest = max((abs(x) for x in means if math.isfinite(x)), default=0.0)
    return max(float(np.quantile(sizes, 0.9)) if sizes else 0.0, farthest) or 1.0


def picture(title: str, columns: Columns, shown: int) -> "Figure":
    """Return the forest plot of the first `shown` rows; the upright tick is what taking the move costs."""
    from lotus.pictures.forest import ForestRow, forest

    names = ("series", "horizon_s", "mean_bps", "mean_low_bps", "mean_high_bps", "cost_bps", "verdict")
    rows = [
        ForestRow(
            label=f"{series}, {horizon_s} s",
            uplift=mean,
            low=low,
            high=high,
            bound=cost,
            accepted=verdict == EARNS,
            note=verdict,
        )
        for series, horizon_s, mean, low, high, cost, verdict in zip(
            *(columns[name][:shown].tolist() for name in names), strict=True
        )
        if math.isfinite(low)
    ]
    axis = "bps (upright tick: spread and two taker fees)"
    return forest(rows, f"{title}: signed move of the mid, before costs", axis)
