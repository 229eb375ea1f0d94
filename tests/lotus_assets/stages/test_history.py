"""A deprecated version is retired, and publishes nothing, from the next day on."""

from dataclasses import replace

import pytest

from lotus.detectors.cards.card_table import DETECTOR_CARDS
from lotus.detectors.registry import shipped_detectors
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.experts import expert_set
from lotus_assets.stages.history import gates_before, retired
from lotus_assets.stages.order import TAPE_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_assets.stages.scoring import signal_events

from .carded_days import run

pytestmark = [pytest.mark.warm("first_day"), pytest.mark.process("whole days through their stages")]
DETECTORS = shipped_detectors()
NAMES = [d.detector_id for d in DETECTORS]


def test_a_deprecated_version_is_retired_from_the_next_day_on(ctx: StageContext, days: list[str]) -> None:
    run(ctx, days[:1])
    assert not any(gates_before(ctx, days[1], DETECTORS).values())
    assert run_tape(ctx, days[1])
    before = signal_events.inputs(ctx, days[1])
    rows = ctx.lake.read("detector_cards", ctx.branch, days[0])
    rows["stage"][2] = "deprecated"
    ctx.lake.write(DETECTOR_CARDS, ctx.branch, days[0], rows)
    assert gates_before(ctx, days[0], DETECTORS) == {}
    assert retired(gates_before(ctx, days[1], DETECTORS)) == {NAMES[2]}
    after = signal_events.inputs(ctx, days[1])
    assert {name for name in after if after[name] != before[name]} == {"gates"}
    newer = [replace(d, version=d.version + 1) for d in DETECTORS]
    assert gates_before(ctx, days[1], newer) == {}


def run_tape(ctx: StageContext, day: str) -> bool:
    """Run what a day is scored from."""
    return all(not run_stage(ctx, stage, day).failed_checks for stage in (*TAPE_STAGES, expert_set.STAGE))
