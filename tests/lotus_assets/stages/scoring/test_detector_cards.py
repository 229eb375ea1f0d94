"""The cards of a tiny world: one row per version and day, lives that grow, the same again, shown in Dagster."""

import json
from dataclasses import replace

import dagster as dg
import numpy as np
import pytest

from lotus.detectors.audits.leakage import is_shuffled
from lotus.detectors.registry import shipped_detectors
from lotus_assets.pages.metadata import metadata_of
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.experts import expert_set
from lotus_assets.stages.order import TAPE_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_assets.stages.scoring import detector_audits, detector_cards, signal_eval, signal_events

from ..carded_days import run

pytestmark = [pytest.mark.warm("first_day"), pytest.mark.process("whole days through their stages")]
DETECTORS = shipped_detectors()
NAMES = [d.detector_id for d in DETECTORS]


def test_cards_of_two_days(ctx: StageContext, days: list[str]) -> None:
    first, second = run(ctx, days[:2])
    one, two = (ctx.lake.read("detector_cards", ctx.branch, day) for day in days[:2])
    events = ctx.lake.read("signal_events", ctx.branch, days[0], columns=("detector_id", "s", "published"))
    for k, name in enumerate(NAMES):
        mine = (events["detector_id"] == name) & (events["s"] != 0.0)
        assert (one["detector_id"][k], one["stage"][k], one["since"][k]) == (name, "experimental", days[0])
        assert one["signals"][k] == mine.sum() > 0
        assert one["published"][k] == events["published"][mine].sum()
        assert json.loads(two["life"][k]) == json.loads(one["life"][k])
        assert f"After {days[1]}, over 2 learning days" in two["card"][k]
        assert "no_look_ahead | passed" in two["card"][k]
        assert "truncation | passed" in two["card"][k]
        assert ("label_shuffle | passed" in two["card"][k]) == is_shuffled(ctx.manifest.score.seed, days[1])
    assert np.all(two["days"] == 2)
    assert np.all(two["signals"] > one["signals"])
    shown = metadata_of(second)
    assert all(isinstance(shown[f"card_{d.detector_id}_v{d.version}"], dg.MarkdownMetadataValue) for d in DETECTORS)
    assert shown["experimental"].value == len(NAMES)
    again = [run_stage(replace(ctx, force=True), detector_cards.STAGE, day) for day in days[:2]]
    assert [r.content_hash for r in again] == [first.content_hash, second.content_hash]


def test_inputs_are_the_days_events_outcomes_and_the_cards_before(ctx: StageContext, days: list[str]) -> None:
    run(ctx, days[:1])
    for stage in (*TAPE_STAGES, expert_set.STAGE, signal_events.STAGE, detector_audits.STAGE, signal_eval.STAGE):
        run_stage(ctx, stage, days[1])
    found = detector_cards.inputs(ctx, days[1])
    wanted = {f"{stage}[{day}]" for stage in ("signal_events", "signal_eval") for day in days[:2]}
    assert found.keys() >= wanted | {f"detector_cards[{days[0]}]", "specs"}
