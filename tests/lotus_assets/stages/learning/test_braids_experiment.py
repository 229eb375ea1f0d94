"""A nightly run that takes up a proposal: its rows, its version, and the same end wherever it was stopped."""

from dataclasses import replace

import pytest

from lotus.learning.lesson import Lesson
from lotus.learning.pooled import REASON
from lotus.priors.types import EXPLORATION, Literal, Rule
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.learning import active_priors, braids, meta_braids, woven
from lotus_assets.stages.order import LEARNING_STAGES, TAPE_STAGES
from lotus_store.ledger.beliefs.braids import read_registry
from lotus_store.ledger.beliefs.lessons import read_experiments
from lotus_store.ledger.beliefs.priors import versions

from ..woven_days import NEEDED, run

pytestmark = [pytest.mark.warm("first_day"), pytest.mark.process("whole days through their stages")]
WEAVING = (braids.STAGE, meta_braids.STAGE, active_priors.STAGE)
BEFORE_WEAVING = tuple(s for s in (*TAPE_STAGES, *LEARNING_STAGES) if s.name in NEEDED)


class Stopped(Exception):
    """Stands for a kill: the connection's transaction goes with it."""


def proposal(ctx: StageContext, day: str) -> Lesson:
    return Lesson(
        lesson_id="", branch=ctx.branch, night=day, detector_id="imbalance_persistence", horizon_s=30,
        rule=Rule.of(Literal(0, 0, 1)), sign=1, uplift_bps=3.0, se_bps=1.0, ci95=(1.0, 5.0), lcb_bps=1.0, claim_bps=2.5,
        net_mean_bps=1.0, net_low_bps=0.5, net_high_bps=2.0, sigma_y_bps=10.0, m_nats=5.0, t_stat=4.6, recent_t=4.0,
        critical=1.0, n_windows=400, n_published=50, ess=40.0, n_days=1, n_blocks=4, n_eff_days=1.0, coverage=0.2,
        fill_share=1.0, trials=0, grade="C", state="MODEL_ONLY", reason=REASON,
    ).named()  # fmt: skip


def test_a_night_that_takes_up_a_proposal_ends_the_same_wherever_it_was_stopped(
    ctx: StageContext, days: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(ctx, (*BEFORE_WEAVING, *WEAVING), days[0])
    run(ctx, BEFORE_WEAVING, days[1])
    taught = woven.read_lessons
    monkeypatch.setattr(woven, "read_lessons", lambda c, b, d: [*taught(c, b, d), proposal(ctx, d)])
    written = braids.write_experiments

    def stop(connection: object, branch: str, day: str, kind: str, bodies: object) -> None:
        written(connection, branch, day, kind, bodies)  # type: ignore[arg-type]
        if kind == braids.EXPERIMENT:
            raise Stopped

    with monkeypatch.context() as patched:
        patched.setattr(braids, "write_experiments", stop)
        with pytest.raises(Stopped):
            run(ctx, (braids.STAGE,), days[1])
    assert read_experiments(ctx.sig, ctx.branch, days[1], braids.EXPERIMENT) == {}
    found = run(ctx, WEAVING, days[1])
    (row,) = read_experiments(ctx.sig, ctx.branch, days[1], braids.EXPERIMENT).values()
    (braid,) = read_registry(ctx.sig, ctx.branch)
    assert (row["found"], row["braid_id"], row["is_on"]) == ("", braid.braid_id, bool(braid.patch.knobs))
    assert row["rise"] > 1.1
    (acting,) = versions(ctx.sig, ctx.branch)[-1][0].braids
    assert {knob.key for knob in acting.patch.knobs} <= {EXPLORATION}
    assert run(replace(ctx, force=True), WEAVING, days[1]) == found
    monkeypatch.setattr(woven, "read_lessons", taught)
    run(ctx, (*BEFORE_WEAVING, *WEAVING), days[2])
    (later,) = read_experiments(ctx.sig, ctx.branch, days[2], braids.EXPERIMENT).values()
    assert (later["days"], later["braid_id"]) == (1, braid.braid_id)
    assert 0.0 <= later["drawn"] <= later["budget"]
