"""What was shown is put in force once, with its messages; ended, vetoed or refused it goes; cut off, the same end."""

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from lotus.coprocessor.settlement import CandidateStep
from lotus.errors import ConfigError
from lotus.timebase import next_day
from lotus_assets.breeding import settle
from lotus_assets.breeding.audits import CandidateAudits
from lotus_assets.breeding.forward import detector_of, in_force, in_shadow, score_forward
from lotus_assets.breeding.settle import settle_night, veto
from lotus_store.databases import Databases
from lotus_store.ledger.beliefs.candidates import days_of, put_candidate_day, steps_of
from lotus_store.ledger.beliefs.detector_sets import detectors_on, read_detector_sets
from tests.lotus_assets.breeding.forward_home import DAYS, genome, may_enter

SOUND = CandidateAudits(6, (), ())


@pytest.fixture
def shown(ctx: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A home in which the planted pattern was shown; audits pass."""
    ctx.settings = SimpleNamespace(keys_root=tmp_path / "keys")
    ctx.name = may_enter(ctx.sig, genome())
    ctx.audits = SOUND
    monkeypatch.setattr(settle, "audited", lambda c, day, spec: c.audits)
    assert score_forward(ctx)["states"] == {ctx.name: "shown"}
    return ctx


def taken(ctx: Any) -> list[tuple[str, str]]:
    """Return the steps so far, with what decided."""
    return [(s.step, s.check) for s in steps_of(ctx.sig, "main").get(ctx.name, [])]


def outbox(ctx: Any) -> list[str]:
    """Return the intents of what sig sent."""
    return [row[0] for row in ctx.sig.execute("SELECT intent FROM sig_outbox ORDER BY seq")]


def names_on(ctx: Any, day: str) -> set[str]:
    """Return the settled detectors of a day."""
    return {
        d.detector_id for d in detectors_on(ctx.sig, "main", day, ctx.manifest) if d.detector_id.startswith("bred_")
    }


def days_after(ctx: Any, gains: list[float]) -> None:
    """Write forward days after the last one, and let them be matured."""
    for gain in gains:
        last = days_of(ctx.sig, "main")[ctx.name][-1]
        put_candidate_day(ctx.sig, "main", replace(last, day=next_day(last.day), gain_bps=gain))


def test_what_was_shown_is_in_force_from_the_second_day_on_once(shown: Any) -> None:
    (step,) = settle_night(shown)
    assert (step.step, step.day) == ("settled", DAYS[-1])
    assert names_on(shown, next_day(DAYS[-1])) == set()
    assert names_on(shown, next_day(DAYS[-1], 2)) == {detector_of(shown.name)}
    assert outbox(shown) == ["VARIANT_BORN", "LESSON_PUBLISHED"]
    assert settle_night(shown) == []
    assert len(read_detector_sets(shown.sig, "main")) == 1
    assert len(outbox(shown)) == 2
    assert in_shadow(shown) == []
    assert [one.detector_id for one in in_force(shown)] == [detector_of(shown.name)]


def test_cut_off_anywhere_a_night_ends_like_one_at_one_go(shown: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("put_candidate_step", "put_detector_set", "tell_settled"):
        with monkeypatch.context() as cut:
            cut.setattr(settle, name, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                settle_night(shown)
        assert not taken(shown)
        assert not read_detector_sets(shown.sig, "main")
        assert not outbox(shown)
    settle_night(shown)
    assert taken(shown) == [("settled", "forward")]


@pytest.mark.parametrize(
    ("audits", "steps"),
    [(CandidateAudits(6, ("future",), ("it leaks",)), [("refused", "audits")]), (CandidateAudits(0, (), ()), [])],
)
def test_nothing_is_settled_that_audits_refuse_or_cannot_see(shown: Any, audits: CandidateAudits, steps: Any) -> None:
    shown.audits = audits
    settle_night(shown)
    assert taken(shown) == steps
    assert not read_detector_sets(shown.sig, "main")


def test_one_whose_gains_are_gone_is_archived_and_leaves_the_set(shown: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settle_night(shown)
    assert score_forward(shown)["rows"] > 0, "one in force is followed"
    total = sum(day.gain_bps for day in days_of(shown.sig, "main")[shown.name])
    days_after(shown, [-2.0 * total])
    today = days_of(shown.sig, "main")[shown.name][-1].day
    monkeypatch.setattr(settle, "matured_days", lambda c: [*DAYS, today])
    (step,) = settle_night(shown)
    assert (step.step, step.check) == ("archived", "total")
    assert names_on(shown, next_day(today)) == {detector_of(shown.name)}
    assert names_on(shown, next_day(today, 2)) == set()
    assert in_force(shown) == []
    assert settle_night(shown) == []


def test_a_person_takes_one_out_for_good(shown: Any) -> None:
    with pytest.raises(ConfigError, match="author or reason"):
        veto(shown, shown.name, "ann", " ")
    settle_night(shown)
    veto(shown, shown.name, "ann", "it trades the auction")
    assert taken(shown) == [("settled", "forward"), ("vetoed", "person")]
    assert names_on(shown, next_day(DAYS[-1], 2)) == set()
    with pytest.raises(ConfigError, match="is out: vetoed, ann: it trades the auction"):
        veto(shown, shown.name, "bob", "again")
    assert settle_night(shown) == []


def test_one_that_is_vetoed_in_shadow_is_never_settled(shown: Any) -> None:
    veto(shown, shown.name, "ann", "no")
    assert settle_night(shown) == []
    assert taken(shown) == [("vetoed", "person")]


def test_one_that_goes_like_a_failed_one_waits_a_year(ctx: Any, databases: Databases) -> None:
    failed = may_enter(ctx.sig, genome())
    score_forward(ctx)
    twin = may_enter(ctx.sig, genome("sign(delta(oi, 1m))"), night=40)
    own = days_of(ctx.sig, "main")[failed]
    body = {
        "days": [d.day for d in own],
        "daily_bps": [2.0 * d.gain_bps for d in own],
        "daily_weight": [1.0] * len(own),
    }
    with databases.owner("sig", autocommit=True) as owner:
        owner.execute("UPDATE candidate_days SET state = 'not_shown', peak = 1, days = 120")
        owner.execute("UPDATE candidate_life SET body = body || %s WHERE candidate_id = %s", [json.dumps(body), twin])
        assert twin not in {one.candidate_id for one in in_shadow(ctx)}
        owner.execute("UPDATE candidate_life SET night = '1971-06-01' WHERE candidate_id = %s", [twin])
        assert twin in {one.candidate_id for one in in_shadow(ctx)}


def test_steps_are_read_back_as_they_were_written(shown: Any) -> None:
    settle_night(shown)
    (step,) = steps_of(shown.sig, "main")[shown.name]
    assert isinstance(step, CandidateStep)
    assert step.value > 4_000.0
