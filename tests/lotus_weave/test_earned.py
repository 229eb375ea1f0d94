"""Earned trust on the board: planted evidence climbs, the version holds level and gate, and what ends loses both."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from weave_boards import MANIFEST, NIGHT_MS, braid, day_of, lesson, monitor, rows, rows_of_days

from lotus.learning.monitor import observe
from lotus.manifest import Manifest
from lotus.priors.types import IDENTITY, priors_version
from lotus.timebase import DAY_MS, next_day
from lotus.weave.braid import Braid, named_by
from lotus.weave.doubt import claimed_blocks
from lotus.weave.earned import first_trust
from lotus.weave.night import NightInputs, WovenNight, goal_of, weave_night
from lotus.weave.review import ReviewAct
from lotus.weave.sweep import sweep
from lotus.weave.trust import RATES, Trust, begin
from lotus.weave.watchdog import Evidence, watch_over

DAY = "2026-01-17"
LIVE = replace(MANIFEST, weave=replace(MANIFEST.weave, account="live"))
Effect = Callable[[np.ndarray], object]


def ten_in_a(bins: np.ndarray) -> object:
    return 10.0 * (bins[:, 7] <= 1)


def none(bins: np.ndarray) -> object:
    return 0.0


def nights(
    board: list[Braid], effect: Effect, days: int, first: str = DAY, manifest: Manifest = MANIFEST
) -> list[WovenNight]:
    """Weave some nights in a row, the day's windows paying `effect`."""
    day, woven = first, list[WovenNight]()
    previous = priors_version("b", NIGHT_MS - DAY_MS, tuple(b.active() for b in board if b.in_force))
    for i in range(days):
        day = next_day(day)
        given = NightInputs(Evidence(day, {"d": rows(day, effect)}))
        woven.append(weave_night(previous, board, [], {"d": day_of()}, NIGHT_MS + i * DAY_MS, manifest, given))
        board, previous = list(woven[-1].braids), woven[-1].priors
    return woven


def trusted(level: int, **changes: object) -> Trust:
    """Trust at a level, with the days of one that pays."""
    recent = tuple(50.0 + 8.0 * (-1) ** i for i in range(10))
    logs = (float(np.log(5000.0)),) * len(RATES)
    base = replace(begin(400.0, DAY), level=level, logs=logs, recent=recent, changed_on=DAY if level else "")
    return replace(base, **changes)  # type: ignore[arg-type]


def high(level: int = 3, **changes: object) -> Braid:
    """A braid at a level, its patch all the way out."""
    patch = replace(braid("x").target, gate=1.5)
    given = {"trust": trusted(level), "patch": patch, "target": braid("x").target, "monitor": monitor(claim_bps=2.0)}
    return braid("x", **{**given, **changes})


def test_planted_evidence_climbs_and_the_version_holds_level_and_gate() -> None:
    trust = first_trust(lesson(), rows_of_days(ten_in_a), [], DAY)
    assert trust is not None
    own = braid("x", trust=trust, monitor=monitor(claim_bps=2.0), expires_at_ms=NIGHT_MS + 90 * DAY_MS)
    woven = nights([own], ten_in_a, 40)
    levels = [night.priors.braids[0].level for night in woven]
    assert levels == sorted(levels)
    assert set(levels) == {0, 1, 2, 3}
    assert [e.reason for n in woven for e in n.events if "trust" in e.reason] == [
        f"trust from level {k} to {k + 1}" for k in range(3)
    ]
    gates = [night.priors.braids[0].patch.gate for night in woven]
    steps = zip(levels[1:], pairwise(gates), strict=True)
    assert all(0.0 <= after - before <= MANIFEST.weave.night_gate * max(k, 1) for k, (before, after) in steps)
    first = levels.index(1)
    assert not any(gates[:first])
    last = woven[-1].braids[0]
    assert gates[-1] == pytest.approx(2.0, abs=0.05)
    assert last.delta_realised[1] > 2.0
    tells = [night.trust[0] for night in woven]
    assert [(t.level, t.cap) for t in tells] == [(k, MANIFEST.weave.trust_caps[k]) for k in levels]
    assert np.isnan(tells[0].snr_low)
    assert tells[-1].snr_low > 1.5


def test_without_a_level_a_board_is_named_as_one_without_trust() -> None:
    trust = first_trust(lesson(), rows_of_days(none), [], DAY)
    own = braid("x", trust=trust, monitor=monitor(claim_bps=0.1))
    plain = replace(own, trust=None)
    with_trust, without = nights([own], none, 12), nights([plain], none, 12)
    assert [n.priors for n in with_trust] == [n.priors for n in without]
    assert [n.events for n in with_trust] == [n.events for n in without]
    assert [named_by(n.braids) for n in with_trust] == [list(n.braids) for n in without]
    assert {row.level for n in with_trust for row in n.trust} == {0}
    assert named_by([replace(own, trust=trusted(1))])[0].trust is not None


@pytest.mark.parametrize(
    "changes", [{"monitor": monitor(peak=20.0)}, {"dry_days": 10}, {"expires_at_ms": NIGHT_MS, "tags": ("disputed",)}]
)
def test_what_ends_at_level_three_is_the_identity_at_the_next_swap(changes: dict[str, object]) -> None:
    dead = high(**changes)
    version = priors_version("b", NIGHT_MS - DAY_MS, (dead.active(),))
    assert version.braids[0].level == 3
    night = weave_night(version, [dead], [], {"d": day_of()}, NIGHT_MS, MANIFEST, NightInputs(Evidence(DAY)))
    hour = sweep(version, [dead], DAY, {}, NIGHT_MS, MANIFEST.weave)
    assert hour is not None
    for done in (night, hour):
        (after,) = done.braids
        assert (after.state, after.patch, after.level) == ("sunset", IDENTITY, 0)
        assert done.priors.braids == ()
    assert night.trust == ()


