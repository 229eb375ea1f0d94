"""KPIs of learning: signs, intervals, and nothing where nothing is known."""

import numpy as np
import pytest

from lotus.governance.braid_days import BRAID_DAYS, Columns, crossing_zero
from lotus.governance.learning_kpis import KPI_DAYS, LEARNING_DAY, kpi_columns, kpis_of, learning_day, learning_kpis
from lotus.priors.vocabulary import BIN_COLUMNS, DEFAULT


def scores(pi: float, without: float, paper: float, executed: float, published: bool, n: int = 4) -> Columns:
    """Equal windows, drawn with `pi` in place of `without`."""
    columns = {
        "p": np.full(n, pi), "u0": np.full(n, np.log(without / (1 - without))), "payoff_p": np.full(n, paper),
        "payoff_y": np.full(n, executed), "published": np.full(n, published), "detector_id": np.full(n, "d", object),
    }  # fmt: skip
    return columns | {name: np.zeros(n, np.uint8) for name in BIN_COLUMNS}


def sums(value: float, patches: int = 0) -> Columns:
    row = ("2026-01-01", patches, 3, value, 0.0)
    return {n: np.array([v], LEARNING_DAY.numpy_dtype(n)) for n, v in zip(LEARNING_DAY.names, row, strict=True)}


def paid(claim: float, gain: float, weight: float, name: str = "b") -> Columns:
    row = (name, "d", claim, gain, weight)
    return {n: np.array([v], BRAID_DAYS.numpy_dtype(n)) for n, v in zip(BRAID_DAYS.names, row, strict=True)}


def test_a_day_values_what_beliefs_changed() -> None:
    unpublished = learning_day("2026-01-01", scores(0.3, 0.1, 5.0, np.nan, False), [], 2, DEFAULT)
    assert unpublished["learned_bps"][0] == pytest.approx(4 * 0.2 * 5.0)
    assert (unpublished["patches"][0], unpublished["windows"][0]) == (2, 4)
    executed = learning_day("2026-01-01", scores(0.5, 0.25, 5.0, 3.0, True), [], 0, DEFAULT)
    assert executed["learned_bps"][0] == pytest.approx(4 * 0.25 * (5.0 + (3.0 - 5.0) / 0.5))
    ineligible = learning_day("2026-01-01", scores(0.0, 0.25, 5.0, np.nan, False), [], 0, DEFAULT)
    assert (ineligible["learned_bps"][0], ineligible["windows"][0]) == (0.0, 0)


def test_without_a_day_nothing_is_known_and_nothing_breaks() -> None:
    found = {kpi.kpi: kpi for kpi in learning_kpis([], [], [], 1000.0)}
    assert {name: kpi.n for name, kpi in found.items()} == dict.fromkeys(found, 0)
    assert np.isnan(found["yield"].value)
    assert np.isnan(found["realised_per_promised"].value)


def test_sums_are_of_thirty_days_with_an_interval_over_days() -> None:
    rng = np.random.default_rng(3)
    days = [sums(float(x), 1) for x in rng.normal(2.0, 1.0, 50)]
    found = {kpi.kpi: kpi for kpi in learning_kpis(days, [], [], 1000.0)}
    assert (found["yield"].value, found["yield"].n) == (30.0, KPI_DAYS)
    assert found["yield"].low == pytest.approx(20.24, abs=0.01)
    assert found["yield"].high == pytest.approx(42.83, abs=0.01)
    value = found["learning_value"]
    assert value.value == pytest.approx(sum(day["learned_bps"][0] for day in days[-30:]) * 0.1)
    assert value.low < value.value < value.high
    columns = kpi_columns(list(found.values()))
    assert {kpi.kpi for kpi in kpis_of(columns)} == set(found)
    np.testing.assert_array_equal(kpi_columns(kpis_of(columns))["low"], columns["low"])


def test_lessons_that_pay_half_of_what_they_claim_show_it() -> None:
    """60 worlds of 30 days: the interval of realised over promised holds one half in most of them."""
    rng = np.random.default_rng(4)
    held = 0
    for _ in range(60):
        days = [paid(4.0, float(0.5 * 4.0 * w + rng.normal(0, 3.0)), float(w)) for w in rng.uniform(1, 5, 30)]
        kept = next(k for k in learning_kpis([sums(0.0)] * 30, days, [], 1e3) if k.kpi == "realised_per_promised")
        held += kept.low <= 0.5 <= kept.high
    assert held >= 54


def test_the_light_shows_lessons_near_zero_and_no_others() -> None:
    rng = np.random.default_rng(6)
    dead = [paid(4.0, (-1.0) ** k, 2.0, "dead") for k in range(20)]
    alive = [paid(4.0, float(rng.normal(8.0, 1.0)), 2.0, "alive") for _ in range(20)]
    assert [one.braid_id for one in crossing_zero(dead)] == ["dead"]
    assert crossing_zero(alive) == []
    assert crossing_zero(dead[:4]) == [], "four days show nothing"
    assert crossing_zero([*dead, *alive[:1]]) == [], "what is no longer in force is not shown"
