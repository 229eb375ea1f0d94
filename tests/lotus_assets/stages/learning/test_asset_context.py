"""A lesson about one coin from the nightly run to the windows it acts on, and what is told of it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lotus.errors import BeliefError
from lotus.learning.lesson import Lesson
from lotus.learning.night import NightResult
from lotus.priors.asset_context import ASSET
from lotus.priors.types import Literal, Rule
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.learning import active_priors, asset_context, braids, lessons, meta_braids, woven
from lotus_assets.stages.order import LEARNING_STAGES, TAPE_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_cli.look.lessons_page import page
from lotus_store.facts.event import story_of
from lotus_store.facts.lessons import night_of
from lotus_store.ledger.beliefs.lessons import read_experiments

from ..woven_days import NEEDED, run

pytestmark = [pytest.mark.warm("first_day"), pytest.mark.process("whole days through their stages")]
WEAVING = (braids.STAGE, meta_braids.STAGE, active_priors.STAGE)
BEFORE_WEAVING = tuple(s for s in (*TAPE_STAGES, *LEARNING_STAGES) if s.name in NEEDED)
DETECTOR = "imbalance_persistence"


def switched(ctx: StageContext, on: bool) -> StageContext:
    """The context with coins as context, or without."""
    learning = replace(ctx.manifest.learning, asset_context=on)
    return replace(ctx, manifest=replace(ctx.manifest, learning=learning))


def about_eth(ctx: StageContext, day: str) -> Lesson:
    """An accepted lesson about one coin."""
    return Lesson(
        lesson_id="", branch=ctx.branch, night=day, detector_id=DETECTOR, horizon_s=30,
        rule=Rule.of(Literal(ASSET, 1, 1)), sign=1, uplift_bps=12.0, se_bps=1.0, ci95=(10.0, 14.0), lcb_bps=4.0,
        claim_bps=10.2, net_mean_bps=6.0, net_low_bps=3.0, net_high_bps=9.0, sigma_y_bps=10.0, m_nats=5.0, t_stat=4.6,
        recent_t=4.0, critical=1.0, n_windows=4000, n_published=500, ess=400.0, n_days=13, n_blocks=26, n_eff_days=11.0,
        coverage=0.3, fill_share=1.0, trials=190000, grade="B", state="IDENTIFIED",
    ).named()  # fmt: skip


def test_a_lesson_about_a_coin_is_put_in_force_scored_there_alone_and_told_by_its_name(
    ctx: StageContext, days: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    on, learn = switched(ctx, True), lessons.learn_from
    accepted, seen = about_eth(ctx, days[1]), list[Any]()

    def accepting(sources: Any, learned: Any, *given: Any, **more: Any) -> NightResult:
        found = learn(sources, learned, *given, **more)
        seen.append((more["vocabulary"], sources[DETECTOR].rows(), found.trials))
        more_lessons = (accepted,) if learned[-1] == days[1] else ()
        return replace(found, lessons=more_lessons, looked=True, trials=accepted.trials)

    monkeypatch.setattr(lessons, "learn_from", accepting)
    monkeypatch.setattr(lessons, "lesson_pictures", lambda *_: {})
    run(on, (*BEFORE_WEAVING, *WEAVING), days[1])
    words, rows, _ = seen[0]
    assert words.features[ASSET].labels == ("BTC", "ETH", "SOL")
    assert np.array_equal(rows.bins[:, ASSET], rows.asset)  # BTC, ETH, SOL stand in this order in both
    (day_rows,) = (woven.rows_of(on, days[1], 1)[DETECTOR],)
    assert day_rows.bins.shape[1] == ASSET + 1
    run(on, BEFORE_WEAVING, days[2])
    events = on.lake.read("signal_events", on.branch, days[2])
    fired = events["fired"].astype(np.int64) != 0
    assert np.array_equal(fired, (events["asset"] == "ETH") & (events["detector_id"] == DETECTOR))
    assert (events["pi"] > 0.0)[fired].any()
    name = str(events["event_id"][fired & (events["s"] != 0.0)][0])
    story = story_of(replace(on.settings, manifest=on.manifest), on.databases, name)
    assert story.explanation.exact
    assert (story.beliefs[0]["rule"], story.beliefs[0]["lesson_id"]) == ("on ETH", accepted.lesson_id)
    assert story.beliefs[0]["days"][0]["windows"] > 0
    assert any("on ETH" in step.text for step in story.explanation.steps)
    night = night_of(replace(on.settings, manifest=on.manifest), days[1], None)
    assert "pays 12.00 bps more where on ETH" in " ".join(page(night, False, False).split())
    assert night.as_json()["lessons"][0]["rule"] == "on ETH"
    with pytest.raises(BeliefError, match="'on ETH' is believed"):
        run_stage(switched(ctx, False), lessons.STAGE, days[2])


def test_without_the_switch_windows_have_twelve_bins_and_the_night_the_same_record(
    ctx: StageContext, days: list[str]
) -> None:
    off = switched(ctx, False)
    assert off.manifest.version == ctx.manifest.version
    assert woven.rows_of(off, days[0], 1)[DETECTOR].bins.shape[1] == ASSET
    run_of = read_experiments(ctx.sig, ctx.branch, days[0], lessons.RUN)[lessons.RUN_OF_LESSONS]
    assert "asset_context" not in run_of["config"]
    assert asset_context.vocabulary(off) != asset_context.vocabulary(switched(ctx, True))
