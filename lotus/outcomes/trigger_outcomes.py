"""What the trigger of a signal was worth: windows whose trigger fired, against those whose trigger expired.

A trigger is watched from the close of its window to the end of its horizon on the frames of the day, as the trader
watches it. Entered when it fires, the view is held to the same end; beside it stands what entering at once would have
moved. Moves are from mid to mid, in the signal's direction and before costs, in bps. A window whose frames do not reach
to the end, or have a gap in between, is `cut`: nothing is said of it. (Literature: entry timing, markout.)
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.microtape.frames import spec as f
from lotus.microtape.frames.batch import FrameBatch
from lotus.outcomes.probe import forward_return_bps
from lotus.triggers.checker import read_trigger
from lotus.triggers.conditions import Trigger, warm_up_ms
from lotus.triggers.events import EvaluationStatus
from lotus.triggers.watcher import Watcher, WatchPlan

FIRED, EXPIRED, CUT = EvaluationStatus.FIRED.value, EvaluationStatus.EXPIRED.value, "cut"
Columns = dict[str, NDArray[np.generic]]
Ints = NDArray[np.int64]
Row = tuple[str, str, str, int, int, str, str, int, float, float]

TRIGGER_OUTCOMES: Final = TableSpec(
    "trigger_outcomes",
    ("event_id",),
    (
        Column("event_id", "text", "", "the published window"),
        Column("detector_id", "text", "", "who proposed the trigger"),
        Column("asset", "text", "", "name"),
        Column("window_end_ms", "i8", "ms", "close of the window: the watch begins", low=0),
        Column("horizon_s", "i4", "s", "the watch and the view end so much later", low=1),
        Column("trigger", "text", "", "the condition in its one spelling"),
        Column("status", "text", "", f"{FIRED}, {EXPIRED}, or {CUT}: a gap, or the tape ends before the horizon"),
        Column("fired_ms", "i8", "ms", "end of the frame at which it fired, 0 when it did not", low=0),
        Column("at_once_bps", "f8", "bps", "move from the close to the end; null when cut", True),
        Column("fired_bps", "f8", "bps", "move from the firing to the end; null unless fired", True),
    ),
)


def trigger_outcomes(events: Mapping[str, NDArray[np.generic]], triggers: Sequence[str], frames: FrameBatch) -> Columns:
    """Return TRIGGER_OUTCOMES in key order of published windows (columns of SIGNAL_EVENTS) with a trigger each.

    `frames` are those of the windows' day, after those of the evening that warm its bars.
    """
    whose = {asset.name: index for index, asset in enumerate(frames.universe)}
    own = [np.flatnonzero(frames.ints[:, f.I_ASSET] == index) for index in range(len(frames.universe))]
    ends = [frames.ints[rows, f.I_END] for rows in own]
    names = ("event_id", "detector_id", "asset", "window_end_ms", "horizon_s", "s")
    read = {text: read_trigger(text) for text in set(triggers)}
    rows: list[Row] = []
    windows = zip(*(np.asarray(events[name]).tolist() for name in names), strict=True)
    for (event, detector, asset, end_ms, horizon_s, s), text in zip(windows, triggers, strict=True):
        index, until_ms, side = whose[asset], end_ms + 1_000 * horizon_s, 1 if s > 0.0 else -1
        view = _View(frames, own[index], ends[index], index, end_ms, until_ms, side)
        rows.append((event, detector, asset, end_ms, horizon_s, text, *view.outcome(read[text])))
    rows.sort()
    columns = zip(*rows, strict=True) if rows else ((),) * len(TRIGGER_OUTCOMES.columns)
    names_and_values = zip(TRIGGER_OUTCOMES.names, columns, strict=True)
    return {name: np.array(values, dtype=TRIGGER_OUTCOMES.numpy_dtype(name)) for name, values in names_and_values}


class _View:
    """One window: its asset's frames (`rows` of the batch, in order, and their `ends`), and the span of its watch."""

    def __init__(
        self, frames: FrameBatch, rows: Ints, ends: Ints, asset: int, from_ms: int, until_ms: int, side: int
    ) -> None:
        self.frames, self.rows, self.ends, self.asset = frames, rows, ends, asset
        self.from_ms, self.until_ms, self.side = from_ms, until_ms, side

    def outcome(self, trigger: Trigger) -> tuple[str, int, float, float]:
        """Return status, fired_ms, at_once_bps, fired_bps."""
        if not self.is_whole():
            return CUT, 0, np.nan, np.nan
        fired_ms = self.fired_ms(trigger)
        at_once = self.move_bps(self.from_ms)
        return (FIRED, fired_ms, at_once, self.move_bps(fired_ms)) if fired_ms else (EXPIRED, 0, at_once, np.nan)

    def is_whole(self) -> bool:
        """Tell whether every frame from the close to the end is there, without a gap, and both ends have a quote."""
        first, last = self.ends.searchsorted((self.from_ms, self.until_ms))
        if last >= len(self.ends) or self.ends[first] != self.from_ms or self.ends[last] != self.until_ms:
            return False
        held = self.rows[first : last + 1]
        numbers, gaps = self.frames.ints[held, f.I_FRAME], self.frames.floats[held[1:], f.C_GAP]
        mids = self.frames.ints[held[[0, -1]], f.I_MID2]
        return bool(numbers[-1] - numbers[0] == len(held) - 1 and not gaps.any() and (mids > 0).all())

    def fired_ms(self, trigger: Trigger) -> int:
        """Return when the trigger fired, 0 when it did not until the end."""
        coin = self.frames.universe[self.asset]
        plan = WatchPlan(coin, self.asset, self.frames.cadence_ms, self.from_ms, self.until_ms)
        first, last = self.ends.searchsorted((self.from_ms - warm_up_ms(trigger), self.until_ms))
        seen = self.rows[first : last + 1]
        events = Watcher(trigger, plan).run(self.frames.ints[seen], self.frames.floats[seen])
        return next((event.time_ms for event in events if event.status is EvaluationStatus.FIRED), 0)

    def move_bps(self, from_ms: int) -> float:
        """Return the move of the mid from a frame's end to the end of the horizon, in the signal's direction."""
        mids = self.frames.ints[self.rows[self.ends.searchsorted((from_ms, self.until_ms))], f.I_MID2]
        return float(self.side * forward_return_bps(mids[:1], mids[1:])[0]) if (mids > 0).all() else np.nan