def test_an_hour_without_an_end_leaves_trust_alone() -> None:
    own = high()
    assert sweep(priors_version("b", 0, (own.active(),)), [own], DAY, {}, NIGHT_MS, MANIFEST.weave) is None


def test_a_lesson_whose_death_could_go_unnoticed_falls_and_is_held_to_its_goal_the_same_night() -> None:
    faint = trusted(3, recent=(50.0, -50.0) * 5)
    own = high(trust=faint, patch=replace(high().patch, gate=2.0), monitor=monitor(claim_bps=0.01))
    (night,) = nights([own], none, 1)
    after = night.priors.braids[0]
    assert after.level == 2
    assert "could go unnoticed" in night.trust[0].reason
    goal = goal_of(night.braids[0], day_of(), MANIFEST)
    assert after.patch.gate == pytest.approx(goal.gate)
    assert goal.gate < 2.0 - MANIFEST.weave.night_gate


def test_on_a_live_account_grade_b_has_half_and_one_level() -> None:
    paper, live = (nights([high(3)], ten_in_a, 25, manifest=m)[-1].braids[0] for m in (MANIFEST, LIVE))
    assert (paper.level, live.level) == (3, 1)
    assert live.delta_realised[1] == pytest.approx(0.5, abs=0.1)
    a = nights([high(3, grade="A")], ten_in_a, 25, manifest=LIVE)[-1].braids[0]
    assert a.level == 3
    assert a.delta_realised[1] == pytest.approx(paper.delta_realised[1])


def act(kind: str, **changes: object) -> ReviewAct:
    return ReviewAct(kind, "b", DAY, kind, "x", "ann", "implausible", **changes)  # type: ignore[arg-type]


def reviewed_night(board: list[Braid], *acts: ReviewAct, day: str = next_day(DAY)) -> WovenNight:
    previous = priors_version("b", NIGHT_MS - DAY_MS, tuple(b.active() for b in board))
    given = NightInputs(Evidence(day, {"d": rows(day, ten_in_a)}), tuple(acts))
    return weave_night(previous, board, [], {"d": day_of()}, NIGHT_MS, MANIFEST, given)


def test_reviewers_freeze_and_lower_and_never_raise() -> None:
    frozen = reviewed_night([high(1)], act("freeze"))
    assert (frozen.acts[0].accepted, frozen.braids[0].level) == (True, 1)
    assert "frozen by a review" in frozen.trust[0].reason
    lower = reviewed_night([high(2)], act("lower"))
    assert lower.braids[0].level == 1
    assert "lowered to level 1 by ann: implausible" in lower.acts[0].text
    assert lower.trust[0].reason == "level 1 is the highest allowed"
    assert lower.braids[0].patch.gate < high(2).patch.gate - MANIFEST.weave.night_gate
    again = reviewed_night(list(lower.braids), act("approve"), day=next_day(DAY, 2))
    assert again.braids[0].level == 2
    for board in ([high(0)], [braid("x")]):
        refused = reviewed_night(board, act("lower"))
        assert not refused.acts[0].accepted


def test_the_end_of_a_life_asks_a_level_for_evidence_and_costs_it_otherwise() -> None:
    due = high(2, expires_at_ms=NIGHT_MS)
    hour = sweep(priors_version("b", 0, (due.active(),)), [due], DAY, {}, NIGHT_MS, MANIFEST.weave)
    assert hour is None, "an hour lowers nothing"
    longer = reviewed_night([due])
    assert (longer.alerts[0].kind, longer.braids[0].level) == ("extended", 3)
    assert longer.braids[0].expires_at_ms == NIGHT_MS + MANIFEST.weave.extension_days * DAY_MS
    poor = replace(due, trust=trusted(2, held=True, renewal=trusted(2).log_e + 50.0))
    costs = reviewed_night([poor])
    assert (costs.braids[0].level, costs.braids[0].state) == (1, "active")
    assert costs.trust[0].reason.startswith("one level down")


def test_a_braid_with_a_level_is_watched_at_the_propensity_in_force() -> None:
    day = next_day(DAY)
    seen = rows(day, ten_in_a)
    tilted = replace(seen, u0=seen.u0 - 2.0)  # as if 2 logits were in force
    evidence = Evidence(day, {"d": tilted})
    plain, level = (watch_over([high(k)], evidence, NIGHT_MS, MANIFEST.weave)[0][0] for k in (0, 1))
    assert level.monitor == observe(high(1).monitor, claimed_blocks(tilted, high(1).rule, ()))
    assert level.monitor != plain.monitor


def test_a_lesson_that_died_is_in_doubt_after_its_first_bad_day_and_reverted_within_days() -> None:
    woven = nights([high(monitor=monitor(claim_bps=8.0))], lambda bins: -ten_in_a(bins), 6)
    ends = [i for i, night in enumerate(woven) if any(a.kind == "reverted" for a in night.alerts)]
    assert ends
    last = woven[ends[0]]
    (alert,) = last.alerts
    assert "of its days in doubt, 20 reverts" in alert.reason
    assert (last.braids[0].state, last.braids[0].tags, last.priors.braids) == ("sunset", ("reverted",), ())
    assert last.trust == ()
    doubt = woven[ends[0] - 1].braids[0].trust
    assert doubt is not None
    assert doubt.doubts == 1
    assert doubt.doubt is not None
