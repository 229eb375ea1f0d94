"""day_sketches[day]: what is watched of the day, as sketches.

Frames and their quality, the windows' context, the scores of each detector, how different the detectors are. The pairs
of bins of the 28 days before come from their own sketches.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.daily.make import QUALITY_DAYS
from lotus.detectors.registry import specs_ver
from lotus.hashing import natural_id
from lotus.microtape.completeness import TAPE_COMPLETENESS
from lotus.monitoring import novelty
from lotus.monitoring.day_series import (
    NOVEL,
    SCORE_COLUMNS,
    context_series,
    diversity_series,
    frame_series,
    gap_series,
    score_series,
    tape_series,
)
from lotus.monitoring.diversity import DAYS as DIVERSITY_DAYS
from lotus.monitoring.sketch_table import DATA, DAY_SKETCHES, FAMILIES, DaySketches, SeriesName, columns_of, together
from lotus.timebase import day_start_ms, next_day
from lotus_assets.stages.chain import commit_of, content_of
from lotus_assets.stages.context import Made, Stage, StageContext, TextTable
from lotus_assets.stages.day_frames import warmed_frames
from lotus_assets.stages.history import commits_before, detectors_of, digests_before, hashes
from lotus_assets.stages.lake_tables import TablePart, joint_hash, present_of
from lotus_assets.stages.monitoring.past_days import readable_sketches
from lotus_assets.stages.schema_check import schema_check
from lotus_assets.stages.shared_columns import read_shared
from lotus_store.ledger.beliefs.priors import in_force_at, read_version, swaps_within

PARTS = [TablePart(DAY_SKETCHES)]


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """Tape, frames, events and outcomes of the day, outcomes of 20 days, sketches of the 28 days before."""
    detectors, believed = detectors_of(ctx, day), _believed(ctx, day)
    _, history = digests_before(ctx, next_day(day), detectors, DIVERSITY_DAYS)
    return {
        "raw_tape": content_of(ctx, ctx.tape_branch, day, "raw_tape"),
        "microtape_frames": content_of(ctx, ctx.tape_branch, day, "microtape_frames"),
        "signal_eval": content_of(ctx, ctx.branch, day, "signal_eval"),
        "specs": specs_ver(detectors),
        **history,
        **hashes(commits_before(ctx, STAGE.name, day, novelty.DAYS)),
        **({"beliefs acted on": natural_id(*sorted(believed))} if believed else {}),
    }


def make(ctx: StageContext, day: str) -> Made:
    """Sketch the day and write it."""
    sketches = together([*_of_tape(ctx, day), *_of_windows(ctx, day)])
    rows = columns_of(sketches)
    written = ctx.lake.write(DAY_SKETCHES, ctx.branch, day, rows)
    joined = joint_hash(PARTS, [written.content_hash])
    counts = [(family, sum(name.family == family for name in sketches.names)) for family in FAMILIES]
    return Made(
        rows=written.rows,
        content_hash=joined,
        checks=(schema_check(DAY_SKETCHES, rows),),
        notes={**dict(counts), "nulls": int((sketches.count == 0).sum())},
        table=TextTable(("family", "series"), counts),
    )


def _of_tape(ctx: StageContext, day: str) -> list[DaySketches]:
    frames, kernel = warmed_frames(ctx, day), ctx.manifest.kernel
    rows = frames.rows_of_day(day_start_ms(day))
    minutes = ctx.lake.read(
        TAPE_COMPLETENESS.name, ctx.tape_branch, day, columns=("asset", "covered_s", "expected_s")
    )  # fmt: skip
    tape = commit_of(ctx, ctx.tape_branch, day, "raw_tape")
    notes = tape.notes["notes"]
    return [
        *frame_series(frames, rows, kernel.window_ms // kernel.cadence_ms),
        gap_series(minutes, ctx.manifest.universe),
        tape_series(int(notes["duplicates"]), float(notes["late_share"]), tape.rows),
    ]


def _of_windows(ctx: StageContext, day: str) -> list[DaySketches]:
    detectors, universe = detectors_of(ctx, day), ctx.manifest.universe
    history, _ = digests_before(ctx, next_day(day), detectors, DIVERSITY_DAYS)
    events = read_shared(ctx, "signal_events", commit_of(ctx, ctx.branch, day, "signal_events"), SCORE_COLUMNS)
    return [
        *context_series(history[-1], universe, _seen_before(ctx, day, [asset.name for asset in universe])),
        *score_series(events, detectors, universe, _believed(ctx, day)),
        diversity_series(history, len(detectors), ctx.manifest.kernel.window_ms),
    ]


def _believed(ctx: StageContext, day: str) -> set[str]:
    """Return the detectors on which beliefs acted on the days that the day's context penalty was made from."""
    past = commits_before(ctx, "signal_events", day, QUALITY_DAYS)
    if not past:
        return set()
    from_ms = day_start_ms(past[0].day)
    names = [name for _, name in swaps_within(ctx.sig, ctx.branch, from_ms, day_start_ms(day))]
    versions = [in_force_at(ctx.sig, ctx.branch, from_ms), *(read_version(ctx.sig, ctx.branch, name) for name in names)]
    return {braid.detector_id for version in versions for braid in version.braids}


def _seen_before(ctx: StageContext, day: str, assets: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    """Return the pairs of bins that the 28 days before saw, of the assets that they saw."""
    past, _ = readable_sketches(ctx, day, novelty.DAYS)
    out = {}
    for asset in assets:
        name = SeriesName(DATA, asset, "", NOVEL)
        texts = [sketches.pairs[name] for _, sketches in past if name in sketches.pairs]
        if texts:
            out[asset] = novelty.of_texts(texts)
    return out


STAGE = Stage("day_sketches", inputs, make, present_of(PARTS))
