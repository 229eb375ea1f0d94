"""`lotus_assets/stages/learning/asset_context.py`: a lesson about a segment from the nightly run to its windows."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lotus.detectors.daily.segment_set import SHIPPED, SegmentSet
from lotus.errors import BeliefError
from lotus.learning.lesson import Lesson
from lotus.learning.night import NightResult
from lotus.priors.segment_context import SEGMENT, SEGMENT_COLUMN
from lotus.priors.types import Literal, Rule
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.learning import active_priors, braids, lessons, meta_braids, woven
from lotus_assets.stages.order import LEARNING_STAGES, TAPE_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_cli.look.lessons_page import page
from lotus_store.branch_settings import write_branch_settings
from lotus_store.facts.event import story_of
from lotus_store.facts.lessons import night_of
from lotus_store.ledger.beliefs.segments import put_segments

from ..woven_days import NEEDED, run

pytestmark = [pytest.mark.warm("first_day"), pytest.mark.process("whole days through their stages")]
WEAVING = (braids.STAGE, meta_braids.STAGE, active_priors.STAGE)
BEFORE_WEAVING = tuple(s for s in (*TAPE_STAGES, *LEARNING_STAGES) if s.name in NEEDED)
DETECTOR = "imbalance_persistence"


def switched(ctx: StageContext, **context: Any) -> StageContext:
    """The context with segments or coins as context, or without."""
    return replace(ctx, manifest=replace(ctx.manifest, learning=replace(ctx.manifest.learning, **context)))


def halves(ctx: StageContext, day: str, from_day: str) -> tuple[SegmentSet, Callable[[Any], Any]]:
    """A list of two labels, by the median volatility of each coin, and what it says of events."""
    events = ctx.lake.read("signal_events", ctx.branch, day)
    names = tuple(a.name for a in ctx.manifest.universe)
    cuts = {n: float(f"{np.nanmedian(events['x_vol'][events['asset'] == n].astype(float)):.4g}") for n in names}
    texts = tuple((f"vol <= {cuts[n]!r}bps/sqrt(min)", f"vol > {cuts[n]!r}bps/sqrt(min)") for n in names)

    def labels(rows: Any) -> Any:
        vol, cut = rows["x_vol"].astype(float), np.array([cuts[n] for n in rows["asset"].tolist()])
        return np.where(np.isnan(vol), 255, vol > cut)

    return SegmentSet(from_day, day, names, texts, 0.5, SHIPPED, 3, (), (0.5, 0.5)), labels


def about_the_wild_half(ctx: StageContext, day: str) -> Lesson:
    """An accepted lesson about one segment."""
    return Lesson(
        lesson_id="", branch=ctx.branch, night=day, detector_id=DETECTOR, horizon_s=30,
        rule=Rule.of(Literal(SEGMENT, 1, 1)), sign=1, uplift_bps=12.0, se_bps=1.0, ci95=(10.0, 14.0), lcb_bps=4.0,
        claim_bps=10.2, net_mean_bps=6.0, net_low_bps=3.0, net_high_bps=9.0, sigma_y_bps=10.0, m_nats=5.0, t_stat=4.6,
        recent_t=4.0, critical=1.0, n_windows=4000, n_published=500, ess=400.0, n_days=13, n_blocks=26, n_eff_days=11.0,
        coverage=0.3, fill_share=1.0, trials=190000, grade="B", state="IDENTIFIED",
    ).named()  # fmt: skip


def test_a_lesson_about_a_segment_is_searched_put_in_force_scored_there_alone_and_read_by_its_name(
    ctx: StageContext, days: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    on, learn = switched(ctx, segment_context=True), lessons.learn_from
    made, labels = halves(on, days[0], days[1])
    put_segments(on.sig, on.branch, made)
    write_branch_settings(on.settings.home, on.branch, {"learning": {"segment_context": True}})
    accepted, seen = about_the_wild_half(ctx, days[1]), list[Any]()

    def accepting(sources: Any, learned: Any, *given: Any, **more: Any) -> NightResult:
        found = learn(sources, learned, *given, **more)
        seen.append((more["vocabulary"], sources[DETECTOR].rows()))
        more_lessons = (accepted,) if learned[-1] == days[1] else ()
        return replace(found, lessons=more_lessons, looked=True, trials=accepted.trials)

    monkeypatch.setattr(lessons, "learn_from", accepting)
    monkeypatch.setattr(lessons, "lesson_pictures", lambda *_: {})
    run(on, (*BEFORE_WEAVING, *WEAVING), days[1])
    words, rows = seen[0]
    assert words.bin_columns[SEGMENT] == SEGMENT_COLUMN
    assert set(np.unique(rows.bins[:, SEGMENT])) == {0, 1, 255}  # 255 before the list
    (day_rows,) = (woven.rows_of(on, days[1], 1)[DETECTOR],)
    assert day_rows.bins.shape[1] == SEGMENT + 1
    run(on, BEFORE_WEAVING, days[2])
    events = on.lake.read("signal_events", on.branch, days[2])
    fired = events["fired"].astype(np.int64) != 0
    assert np.array_equal(fired, (labels(events) == 1) & (events["detector_id"] == DETECTOR))
    assert (events["pi"] > 0.0)[fired].any()
    name = str(events["event_id"][fired & (events["s"] != 0.0)][0])
    story = story_of(replace(on.settings, manifest=on.manifest), on.databases, name)
    assert story.explanation.exact
    assert (story.beliefs[0]["rule"], story.beliefs[0]["lesson_id"]) == ("in segment 1", accepted.lesson_id)
    assert story.beliefs[0]["days"][0]["windows"] > 0
    night = night_of(replace(on.settings, manifest=on.manifest), days[1], None)
    assert "pays 12.00 bps more where in segment 1" in " ".join(page(night, False, False).split())
    for other in ({}, {"asset_context": True}):
        with pytest.raises(BeliefError, match="segment_context is off and 'in segment 1' is believed"):
            run_stage(switched(ctx, **other), lessons.STAGE, days[2])
