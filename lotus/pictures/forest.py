"""The forest plot: every lesson and refusal with its uplift, 95 % interval and simultaneous bound.

Accepted ones stand above, refused ones below in the same size: a refusal is a result. A rule's name stands over its
line, so that the picture can be read on a narrow page. In the literature: forest plot.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lotus.pictures.canvas import BAD, GOOD, MUTED, blank, entitle, fitted, inches_of, literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH, _FONT = 4.7, 8.5  # inches of the figure, points of the names
_ROW, _LINE, _GAP = 0.34, 0.15, 0.11  # inches: of a row without its name, of a line of the name, below the name


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
    room = [_WIDTH - 0.3 - inches_of(row.note, _FONT) for row in ordered]
    names = [fitted(row.label, inches, _FONT) for row, inches in zip(ordered, room, strict=True)]
    heights = [_ROW + _LINE * len(name) for name in names]
    figure, axes = blank(_WIDTH, 0.95 + sum(heights))
    level = 0.0
    for row, name, height in zip(ordered, names, heights, strict=True):
        level += height
        _draw(axes, row, level)
        for x, text, side in ((0.0, "\n".join(name), "left"), (1.0, row.note, "right")):
            axes.annotate(
                literal(text),
                (x, level - _GAP),
                xycoords=("axes fraction", "data"),
                fontsize=_FONT,
                ha=side,
                va="bottom",
            )
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_ylim(level + 0.5 * _ROW, 0.0)
    axes.set_xlabel(axis)
    entitle(axes, title)
    return figure


def _draw(axes: "Axes", row: ForestRow, height: float) -> None:
    """Draw interval, uplift and bound of a row; zero is marked beside them only, so that no name stands on it."""
    colour = (GOOD if row.uplift >= 0.0 else BAD) if row.accepted else MUTED
    face = colour if row.accepted else "white"
    axes.plot([0.0, 0.0], [height - 0.9 * _GAP, height + 0.9 * _GAP], color=MUTED, linewidth=0.8)
    axes.plot([row.low, row.high], [height, height], color=colour, linewidth=1.8, solid_capstyle="butt")
    axes.plot([row.uplift], [height], marker="o", color=colour, markerfacecolor=face, markersize=5.5)
    if row.bound > 0.0:
        bound = row.bound if row.uplift >= 0.0 else -row.bound
        axes.plot([bound], [height], marker="|", color=colour, markersize=12.0, markeredgewidth=2.0)
