"""The forest plot: every lesson and refusal with its uplift, 95 % interval and simultaneous bound.

Accepted ones stand above, refused ones below in the same size: a refusal is a result. In the literature: forest plot.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lotus.pictures.canvas import BAD, GOOD, MUTED, blank, entitle, literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LABEL = 58  # characters of a rule that are shown


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One rule: uplift and 95 % interval, bps; `bound` is the size that survives the search (0 = none)."""

    label: str
    uplift: float
    low: float
    high: float
    bound: float
    accepted: bool
    note: str


def forest(rows: Sequence[ForestRow], title: str = "Uplift over the baseline, net of cost") -> "Figure":
    """Return the plot of the rows in their order, the accepted ones first."""
    ordered = sorted(rows, key=lambda r: not r.accepted)
    figure, axes = blank(8.0, 1.0 + 0.34 * max(len(ordered), 1))
    axes.axvline(0.0, color=MUTED, linewidth=0.8)
    for place, row in enumerate(ordered):
        colour = (GOOD if row.uplift >= 0.0 else BAD) if row.accepted else MUTED
        face = colour if row.accepted else "white"
        axes.plot([row.low, row.high], [place, place], color=colour, linewidth=1.6, solid_capstyle="butt")
        axes.plot([row.uplift], [place], marker="o", color=colour, markerfacecolor=face, markersize=5.0)
        if row.bound > 0.0:
            at = row.bound if row.uplift >= 0.0 else -row.bound
            axes.plot([at], [place], marker="|", color=colour, markersize=11.0)
        axes.annotate(literal(row.note), (1.01, place), xycoords=("axes fraction", "data"), fontsize=7.5, va="center")
    axes.set_yticks(range(len(ordered)), [literal(_short(row.label)) for row in ordered])
    axes.set_ylim(max(len(ordered), 1) - 0.5, -0.5)
    axes.set_xlabel("bps per unit (tick: simultaneous lower bound of its size)")
    entitle(axes, title, 80)
    return figure


def _short(label: str) -> str:
    return label if len(label) <= _LABEL else label[: _LABEL - 3] + "..."
