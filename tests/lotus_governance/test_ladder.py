"""Rungs: every gate opens the next one, falls are at once, nobody is raised by hand; evidence is looked at daily."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.governance.ladder import BlockBet, LadderStanding, Rung, bet_on, harm_of, step_of
from lotus.governance.ladder_table import standing_of, step_rows

GOOD = tuple((3.0 + np.random.default_rng(1).normal(0.0, 3.0, 200)).tolist())
LIVE = LadderStanding("detector", "x v1", Rung.LIVE, audits=True, parity=True, payoffs_bps=GOOD, on_rung=20,
                slippage_high_bps=1.0)  # fmt: skip


def test_each_rung_is_left_upward_by_its_own_gates() -> None:
    offline = LadderStanding("detector", "x", Rung.OFFLINE, True, True, True, 0.1)
    shadow = LadderStanding("detector", "x", Rung.SHADOW, learning_days=10, parity=True, lifecycle_active=True)
    paper = LadderStanding("detector", "x", Rung.PAPER, parity=True, diversity_kept=True, payoffs_bps=GOOD)
    assert [step_of(one).to for one in (offline, shadow, paper, LIVE)] == [
        Rung.SHADOW, Rung.PAPER, Rung.LIVE, Rung.FULL,
    ]  # fmt: skip
    for one in (
        replace(offline, modelled_low_bps=None), replace(offline, cost_in_quota=False),
        replace(shadow, learning_days=9),
        replace(shadow, lifecycle_active=False), replace(paper, diversity_kept=None),
        replace(paper, payoffs_bps=GOOD[:9]), replace(LIVE, slippage_high_bps=2.0),
        replace(LIVE, payoffs_bps=GOOD[:40]), replace(LIVE, held=True), replace(LIVE, rung=Rung.FULL),
    ):  # fmt: skip
        assert step_of(one).to is one.rung, one
        assert step_of(one).verdict.startswith("stays")


@pytest.mark.parametrize("cause", [{"audits": False}, {"parity": False}, {"payoffs_bps": tuple(-x for x in GOOD)}])
def test_a_fall_is_at_once(cause: dict) -> None:
    assert step_of(replace(LIVE, **cause)).to is Rung.SHADOW
    assert step_of(replace(LIVE, rung=Rung.PAPER, **cause)).verdict.startswith("down")


def test_evidence_is_rare_without_edge_and_grows_with_one() -> None:
    rng = np.random.default_rng(7)
    null = [bet_on(rng.standard_t(3.0, 250).tolist()).peak for _ in range(60)]
    assert sum(peak >= 20.0 for peak in null) <= 6
    assert bet_on(GOOD).peak > 400.0
    assert harm_of(GOOD).peak < 20.0
    assert bet_on([0.0] * 30).peak == bet_on([]).peak == 1.0
    assert BlockBet().e_value == 1.0


def test_days_that_follow_each_other_and_losses_that_come_in_one_block_are_not_evidence() -> None:
    """A third of a day on the next one; and gains that one loss in twenty days takes away."""
    rng, noise = np.random.default_rng(3), np.random.default_rng(3).normal(size=(40, 365))
    kept = noise.copy()
    for day in range(1, 365):
        kept[:, day] = 0.3 * kept[:, day - 1] + np.sqrt(0.91) * noise[:, day]
    assert sum(bet_on(row.tolist()).peak >= 20.0 for row in kept) <= 2
    insured = np.where(rng.random((40, 365)) < 0.05, -19.0, 1.0) + 0.5 * rng.normal(size=(40, 365))
    assert sum(bet_on(row.tolist()).peak >= 400.0 for row in insured) <= 2


def test_a_day_that_is_not_known_is_none_and_the_last_days_wait_for_their_block() -> None:
    whole = bet_on(GOOD)
    assert bet_on([*GOOD[:7], float("nan"), *GOOD[7:], float("inf")]) == whole
    assert bet_on([*GOOD, -1e9]) == whole
    assert harm_of([*GOOD, float("nan")]) == harm_of(GOOD)


def test_rows_tell_where_a_subject_stands() -> None:
    steps = [(one, step_of(one)) for one in (LIVE, replace(LIVE, name="a v2", audits=False))]
    rows = step_rows(steps, {"x v1": "2026-01-01", "a v2": "2026-01-02"}, "2026-06-01")
    assert rows["subject"].tolist() == ["a v2", "x v1"]
    assert standing_of(rows) == {"a v2": (Rung.SHADOW, "2026-06-01"), "x v1": (Rung.FULL, "2026-06-01")}
    stays = step_rows([(one := replace(LIVE, held=True), step_of(one))], {"x v1": "2026-01-01"}, "2026-06-01")
    assert standing_of(stays) == {"x v1": (Rung.LIVE, "2026-01-01")}
    assert len(step_rows([], {}, "2026-06-01")["subject"]) == 0
