"""The weave over committed days: reviews and rollbacks between nights, alerts by message, and nights that run again."""

import json
from dataclasses import replace
from typing import Any

import pytest

from lotus.errors import BeliefError
from lotus.learning.lesson import Lesson
from lotus.learning.night import NightResult
from lotus.modules.intents import Module
from lotus.priors.types import Literal, PriorsVersion, Rule
from lotus.weave.night import BraidEvent
from lotus.weave.review import ReviewAct
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.learning import active_priors, braids, lessons, meta_braids, woven
from lotus_assets.stages.order import LEARNING_STAGES, TAPE_STAGES
from lotus_herald.carry import carry
from lotus_herald.consume import consume
from lotus_herald.keys import Keys
from lotus_modules.handlers import SLOW
from lotus_modules.priors.rollback import roll_back, submit
from lotus_store.ledger.beliefs.braids import read_history, read_registry, write_night
from lotus_store.ledger.beliefs.priors import in_force_on, swaps, versions
from lotus_store.ledger.beliefs.reviews import read_outcomes, read_reviews

from ..woven_days import NEEDED, planted, run

pytestmark = [pytest.mark.warm("first_day"), pytest.mark.process("whole days through their stages")]
WEAVING = (braids.STAGE, meta_braids.STAGE, active_priors.STAGE)
BEFORE_WEAVING = tuple(s for s in (*TAPE_STAGES, *LEARNING_STAGES) if s.name in NEEDED)


def act(ctx: StageContext, kind: str, target: str, **changes: object) -> ReviewAct:
    return replace(ReviewAct("", ctx.branch, "", kind, target, "ann"), **changes)  # type: ignore[arg-type]


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
    (braid,) = read_registry(ctx.sig, ctx.branch)
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
    with pytest.raises(BeliefError, match="has the braids of"):
        roll_back(ctx.databases, act(ctx, "rollback", empty.priors_ver), keys)
    first = submit(ctx.databases, act(ctx, "attenuate", "planted", factor=0.5), keys)
    assert submit(ctx.databases, act(ctx, "attenuate", "planted", factor=0.5), keys) == first
    assert {a.kind for a in read_reviews(ctx.sig, ctx.branch, days[1])} == {"rollback", "attenuate"}
    found = run(ctx, (*BEFORE_WEAVING, *WEAVING), days[2])
    assert [(o.act.kind, o.accepted) for o in sorted(read_outcomes(ctx.sig, ctx.branch), key=lambda o: o.act.kind)] == [
        ("attenuate", False),
        ("rollback", True),
    ]
    (ended,) = read_registry(ctx.sig, ctx.branch)
    assert ended.state == "sunset"
    assert "rolled back" in ended.reason
    assert last(ctx).braids == ()
    assert run(replace(ctx, force=True), WEAVING, days[2]) == {
        k: found[k] for k in ("braids", "meta_braids", "active_priors")
    }
    assert [h["new_state"] for h in read_history(ctx.sig, "planted")] == ["proposed", "active", "sunset"]


def test_a_revert_of_the_watchdog_is_told_once(learned: StageContext, days: list[str]) -> None:
    ctx = learned
    (braid,) = read_registry(ctx.sig, ctx.branch)
    due = replace(braid, expires_at_ms=woven.swap_ms(ctx, days[2]))
    write_night(ctx.sig, ctx.branch, days[1], [due], [BraidEvent("planted", "proposed", "active", "planted", "", "")])
    for _ in range(2):
        run(replace(ctx, force=True), (*BEFORE_WEAVING, *WEAVING), days[2])
    rows = ctx.sig.execute("SELECT envelope FROM sig_inbox WHERE intent = 'WATCHDOG_ALERT'").fetchall()
    assert len(rows) == 1
    assert '"kind":"expired"' in str(rows[0][0]).replace(" ", "")


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
        found = consume(ctx.databases, module, SLOW[module], Keys(ctx.settings.keys_root), 0, ctx.branch)
        assert found == {"applied": 1}
    with ctx.databases.connect("atlas") as atlas:
        mirrored = atlas.execute("SELECT module, kind FROM lotus_ledger WHERE kind = 'LESSON_PUBLISHED'").fetchall()
    assert mirrored == [("sig", "LESSON_PUBLISHED")]
