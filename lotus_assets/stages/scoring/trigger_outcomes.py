"""trigger_outcomes[day]: published windows whose detector proposes a trigger, fired against expired."""

from collections.abc import Mapping

import numpy as np

from lotus.detectors.registry import known_detectors
from lotus.detectors.spec_triggers import suggested
from lotus.outcomes.trigger_outcomes import CUT, EXPIRED, FIRED, TRIGGER_OUTCOMES, trigger_outcomes
from lotus_assets.stages.chain import commit_of, content_of
from lotus_assets.stages.context import Made, Stage, StageContext, TextTable
from lotus_assets.stages.day_frames import warmed_frames
from lotus_assets.stages.lake_tables import Columns, LakeTable, TablePart, joint_hash, present_of
from lotus_assets.stages.schema_check import schema_check
from lotus_assets.stages.shared_columns import read_shared

PARTS = [TablePart(TRIGGER_OUTCOMES)]
_COLUMNS = ("event_id", "detector_id", "spec_version", "asset", "window_end_ms", "horizon_s", "s", "published")


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The day's events and frames, and the triggers as the specifications name them."""
    return {
        "signal_events": content_of(ctx, ctx.branch, day, "signal_events"),
        "microtape_frames": content_of(ctx, ctx.tape_branch, day, "microtape_frames"),
        **{spec.detector_id: repr(spec.triggers) for spec in known_detectors() if spec.triggers},
    }


def make(ctx: StageContext, day: str) -> Made:
    """Watch every trigger that was proposed, and write what came of it."""
    events, triggers = _proposed(ctx, day)
    rows = trigger_outcomes(events, triggers, warmed_frames(ctx, day)) if triggers else _NONE
    written = ctx.lake.write(TRIGGER_OUTCOMES, ctx.branch, day, rows)
    checks = (schema_check(TRIGGER_OUTCOMES, rows),)
    counts = {status: int((rows["status"] == status).sum()) for status in (FIRED, EXPIRED, CUT)}
    return Made(written.rows, joint_hash(PARTS, [written.content_hash]), checks, counts, _by_detector(rows))


def _proposed(ctx: StageContext, day: str) -> tuple[LakeTable, list[str]]:
    specs = {(spec.detector_id, spec.version): spec for spec in known_detectors() if spec.triggers}
    events = read_shared(ctx, "signal_events", commit_of(ctx, ctx.branch, day, "signal_events"), _COLUMNS)
    chosen, triggers = [], []
    for row in np.flatnonzero(events["published"].astype(np.bool_)).tolist():
        spec = specs.get((str(events["detector_id"][row]), int(events["spec_version"][row])))
        for text in suggested(spec.triggers, float(events["s"][row])) if spec is not None else ():
            chosen.append(row)
            triggers.append(text)
    return {name: values[chosen] for name, values in events.items()}, triggers


def _by_detector(rows: Columns) -> TextTable:
    lines = []
    for detector in sorted(set(rows["detector_id"].tolist())):
        own_rows = rows["detector_id"] == detector
        fired, expired = (own_rows & (rows["status"] == status) for status in (FIRED, EXPIRED))
        numbers = (
            _mean(rows["fired_bps"][fired]),
            _mean(rows["at_once_bps"][fired]),
            _mean(rows["at_once_bps"][expired]),
        )
        lines.append((detector, int(fired.sum()), int(expired.sum()), *numbers))
    header = ("detector", "fired", "expired", "mean bps from the firing", "fired: at once", "expired: at once")
    return TextTable(header, lines)


def _mean(values: np.ndarray) -> float:
    return float(values.astype(np.float64).mean()) if len(values) else float("nan")


_NONE: LakeTable = {name: np.empty(0, dtype=TRIGGER_OUTCOMES.numpy_dtype(name)) for name in TRIGGER_OUTCOMES.names}
STAGE = Stage("trigger_outcomes", inputs, make, present_of(PARTS))
