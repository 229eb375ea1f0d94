"""Outcomes for the calibration from what the lake keeps of scored windows: SIGNAL_EVENTS and SIGNAL_EVAL.

Of every window that could have been published and matured whole: what the market moved in the signal's direction,
before costs. Windows of one source and coin that follow each other within a horizon share most of their payoff; each
counts by the part of its horizon that is its own, w = min(1, gap to the window before / horizon). Reading files belongs
to the store. In the literature: average uniqueness of overlapping labels (Lopez de Prado 2018).
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from lotus.decision.alphas import ANY_REGIME
from lotus.decision.calibration import Outcome
from lotus.outcomes.signal_eval import OK
from lotus.timebase import day_of

Columns = Mapping[str, NDArray[np.generic]]
Regime = Callable[[int], str]  # of an event's row number


def outcomes_of(
    events: Columns, evaluated: Columns, horizons_s: tuple[int, ...], regime: Regime | None = None
) -> list[Outcome]:
    """Return the outcomes of rows of SIGNAL_EVENTS that have an `ok` row in SIGNAL_EVAL, in the order of the events.

    Rows are matched by event id. Only eligible windows with a direction count. An outcome matures at the end of its own
    horizon; SIGNAL_EVAL is written later, when the longest of `horizons_s` has ended, so that its rows are never early.
    """
    where = {str(name): k for k, name in enumerate(evaluated["event_id"])}
    weights = uniqueness(events)
    found: list[Outcome] = []
    for k, name in enumerate(events["event_id"]):
        row, s = where.get(str(name)), float(events["s"][k])
        if row is None or s == 0.0 or not bool(events["eligible"][k]) or str(evaluated["status"][row]) != OK:
            continue
        horizon, side = int(evaluated["horizon_s"][row]), 1.0 if s > 0.0 else -1.0
        moved = {h: side * float(evaluated[f"fwd_ret_bps_{h}"][row]) for h in horizons_s if h <= horizon}
        if horizon not in moved or not all(np.isfinite(x) for x in moved.values()):
            continue
        end = int(events["window_end_ms"][k])
        found.append(
            Outcome(
                event_id=str(name),
                source=f"det:{events['detector_id'][k]}@{int(events['spec_version'][k])}",
                horizon_s=horizon,
                regime=regime(k) if regime else ANY_REGIME,
                score=abs(s) * min(float(np.exp(float(events["ln_sigma_tilde"][k]))), 1.0),
                realised_bps=moved[horizon],
                issued_day=day_of(end),
                matured_day=day_of(end + 1000 * horizon),
                markouts=tuple(sorted((h, x) for h, x in moved.items() if h < horizon)),
                weight=float(weights[k]),
            )
        )
    return found


def uniqueness(events: Columns) -> NDArray[np.float64]:
    """Return the weight of each eligible window with a direction, f8 [n]; 0 for the others.

    The gap is to the one before of the same detector and coin; the first of the rows counts whole.
    """
    ends = np.asarray(events["window_end_ms"], dtype=np.int64)
    counts = (np.asarray(events["s"], dtype=np.float64) != 0.0) & np.asarray(events["eligible"], dtype=np.bool_)
    weights = np.zeros(len(ends))
    last: dict[tuple[str, str], int] = {}
    for k in np.argsort(ends, kind="stable").tolist():
        if not counts[k]:
            continue
        key = (str(events["detector_id"][k]), str(events["asset"][k]))
        gap_s = (int(ends[k]) - last[key]) / 1000.0 if key in last else np.inf
        weights[k] = min(1.0, gap_s / float(events["horizon_s"][k]))
        last[key] = int(ends[k])
    return weights
