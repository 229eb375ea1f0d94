"""The weave over committed days: reviews and rollbacks between nights, alerts by message, and nights that run again."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lotus.errors import BeliefError
from lotus.learning.dr_crosscheck import CrossCheck
from lotus.learning.lesson import Lesson
from lotus.learning.night import NightResult
from lotus.learning.rows import DetectorRows
from lotus.modules.intents import Module
from lotus.priors.types import IDENTITY, Literal, Patch, PriorsVersion, Rule, priors_version
from lotus.weave.admission import DetectorDay
from lotus.weave.braid import Braid, Quality
from lotus.weave.night import BraidEvent, NightInputs, weave_night
from lotus.weave.review import ReviewAct
from lotus.weave.watchdog import Evidence
from lotus_assets.stages import active_priors, braids, dr_crosscheck, lessons, meta_braids, woven
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.order import LEARNING_STAGES, TAPE_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_herald.carry import carry
from lotus_herald.consume import consume
from lotus_herald.keys import Keys
from lotus_modules.priors.rollback import roll_back, submit
from lotus_modules.slow import SLOW_HANDLERS
from lotus_store.build import git_sha
from lotus_store.ledger.braids import read_board, read_history, write_night
from lotus_store.ledger.lessons import read_experiments, write_experiments
from lotus_store.ledger.priors import in_force_on, swaps, versions
from lotus_store.ledger.reviews import read_outcomes, read_reviews

pytestmark = [pytest.mark.warm("first_day"), pytest.mark.process("whole days through their stages")]

WEAVING = (braids.STAGE, meta_braids.STAGE, active_priors.STAGE)
NEEDED = {
    "raw_tape", "microtape_frames", "dsi_annotations", "expert_set", "signal_events", "signal_eval", "payoff_scores",
    "lesson_atoms", "lessons", "dr_crosscheck",
}  # fmt: skip
BEFORE_WEAVING = tuple(s for s in (*TAPE_STAGES, *LEARNING_STAGES) if s.name in NEEDED)


def run(ctx: StageContext, stages: Sequence[object], day: str) -> dict[str, str]:
    """Run stages of a day and return their hashes."""
    found = {}
    for stage in stages:
        result = run_stage(ctx, stage, day)  # type: ignore[arg-type]
        assert not result.failed_checks, result.failed_checks
        found[result.stage] = result.content_hash
    return found


def act(ctx: StageContext, kind: str, target: str, **changes: object) -> ReviewAct:
    return replace(ReviewAct("", ctx.branch, "", kind, target, "ann"), **changes)  # type: ignore[arg-type]


def planted(ctx: StageContext, detector: str) -> Braid:
    return Braid(
        braid_id="planted", branch=ctx.branch, braid_type="micro", detector_id=detector, horizon_s=30,
        rule=Rule.of(Literal(0, 0, 3)), sign=1, lesson_id="l", grade="B", claim_bps=5.0, lcb_bps=2.0, ci95=(1.0, 9.0),
        support=100, quality=Quality(0.5, 0.0, 0.1, 0.1), target=Patch(-0.06, 1.03), patch=IDENTITY, delta_wanted=0.2,
        delta_realised=(0.0, 0.0, 0.0), state="proposed", reason="accepted lesson", effective_from_ms=0,
        expires_at_ms=2**52, members_sample=(),
    )  # fmt: skip


@pytest.fixture
def learned(ctx: StageContext, days: list[str]) -> StageContext:
    """Two committed days; on the first a braid stands on the board that moves toward its patch on the second."""
    run(ctx, (*BEFORE_WEAVING, *WEAVING), days[0])
    own = planted(ctx, "imbalance_persistence")
    write_night(ctx.sig, ctx.branch, days[0], [own], [BraidEvent("planted", "none", "proposed", "planted", "", "")])
    run(ctx, (*BEFORE_WEAVING, *WEAVING), days[1])
    return ctx


def last(ctx: StageContext) -> PriorsVersion:
    return versions(ctx.sig, ctx.branch)[-1][0]


def test_reviews_and_a_rollback_between_nights_end_the_same_when_run_again(
    learned: StageContext, days: list[str]
) -> None:
    ctx, keys = learned, Keys(learned.settings.keys_root)
    (braid,) = read_board(ctx.sig, ctx.branch)
    assert (braid.state, braid.in_force) == ("active", True)
    acting = last(ctx)
    assert [b.braid_id for b in acting.braids] == ["planted"]
    assert woven.previous_version(ctx, days[2]) == acting
    empty = versions(ctx.sig, ctx.branch)[0][0]
    back = roll_back(ctx.databases, act(ctx, "rollback", empty.priors_ver), keys)
    assert back.braids == empty.braids == ()
    assert woven.previous_version(ctx, days[2]) == back
    assert woven.previous_version(ctx, days[1]) == empty
    assert swaps(ctx.sig, ctx.branch)[-1] == (back.effective_from_ms, back.priors_ver)
    assert back.priors_ver in {v.priors_ver for v in in_force_on(ctx.sig, ctx.branch, days[2])}
    with pytest.raises(BeliefError, match="says the same"):
        roll_back(ctx.databases, act(ctx, "rollback", empty.priors_ver), keys)
    first = submit(ctx.databases, act(ctx, "attenuate", "planted", factor=0.5), keys)
    assert submit(ctx.databases, act(ctx, "attenuate", "planted", factor=0.5), keys) == first
    assert {a.kind for a in read_reviews(ctx.sig, ctx.branch, days[1])} == {"rollback", "attenuate"}
    found = run(ctx, (*BEFORE_WEAVING, *WEAVING), days[2])
    assert [(o.act.kind, o.accepted) for o in sorted(read_outcomes(ctx.sig, ctx.branch), key=lambda o: o.act.kind)] == [
        ("attenuate", False),
        ("rollback", True),
    ]
    (ended,) = read_board(ctx.sig, ctx.branch)
    assert ended.state == "sunset"
    assert "rolled back" in ended.reason
    assert last(ctx).braids == ()
    assert run(replace(ctx, force=True), WEAVING, days[2]) == {
        k: found[k] for k in ("braids", "meta_braids", "active_priors")
    }
    assert [h["new_state"] for h in read_history(ctx.sig, "planted")] == ["proposed", "active", "sunset"]


def test_a_revert_of_the_watchdog_is_told_once(learned: StageContext, days: list[str]) -> None:
    ctx = learned
    (braid,) = read_board(ctx.sig, ctx.branch)
    due = replace(braid, expires_at_ms=woven.swap_ms(ctx, days[2]))
    write_night(ctx.sig, ctx.branch, days[1], [due], [BraidEvent("planted", "proposed", "active", "planted", "", "")])
    for _ in range(2):
        run(replace(ctx, force=True), (*BEFORE_WEAVING, *WEAVING), days[2])
    rows = ctx.sig.execute("SELECT envelope FROM sig_inbox WHERE intent = 'WATCHDOG_ALERT'").fetchall()
    assert len(rows) == 1
    assert '"kind":"expired"' in str(rows[0][0]).replace(" ", "")


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
    (braid,) = read_board(ctx.sig, ctx.branch)
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


def test_the_weekly_conflict_map_is_shown_and_kept(
    ctx: StageContext, days: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    board = [replace(planted(ctx, "d"), patch=Patch(-0.01, 1.01), state="active")]
    board.append(replace(board[0], braid_id="wide", rule=Rule.of(Literal(0, 0, 1))))
    bins = np.tile(np.arange(4, dtype=np.uint8)[:, None], (25, 12))
    one = DetectorDay(bins, np.full(100, 0.4), 0.12)
    previous = priors_version(ctx.branch, 0, tuple(b.active() for b in board))
    night = weave_night(previous, board, [], {"d": one}, 5, ctx.manifest, NightInputs(Evidence(days[0])))
    monkeypatch.setattr(braids, "weave", lambda *given: night)
    made = braids.make(ctx, days[0])
    write_experiments(ctx.sig, ctx.branch, days[0], "run", {"lessons": {"fixtures_hash": "f"}})
    assert made.ledger is not None
    made.ledger(ctx.sig)
    assert "| d | planted | wide | 0.500 |" in made.documents["conflict_map"]
    rows = read_experiments(ctx.sig, ctx.branch, days[0], "overlap")
    assert rows == {"planted wide": {"detector_id": "d", "first": "planted", "second": "wide", "jaccard": 0.5}}


def test_a_board_with_a_wrong_parent_is_not_written(ctx: StageContext, days: list[str]) -> None:
    own = planted(ctx, "d")
    meta = replace(own, braid_id="m", braid_type="meta", op="INTERSECT", parents=("planted", "gone"))
    told = [BraidEvent("m", "none", "active", "made up", "", "")]
    with pytest.raises(BeliefError, match="names the parent gone"):
        write_night(ctx.sig, ctx.branch, days[0], [own, meta], told)
    assert read_board(ctx.sig, ctx.branch) == []


def test_what_a_night_accepts_is_told_to_dm_and_tr_once(
    ctx: StageContext, days: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted = Lesson(
        lesson_id="", branch=ctx.branch, night=days[0], detector_id="imbalance_persistence", horizon_s=30,
        rule=Rule.of(Literal(0, 0, 3)), sign=1, uplift_bps=12.0, se_bps=1.0, ci95=(10.0, 14.0), lcb_bps=4.0,
        claim_bps=10.2, net_mean_bps=6.0, net_low_bps=3.0, net_high_bps=9.0, sigma_y_bps=10.0, m_nats=5.0, t_stat=4.6,
        recent_t=4.0, critical=1.0, n_windows=4000, n_published=500, ess=400.0, n_days=13, n_blocks=26, n_eff_days=11.0,
        coverage=0.4, fill_share=1.0, trials=174965, grade="B", state="IDENTIFIED",
    ).named()  # fmt: skip
    learn = lessons.learn_from

    def accepting(*given: Any, **more: Any) -> NightResult:
        return replace(learn(*given, **more), lessons=(accepted,), looked=True, trials=accepted.trials)

    monkeypatch.setattr(lessons, "learn_from", accepting)
    monkeypatch.setattr(lessons, "lesson_horizons", lambda *_: {})
    monkeypatch.setattr(lessons, "lesson_pictures", lambda *_: {})
    for _ in range(2):
        run(replace(ctx, force=True), BEFORE_WEAVING[:-1], days[0])
    carry(ctx.databases, ctx.branch)
    for module in (Module.DM, Module.TR):
        with ctx.databases.connect(module.value) as own:
            rows = own.execute(f"SELECT envelope FROM {module}_inbox WHERE intent = 'LESSON_PUBLISHED'").fetchall()
        (told,) = [json.loads(str(row[0])) for row in rows]
        assert (told["from"], told["payload"]["lesson_id"]) == ("sig", accepted.lesson_id)
        found = consume(ctx.databases, module, SLOW_HANDLERS[module], Keys(ctx.settings.keys_root), 0, ctx.branch)
        assert found == {"applied": 1}
    with ctx.databases.connect("atlas") as atlas:
        mirrored = atlas.execute("SELECT module, kind FROM lotus_ledger WHERE kind = 'LESSON_PUBLISHED'").fetchall()
    assert mirrored == [("sig", "LESSON_PUBLISHED")]
