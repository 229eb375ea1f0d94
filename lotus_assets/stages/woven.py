"""One night of weaving as three stages see it: lessons and the board of the day before in, a woven night out.

`lotus.weave.weave_night` decides everything at once; braids, meta_braids and active_priors each write their part of the
same pure result. Nothing is written here.
"""

from collections.abc import Mapping

import numpy as np

from lotus.detectors.registry import shipped_detectors
from lotus.priors.types import PriorsVersion, priors_0
from lotus.priors.vocabulary import BIN_COLUMNS
from lotus.timebase import HOUR_MS, day_start_ms, next_day
from lotus.weave.night import DetectorDay, WovenNight, weave_night
from lotus_assets.stages.chain import content_of, day_before, version_of
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.history import Memory
from lotus_assets.stages.lake_tables import Columns
from lotus_store.ledger.braids import read_board
from lotus_store.ledger.lessons import read_lessons
from lotus_store.ledger.priors import read_version

EVENT_COLUMNS = ("detector_id", "theta1", "temperature", *BIN_COLUMNS)
_woven = Memory(4)


def woven_inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """Return what a woven night depends on: lessons, the day's events, board and version of the day before."""
    found = {
        "lessons": content_of(ctx, ctx.branch, day, "lessons"),
        "signal_events": content_of(ctx, ctx.branch, day, "signal_events"),
    }
    before = day_before(ctx, day)
    if before is not None:
        found["braids before"] = content_of(ctx, ctx.branch, before, "braids")
        found["priors before"] = version_of(ctx, before)
    return found


def previous_version(ctx: StageContext, day: str) -> PriorsVersion:
    """Return the version that the day before proposed, the genesis version at the beginning of a branch."""
    before = day_before(ctx, day)
    return priors_0(ctx.branch) if before is None else read_version(ctx.sig, ctx.branch, version_of(ctx, before))


def weave(ctx: StageContext, day: str) -> WovenNight:
    """Return the woven night of `day`; the same inputs are woven once."""
    inputs = woven_inputs(ctx, day)
    key = (ctx.branch, day, ctx.manifest.version, *(word for name in sorted(inputs) for word in (name, inputs[name])))
    return _woven.get(key, lambda: _weave(ctx, day))


def _weave(ctx: StageContext, day: str) -> WovenNight:
    before = day_before(ctx, day)
    board = read_board(ctx.sig, ctx.branch, before) if before is not None else []
    lessons = [lesson for lesson in read_lessons(ctx.sig, ctx.branch, day) if lesson.accepted]
    swap_ms = day_start_ms(next_day(day)) + ctx.manifest.weave.swap_hour_utc * HOUR_MS
    return weave_night(previous_version(ctx, day), board, lessons, _detectors(ctx, day), swap_ms, ctx.manifest)


def _detectors(ctx: StageContext, day: str) -> dict[str, DetectorDay]:
    events = ctx.lake.read("signal_events", ctx.branch, day, columns=EVENT_COLUMNS)
    found = {spec.detector_id: _detector(events, spec.detector_id) for spec in shipped_detectors()}
    return {name: day_of_detector for name, day_of_detector in found.items() if len(day_of_detector.theta1)}


def _detector(events: Columns, name: str) -> DetectorDay:
    mine = np.asarray(events["detector_id"]) == name
    bins = np.column_stack([np.asarray(events[column], dtype=np.uint8)[mine] for column in BIN_COLUMNS])
    theta1 = np.asarray(events["theta1"], dtype=np.float64)[mine]
    temperature = float(events["temperature"][mine][0]) if mine.any() else 0.0
    return DetectorDay(bins, theta1, temperature)
