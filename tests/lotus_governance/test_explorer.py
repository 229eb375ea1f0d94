"""Floors by value of information: within budget and bounds, slow, off without history or earnings; acts of a night."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.curation.act import CurationAct
from lotus.curation.in_force import acted, in_force
from lotus.curation.law import Subjects, check_act
from lotus.detectors.daily.make import day_tables
from lotus.detectors.registry import shipped_detectors
from lotus.errors import ConfigError
from lotus.governance.exploration_day import day_sums, explored, free_propensity, plan_rows, sums_of
from lotus.governance.explorer import (
    GRID,
    ExploredDetector,
    LessonBar,
    bar_of,
    budget_of,
    exploration_acts,
    explore,
    power_of,
)
from lotus.manifest import Manifest

RNG = np.random.default_rng(1)
BAR = LessonBar(4.0, 20.0)


def detector(name: str, windows: int, loss: float, before: float = 0.02, sd: float = 10.0) -> ExploredDetector:
    free = RNG.beta(0.5, 6.0, windows)
    at = [np.clip(free, e, 1.0 - e) for e in GRID]
    h = np.array([float((p * (1.0 - p)).sum()) for p in at])
    cost = np.array([float((p - at[0]).sum()) * loss for p in at])
    return ExploredDetector(name, h, cost, sd, sd, before, windows, loss)


def test_the_budget_is_kept_and_a_night_is_not_too_fast() -> None:
    many = [detector(f"d{k}", 4_000 * (k + 1), 0.5 + 0.2 * k, before=0.04) for k in range(4)]
    plan = explore(many, 20, 50_000.0, 0.5, BAR, 0.01)
    assert plan.budget_bps == budget_of(50_000.0, 0.5) == pytest.approx(2_500.0)
    proposals = plan.experiment_share * sum(d.windows * d.loss_bps for d in many)
    assert sum(plan.cost_bps) + proposals <= plan.budget_bps + 1e-6
    assert proposals <= 0.2 * plan.budget_bps + 1e-6
    assert 0.02 < max(plan.epsilon) <= 0.06
    assert all(e in GRID for e in plan.epsilon)
    assert explore(many, 20, 100_000.0, 0.5, BAR, 0.01).voi_bps >= plan.voi_bps


def test_a_learner_that_remembers_longer_needs_less_of_a_day() -> None:
    """Days of equal weight from the weights themselves, and a chance that grows with them."""
    fading = 0.5 ** (np.arange(2_000) / 20.0)
    bar = bar_of(3.2, 8.6, 20.0)
    assert bar.days == pytest.approx(fading.sum() ** 2 / (fading**2).sum())
    assert bar.t == pytest.approx(np.sqrt(2.0 * 11.8))
    one = detector("d", 4_000, 0.5)
    assert np.all(power_of(one, bar) > power_of(one, replace(bar, days=20.0)))


def test_without_history_or_earnings_nothing_is_raised() -> None:
    many = [detector("d", 5_000, 0.5, before=0.1)]
    for plan in (explore(many, 9, 1e6, 0.5, BAR, 0.01), explore(many, 20, -5.0, 0.5, BAR, 0.01)):
        assert plan.epsilon == (0.02,)
        assert plan.why
        assert plan.experiment_share == plan.budget_bps == 0.0


def test_the_cheaper_of_two_equal_detectors_explores() -> None:
    base = detector("a", 8_000, 1.0, before=0.1)
    dear = replace(base, detector_id="b", cost=10.0 * base.cost, loss_bps=10.0)
    plan = explore([base, dear], 20, 4_000.0, 0.5, BAR, 0.0)
    assert plan.epsilon[0] > plan.epsilon[1]


def test_the_free_propensity_is_found_below_the_floor() -> None:
    ln_sigma, tau, temperature = np.log([0.2, 0.4, 0.4, 0.4]), np.full(4, 0.4), np.array([0.1, 0.1, 0.1, 0.0])
    floor, most = np.full(4, 0.06), np.full(4, 0.1)
    pi = np.array([0.06, 0.5, 0.06, 1.0])  # the third is held by its detector's stage of life
    free = free_propensity(pi, ln_sigma, tau, temperature, np.zeros(4), floor, most)
    assert free.tolist() == pytest.approx([1.0 / (1.0 + 2.0**10), 0.5, 0.02, 1.0])


def test_sums_come_back_and_the_realised_cost_is_unbiased() -> None:
    n, names = 20_000, ["a", "b"]
    free = RNG.beta(0.5, 6.0, n)
    pi = np.clip(free, 0.08, 0.92)
    paid = RNG.normal(-2.0, 1.0, n)
    published = RNG.random(n) < pi
    windows = {
        "detector": np.repeat([0, 1], n // 2), "pi": pi, "free": free, "published": published,
        "level": np.full(n, -2.0), "paper": paid, "executed": np.where(published, paid, np.nan),
        "move": np.ones(n), "hbar": np.full(n, 0.5), "h": pi * (1.0 - pi), "f": pi * (1.0 - pi) * paid,
        "block": np.arange(n) % 4,
    }  # fmt: skip
    sums = day_sums(windows, names)
    foretold = sums["cost_080"].sum()
    assert sums["realised"].sum() == pytest.approx(foretold, rel=0.15)
    assert sums["cost_020"].sum() == 0.0
    many = explored([sums] * 12, names, {"a": 0.03})
    assert many[0].before == 0.03
    assert many[1].before == 0.02
    assert many[0].sd_bps == pytest.approx(1.0, rel=0.05)
    rows = plan_rows(names, explore(many, 12, 1e6, 0.5, BAR, 0.01), sums)
    assert all(np.array_equal(sums_of(rows, names)[name], sums[name]) for name in ("h_050", "loss", "realised"))
    assert sums_of(rows, ["c", "a"])["loss"][0] == 0.0


def test_acts_of_a_night_are_lawful_written_once_and_decided_again() -> None:
    day, first = "2026-01-10", "2026-01-12"
    acts, fresh = exploration_acts({"a": 0.04, "b": 0.02}, "main", day, first, ())
    assert [(a.target, a.value, a.actor) for a in acts] == [("a", 0.04, "explorer")]
    assert fresh == acts
    assert exploration_acts({"a": 0.04}, "main", day, first, fresh)[1] == ()
    again = exploration_acts({"a": 0.05}, "main", day, first, fresh)[1]
    assert sorted(a.kind for a in again) == ["epsilon", "lift"]
    assert [a.value for a in in_force((*fresh, *again), first)] == [0.05]


def test_people_hold_the_floor_and_never_raise_it() -> None:
    detectors = shipped_detectors()
    name = detectors[0].detector_id
    subjects = Subjects(tuple(d.detector_id for d in detectors), ("BTC",))
    hold = CurationAct("", "main", "2026-01-10", "ann", "epsilon", name, 0.02, "why", "", "2026-01-12", "2026-01-20")
    raised = replace(hold, actor="explorer", value=0.08)
    assert check_act(hold, {}, subjects) == hold
    assert check_act(raised, {}, subjects) == raised
    for bad in (replace(hold, value=0.03), replace(raised, value=0.11), replace(hold, actor="curator:data"),
                replace(hold, target=f"{name}@BTC"), replace(raised, kind="veto", value=0.0)):  # fmt: skip
        with pytest.raises(ConfigError):
            check_act(bad, {}, subjects)
    blank = day_tables("2026-01-12", [], Manifest(), Manifest().universe, detectors)
    tables = acted(blank, [raised])
    assert tables.epsilon[0] == 0.08
    assert tables.tables_ver != blank.tables_ver
    assert acted(tables, [raised, hold]).epsilon[0] == 0.02
    assert acted(tables, []).tables_ver == blank.tables_ver
