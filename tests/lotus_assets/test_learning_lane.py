"""The order of a day's results: what no belief is made from runs on a second thread, and the beliefs wait for it."""

import threading
from collections.abc import Iterator

import pytest

from lotus.errors import BeliefError
from lotus_assets import learning_lane as lane
from lotus_assets.catalogue import BY_NAME
from lotus_assets.stages.chain import LAST_STAGE
from lotus_assets.stages.context import CheckOutcome, Stage, StageContext, StageResult
from lotus_assets.stages.order import LEARNING_STAGES, STAGES

DAY = "2026-01-05"
NAMES = [stage.name for stage in LEARNING_STAGES]


@pytest.fixture
def second(ctx: StageContext) -> Iterator[lane.SecondThread]:
    """The thread beside the day."""
    with lane.second_thread(ctx) as thread:
        yield thread


def test_what_leads_to_beliefs_reads_nothing_that_runs_beside_it() -> None:
    assert set(NAMES) >= lane.BESIDE
    readers = [name for name in NAMES if name not in lane.BESIDE and name not in lane.READS_ALL - {LAST_STAGE}]
    assert not {(name, dep) for name in readers for dep, _ in BY_NAME[name].deps if dep in lane.BESIDE}
    assert readers[-1] == LAST_STAGE
    assert set(NAMES[NAMES.index(LAST_STAGE) :]) == lane.READS_ALL


def test_the_rest_of_a_day_runs_beside_what_leads_to_beliefs_which_wait_for_it(
    ctx: StageContext, second: lane.SecondThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    others_ran = threading.Event()
    ran: dict[str, tuple[int, object]] = {}

    def run_stage(own: StageContext, stage: Stage, day: str) -> StageResult:
        if stage.name == "detector_audits":
            assert others_ran.wait(20.0), "nothing ran while the audits did"
        if stage.name == "braids":
            others_ran.set()
        if stage.name == LAST_STAGE:
            assert ran.keys() == set(NAMES) - lane.READS_ALL
        ran[stage.name] = threading.get_ident(), own.sig
        return StageResult(stage.name, day, 0, "", "", {})

    monkeypatch.setattr(lane, "run_stage", run_stage)
    came = [result.stage for result in lane.day_results(ctx, LEARNING_STAGES, DAY, second)]
    assert sorted(came) == sorted(NAMES)
    for part in (lane.BESIDE, set(NAMES) - lane.BESIDE):
        assert [name for name in came if name in part] == [name for name in NAMES if name in part]
    assert all(came.index(dep) < came.index(name) for name in NAMES for dep, _ in BY_NAME[name].deps if dep in came)
    here = {name for name, (thread, _) in ran.items() if thread == threading.get_ident()}
    assert here == set(NAMES) - lane.BESIDE
    assert {name for name, (_, sig) in ran.items() if sig is ctx.sig} == here, "a thread has a connection of its own"


@pytest.mark.parametrize("raises", [True, False])
def test_a_failure_beside_the_day_ends_what_stands_behind_it_before_beliefs_are_made(
    ctx: StageContext, second: lane.SecondThread, monkeypatch: pytest.MonkeyPatch, raises: bool
) -> None:
    ran = []

    def run_stage(own: StageContext, stage: Stage, day: str) -> StageResult:
        ran.append(stage.name)
        failed = stage.name == "expert_training"
        if failed and raises:
            raise BeliefError("no events", "events")
        return StageResult(stage.name, day, 0, "", "", {}, (CheckOutcome("schema", not failed, "broken"),))

    def until_failure() -> Iterator[str]:
        for result in lane.day_results(ctx, LEARNING_STAGES, DAY, second):
            if result.failed_checks:
                raise BeliefError(result.checks[0].text, "events")
            yield result.stage

    monkeypatch.setattr(lane, "run_stage", run_stage)
    with pytest.raises(BeliefError, match="no events" if raises else "broken"):
        list(until_failure())
    assert "expert_training" in ran
    assert not {"expert_stats", "dm_knowledge", LAST_STAGE} & set(ran)


def test_stages_without_beliefs_are_waited_for_and_a_later_day_is_read_ahead(
    ctx: StageContext, second: lane.SecondThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    monkeypatch.setattr(lane, "run_stage", lambda own, stage, day: StageResult(stage.name, day, 0, "", "", {}))
    monkeypatch.setattr(lane, "warmed_frames", lambda own, day: read.append(day))
    some = [STAGES[name] for name in ("signal_events", "detector_audits", "meta_signals")]
    for day, after in ((DAY, "2026-01-06"), ("2026-01-06", None)):
        came = [result.stage for result in lane.day_results(ctx, some, day, second, day_after=after)]
        assert came == ["signal_events", "detector_audits", "meta_signals"]
    assert read == ["2026-01-06"]
