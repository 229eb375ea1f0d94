"""The order of a day's results: audits run beside the other stages and are told before whoever reads them."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from lotus.errors import BeliefError
from lotus_assets import learning_lane as lane
from lotus_assets.stages.context import Stage, StageContext, StageResult
from lotus_assets.stages.order import LEARNING_STAGES
from lotus_assets.stages.scoring import detector_audits, detector_cards, meta_signals, signal_events

DAY = "2026-01-05"


@pytest.fixture
def aside() -> Iterator[ThreadPoolExecutor]:
    """The thread of the audits."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_audits_run_beside_the_day_and_are_told_before_the_cards(
    ctx: StageContext, aside: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    others_ran = threading.Event()
    ran: dict[str, tuple[int, object]] = {}

    def run_stage(own: StageContext, stage: Stage, day: str) -> StageResult:
        if stage is detector_audits.STAGE:
            assert others_ran.wait(20.0), "nothing ran while the audits did"
        if stage is meta_signals.STAGE:
            others_ran.set()
        ran[stage.name] = threading.get_ident(), own.sig
        return StageResult(stage.name, day, 0, "", "", {})

    monkeypatch.setattr(lane, "run_stage", run_stage)
    told = [result.stage for result in lane.day_results(ctx, LEARNING_STAGES, DAY, aside)]
    names = [stage.name for stage in LEARNING_STAGES]
    assert sorted(told) == sorted(names)
    assert told.index("detector_audits") == told.index("detector_cards") - 1
    assert [name for name in told if name != "detector_audits"] == [n for n in names if n != "detector_audits"]
    here = {name for name, (thread, _) in ran.items() if thread == threading.get_ident()}
    assert here == set(names) - {"detector_audits"}
    assert {name for name, (_, sig) in ran.items() if sig is ctx.sig} == here, "a thread has a connection of its own"


def test_audits_without_cards_are_told_at_the_end_and_their_error_is_raised(
    ctx: StageContext, aside: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_stage(own: StageContext, stage: Stage, day: str) -> StageResult:
        if stage is detector_audits.STAGE and day != DAY:
            raise BeliefError("no events", "events")
        return StageResult(stage.name, day, 0, "", "", {})

    monkeypatch.setattr(lane, "run_stage", run_stage)
    some = (signal_events.STAGE, detector_audits.STAGE, meta_signals.STAGE)
    told = [result.stage for result in lane.day_results(ctx, some, DAY, aside)]
    assert told == ["signal_events", "meta_signals", "detector_audits"]
    with pytest.raises(BeliefError, match="no events"):
        list(lane.day_results(ctx, (*some, detector_cards.STAGE), "2026-01-06", aside))
