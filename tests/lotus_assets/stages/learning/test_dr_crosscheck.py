"""The second opinion: one that disagrees reaches the watchdog and the outbox."""

import json
from dataclasses import replace

import pytest

from lotus.learning.dr_crosscheck import CrossCheck
from lotus.learning.rows import DetectorRows
from lotus.priors.types import Literal, Rule
from lotus.weave.night import BraidEvent
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.learning import active_priors, braids, dr_crosscheck, meta_braids, woven
from lotus_assets.stages.order import LEARNING_STAGES, TAPE_STAGES
from lotus_store.build import git_sha
from lotus_store.ledger.beliefs.braids import read_registry, write_night
from lotus_store.ledger.beliefs.lessons import read_experiments

from ..woven_days import NEEDED, planted, run

pytestmark = [pytest.mark.warm("first_day"), pytest.mark.process("whole days through their stages")]
WEAVING = (braids.STAGE, meta_braids.STAGE, active_priors.STAGE)
BEFORE_WEAVING = tuple(s for s in (*TAPE_STAGES, *LEARNING_STAGES) if s.name in NEEDED)


@pytest.fixture
def learned(ctx: StageContext, days: list[str]) -> StageContext:
    """Two committed days; on the first a braid stands on the board that moves toward its patch on the second."""
    run(ctx, (*BEFORE_WEAVING, *WEAVING), days[0])
    own = planted(ctx, "imbalance_persistence")
    write_night(ctx.sig, ctx.branch, days[0], [own], [BraidEvent("planted", "none", "proposed", "planted", "", "")])
    run(ctx, (*BEFORE_WEAVING, *WEAVING), days[1])
    return ctx


def test_a_second_opinion_that_disagrees_reaches_the_watchdog_and_the_outbox(
    learned: StageContext, days: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = learned
    for module in (dr_crosscheck, woven):
        monkeypatch.setattr(module, "is_judged", lambda day: day == days[2])
    asked = []

    def disagreeing(rows: DetectorRows, rule: Rule, *given: object) -> CrossCheck:
        asked.append((rows.detector_id, rule))
        return CrossCheck(rows.detector_id, rule, len(rows), 9.0, (8.0, 10.0), -3.0, (-4.0, -2.0), False)

    monkeypatch.setattr(dr_crosscheck, "cross_check", disagreeing)
    for _ in range(2):
        run(replace(ctx, force=True), (*BEFORE_WEAVING, *WEAVING), days[2])
    assert set(asked) == {("imbalance_persistence", Rule.of(Literal(0, 0, 3)))}
    (braid,) = read_registry(ctx.sig, ctx.branch)
    assert (braid.state, braid.tags) == ("active", ("disputed",))
    rows = ctx.sig.execute("SELECT envelope FROM sig_inbox WHERE intent = 'WATCHDOG_ALERT'").fetchall()
    (told,) = [json.loads(str(row[0]))["payload"] for row in rows]
    assert (told["kind"], told["braid_id"], told["scope"]) == ("disputed", "planted", "sig")
    assert "ours 9.00 bps (8.00 to 10.00), doubly robust -3.00 (-4.00 to -2.00)" in told["reason"]
    made = ctx.sig.execute(
        "SELECT fixtures_hash, git_sha FROM braid_history WHERE day = %s ORDER BY ordinal DESC", [days[2]]
    ).fetchall()
    run_row = read_experiments(ctx.sig, ctx.branch, days[2], "run")["lessons"]
    assert made == [(run_row["fixtures_hash"], git_sha())]
    assert set(run_row) >= {"run", "config", "fixtures_hash", "priors_ver", "seeds", "metrics", "rejected"}
