"""Families: siblings on several coins or detectors, widened to all coins where that is better, else refused."""

from dataclasses import replace

import numpy as np
import pytest
from weave_boards import MANIFEST, NIGHT_MS, WEAVE, A, B, braid, day_of, rows

from lotus.learning.lanes import Both
from lotus.manifest import LearningDefaults
from lotus.priors.asset_context import ASSET, words_of
from lotus.priors.compiled import apply_priors, caps_of, compile_priors
from lotus.priors.types import IDENTITY, Literal, Rule, priors_version
from lotus.priors.vocabulary import rule_mask
from lotus.timebase import DAY_MS, next_day
from lotus.weave.composition import Parts, contrast_blocks, family_tilt
from lotus.weave.family import families, pooled_tilt, widened
from lotus.weave.meta import MetaState, judged, observed, started
from lotus.weave.night import NightInputs, weave_night
from lotus.weave.watchdog import Evidence

ON = replace(MANIFEST, learning=LearningDefaults(asset_context=True, draws=100))
WORDS = words_of(MANIFEST.universe)
FIRST = "2026-02-01"


def on_coin(rule: Rule, coin: int) -> Rule:
    """The rule on one coin."""
    return Rule.of(*rule.literals, Literal(ASSET, coin, coin))


def wide(day: str, effect, detector: str = "d"):
    """A day's windows with the groups of their coins."""
    plain = rows(day, effect, detector=detector)
    return replace(plain, bins=np.column_stack([plain.bins, plain.asset]).astype(np.uint8), vocabulary=WORDS)


def wide_day():
    """What weaving needs of a detector's last day, with coins."""
    plain = day_of()
    return replace(plain, bins=np.column_stack([plain.bins, np.arange(len(plain.bins)) % 3]).astype(np.uint8))


def everywhere(bins):
    return 24.0 * (bins[:, 7] <= 1)


def on_one_coin(bins):
    return 24.0 * ((bins[:, 7] <= 1) & (np.arange(len(bins)) % 3 == 1))


BOARD = [braid("x", on_coin(A, 1)), braid("y", on_coin(A, 0), detector_id="e", claim_bps=8.0)]


def begun(board=None, with_families: bool = True) -> MetaState:
    """The candidates of a board."""
    board = board or BOARD
    masks = {b.braid_id: rule_mask(b.rule, wide_day().bins) for b in board}
    return started(MetaState(), board, masks, FIRST, with_families)


def after(days: int, effect) -> MetaState:
    """The candidates of the board after so many days out of sample."""
    state, day = begun(), FIRST
    for _ in range(days):
        day = next_day(day)
        state = observed(state, BOARD, {"d": wide(day, effect), "e": wide(day, effect, "e")}, day)
    return state


def test_siblings_on_two_coins_or_detectors_are_a_family_and_hold_where_all_of_them_do() -> None:
    narrow = braid("z", Rule.of(Literal(7, 1, 2), Literal(ASSET, 2, 2)), claim_bps=5.0)
    others = [braid("o", on_coin(B, 1)), braid("n", on_coin(A, 2), sign=-1), braid("c", Rule.of(Literal(ASSET, 0, 0)))]
    ((rule, members),) = families([*BOARD, narrow, *others])
    assert rule == Rule.of(Literal(7, 1, 1))
    assert [b.braid_id for b in members] == ["x", "y", "z"]
    assert widened(members) == ["d", "e"]
    assert widened([*members, braid("w", A, detector_id="e")]) == ["d"], (
        "one that speaks of all coins needs no widening"
    )
    assert families([braid("x", on_coin(A, 1)), braid("y", Rule.of(Literal(7, 3, 4), Literal(ASSET, 0, 0)))]) == []
    assert families([braid("x", on_coin(A, 1)), braid("y", on_coin(A, 1))]) == [], "of one coin and detector: no family"
    assert pooled_tilt(BOARD) == pytest.approx(0.5)


def test_families_begin_only_where_coins_are_context() -> None:
    assert begun(with_families=False).running == ()
    assert [(c.op, c.detector_id, c.counted) for c in begun().running] == [("RULE", "d", 1), ("RULE", "e", 2)]
    two_axes = [braid("x", on_coin(A, 1)), braid("o", on_coin(B, 0))]
    assert {c.op for c in begun(two_axes).running} <= {"INTERSECT"}, "a coin is no axis that siblings share"


def test_a_family_is_held_against_what_the_detectors_own_members_do() -> None:
    parts = Parts((A, on_coin(A, 1)), (0.3, 0.5), ())
    hit = np.array([[True, True], [True, False], [False, False]])
    assert family_tilt(parts, hit).tolist() == pytest.approx([-0.2, 0.3, 0.0])
    day = wide("2026-02-02", everywhere)
    inside = day.covered(A)
    moved = np.where(inside, 0.3 - 0.5 * (day.asset == 1), 0.0)
    assert contrast_blocks("RULE", parts, [], day).weight.sum() == pytest.approx((day.h * np.abs(moved)).sum())


def test_what_pays_on_every_coin_is_widened_and_what_pays_on_one_is_not() -> None:
    found = judged(after(14, everywhere), BOARD, Both(2.0, 2.0), ON.learning, WEAVE)
    assert [c.verdict for c in found] == ["promoted", "promoted"], "one detector's does not take the other's place"
    refused = judged(after(60, on_one_coin), BOARD, Both(2.0, 2.0), ON.learning, WEAVE)
    assert refused[0].verdict == "refused"
    assert "60 days" in refused[0].reason


def test_a_promoted_family_acts_on_every_coin_in_the_place_of_its_own_member() -> None:
    state = after(14, everywhere)
    day = next_day(max(state.running[0].block_days))
    previous = priors_version("b", NIGHT_MS - DAY_MS, tuple(b.active() for b in BOARD))
    days = {"d": wide_day(), "e": wide_day()}

    def night(version, board, day, number, meta):
        evidence = Evidence(day, {"d": wide(day, everywhere), "e": wide(day, everywhere, "e")})
        given = NightInputs(evidence, meta=meta, critical=Both(2.0, 2.0))
        return weave_night(version, board, [], days, NIGHT_MS + number * DAY_MS, ON, given)

    first = night(previous, BOARD, day, 0, state)
    made = {b.detector_id: b for b in first.braids if b.braid_type == "meta"}
    assert made.keys() == {"d", "e"}
    assert (made["d"].op, made["d"].rule, made["d"].parents, made["d"].patch) == ("RULE", A, ("x", "y"), IDENTITY)
    assert made["d"].braid_id not in {b.braid_id for b in first.priors.braids}, "it acts from its first step on"
    second = night(first.priors, first.braids, next_day(day), 1, first.meta_state)
    acting = next(b for b in second.priors.braids if b.braid_id == made["d"].braid_id)
    assert 0.0 < acting.patch.phi_mult - 1.0 <= WEAVE.night_phi
    now = second.priors.effective_from_ms
    compiled = compile_priors(second.priors, ["d", "e"])
    bins, fires = np.zeros(12, dtype=np.uint8), []
    for group in (0, 1, 2):
        arrays = compiled.braids, compiled.first, compiled.count, 0, 0, bins, 0.4, now
        theta, phi, fired = apply_priors(*arrays, caps_of(WEAVE), group)
        fires.append(bin(fired).count("1"))
        assert phi == acting.patch.phi_mult, "its member is replaced where both hold"
        assert theta == 0.4 + acting.patch.theta_delta
    assert fires == [1, 2, 1]
    watched = next(b for b in second.braids if b.braid_id == made["d"].braid_id)
    assert watched.monitor is not None
    assert watched.monitor.blocks == 4
