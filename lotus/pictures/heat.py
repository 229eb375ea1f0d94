"""The map of two features: uplift in every pair of bins, t written into it, the rule's box around its cells."""

from typing import TYPE_CHECKING

import numpy as np

from lotus.learning.views import HeatMap
from lotus.pictures.canvas import MUTED, blank, entitle, inches_of, literal, shortened

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TICKS = 8.0  # points
_MAP, _MARGIN = 2.9, 1.0  # inches: the least width of the map, the most of the names of its rows


def heat(table: HeatMap) -> "Figure":
    """Return the map; red pays less than the baseline, blue more, grey was never drawn."""
    from matplotlib.patches import Rectangle

    n, m = table.uplift.shape
    figure, axes = blank(4.7, 1.2 + 0.45 * n)
    largest = float(np.nanmax(np.abs(table.uplift), initial=0.0)) or 1.0
    axes.set_facecolor("#d9d9d9")
    edges = (np.arange(m + 1) - 0.5, np.arange(n + 1) - 0.5)
    axes.pcolormesh(*edges, np.ma.masked_invalid(table.uplift), cmap="RdBu", vmin=-largest, vmax=largest)
    for i in range(n):
        for j in range(m):
            if np.isfinite(table.uplift[i, j]):
                strong = abs(table.uplift[i, j]) > 0.6 * largest
                text = f"{table.uplift[i, j]:+.1f}\nt {table.t[i, j]:+.1f}"
                axes.text(j, i, text, ha="center", va="center", fontsize=7.0, color="white" if strong else "black")
    row_low, row_high, low, high = table.box
    corner = (low - 0.5, row_low - 0.5)
    axes.add_patch(Rectangle(corner, high - low + 1, row_high - row_low + 1, fill=False, linewidth=2.0))
    axes.set_xticks(range(m), [literal(shortened(x, _MAP / m, _TICKS)) for x in table.columns])
    axes.set_yticks(range(n), [literal(shortened(x, _MARGIN, _TICKS)) for x in table.rows])
    axes.set_xlabel(_axis(table.column_name, table.columns, _MAP))
    axes.set_ylabel(_axis(table.row_name, table.rows, 0.45 * n + 0.2))
    axes.tick_params(color=MUTED, labelsize=_TICKS)
    entitle(axes, f"{table.title}: uplift, bps")
    return figure


def _axis(name: str, labels: tuple[str, ...], inches: float) -> str:
    """Return the name of an axis, and which end of numbered bins is the low one."""
    more = ", bin (0 = lowest)" if labels[0] == "0" else ""
    return literal(shortened(name, inches - inches_of(more, 9.0), 9.0) + more)
