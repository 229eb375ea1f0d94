"""Y of a traded day: a venue's payoffs of published windows take the place of the run against the tape.

One source per detector and day (docs/concepts/windows.md). A detector's day is the venue's when nearly all
of its published whole windows were answered for there. The few that were not are void: our own machine prevented them,
so they count as modelled only. So do those that were tried in another style than the detector's: a draw of its own took
them, and they teach the trader. Else the day stays the tape's, and the fills are shown but teach nothing. P and forward
returns never change.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.outcomes.signal_eval import OK

Columns = Mapping[str, NDArray[np.generic]]
MIN_ANSWERED = 0.95  # share of a detector's published whole windows that the venue must have answered for


@dataclass(frozen=True, slots=True)
class Answered:
    """One detector's day: published whole windows, how many of them the venue answered for, and whether they teach."""

    detector_id: str
    published: int
    answered: int
    filled: int

    @property
    def teaches(self) -> bool:
        """Whether the venue's payoffs are this detector's Y of the day."""
        return self.answered > 0 and self.answered >= MIN_ANSWERED * self.published


def with_executions(
    rows: Columns,
    payoffs: Mapping[str, float],
    filled: frozenset[str],
    source: str,
    apart: frozenset[str] = frozenset(),
) -> tuple[dict[str, NDArray[np.generic]], list[Answered]]:
    """Return SIGNAL_EVAL rows with Y as executed, and what was answered for, detector by detector.

    `payoffs` are bps net of all costs by event, 0 for one that the venue refused or left unfilled, without what is
    void; `filled` names those that were filled; `source` is the word for `fill_source`: `venue` or `paper_live`;
    `apart` names those tried in another style, which nobody had to answer for.

    >>> rows = {"event_id": np.array(["a", "b"], object), "detector_id": np.array(["d", "d"], object),
    ...         "payoff_y": np.array([1.0, np.nan]), "status": np.array(["ok", "ok"], object),
    ...         "fill_source": np.array(["tape_sim", ""], object)}
    >>> made, answers = with_executions(rows, {"a": -2.5}, frozenset({"a"}), "venue")
    >>> made["payoff_y"].tolist(), made["fill_source"].tolist(), answers[0].teaches
    ([-2.5, nan], ['venue', ''], True)
    """
    out = dict(rows)
    if not payoffs:
        return out, []
    events = np.asarray(rows["event_id"]).astype(str)
    detectors = np.asarray(rows["detector_id"]).astype(str)
    published = (np.asarray(rows["status"]) == OK) & (np.asarray(rows["fill_source"]) != "")
    answered = np.isin(events, np.array(list(payoffs), dtype=str))
    is_own = ~np.isin(events, np.array(list(apart), dtype=str)) if apart else np.ones(len(events), dtype=np.bool_)
    y, sources = np.array(rows["payoff_y"], dtype=np.float64), np.array(rows["fill_source"], dtype=object)
    columns = []
    for detector in np.unique(detectors[published]).tolist():
        own_rows = np.flatnonzero(published & (detectors == detector))
        names = events[own_rows].tolist()
        line = Answered(
            detector, int(is_own[own_rows].sum()), int(answered[own_rows].sum()), sum(name in filled for name in names)
        )
        columns.append(line)
        if line.teaches:
            y[own_rows] = [payoffs.get(name, np.nan) for name in names]
            sources[own_rows] = [source if name in payoffs else "" for name in names]
    return out | {"payoff_y": y, "fill_source": sources}, columns
