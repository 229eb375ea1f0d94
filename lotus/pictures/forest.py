"""The forest plot: every lesson and refusal with its uplift, 95 % interval and simultaneous bound.

Accepted ones stand above, refused ones below in the same size: a refusal is a result. A rule's name stands over its
line, so that the picture can be read on a narrow page. In the literature: forest plot.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lotus.pictures.canvas import BAD, GOOD, MUTED, blank, entitle, literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDTH, _LINES = 40, 2  # characters and lines of a rule's name that are shown
_ROW, _LINE, _GAP = 0.26, 0.15, 0.06  # inches: of a row without its name, of a line of the name, below the name


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


def forest(
    rows: Sequence[ForestRow],
    title: str = "Uplift over the baseline, net of cost",
    axis: str = "bps per unit (upright tick: what holds after the search)",
) -> "Figure":
    """Return the plot of the rows in their order, the accepted ones first; `axis` says what the tick is."""
    ordered = sorted(rows, key=lambda r: not r.accepted)
    names = [_wrapped(row.label) for row in ordered]
    heights = [_ROW + _LINE * len(name) for name in names]
    figure, axes = blank(4.7, 0.9 + sum(heights))
    axes.axvline(0.0, color=MUTED, linewidth=0.8)
    at = 0.0
    for row, name, height in zip(ordered, names, heights, strict=True):
        at += height
        colour = (GOOD if row.uplift >= 0.0 else BAD) if row.accepted else MUTED
        face = colour if row.accepted else "white"
        axes.plot([row.low, row.high], [at, at], color=colour, linewidth=1.8, solid_capstyle="butt")
        axes.plot([row.uplift], [at], marker="o", color=colour, markerfacecolor=face, markersize=5.5)
        if row.bound > 0.0:
            bound = row.bound if row.uplift >= 0.0 else -row.bound
            axes.plot([bound], [at], marker="|", color=colour, markersize=12.0, markeredgewidth=2.0)
        for x, text, side in ((0.0, "\n".join(name), "left"), (1.0, row.note, "right")):
            axes.annotate(
                literal(text), (x, at - _GAP), xycoords=("axes fraction", "data"), fontsize=8.5, ha=side, va="bottom",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
            )  # fmt: skip
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_ylim(at + 0.5 * _ROW, 0.0)
    axes.set_xlabel(axis)
    entitle(axes, title, 60)
    return figure


def _wrapped(label: str) -> list[str]:
    """Return the lines of a rule's name, cut where there are too many."""
    lines = textwrap.wrap(label, _WIDTH) or [""]
    return lines if len(lines) <= _LINES else [*lines[: _LINES - 1], f"{lines[_LINES - 1]}..."]
