"""The studies of the learner on small worlds: what guards them must speak, what they lean on is the product."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.lessons import noise, page, sentinel, table, trust
from benchmarks.lessons.speed import day_of_scores
from benchmarks.lessons.worlds import Truth, World, made, measure, paper_only
from benchmarks.lessons.year_loop import Loop
from lotus.learning.night import learn_night
from lotus.learning.payoff_scores import PAYOFF_SCORES
from lotus.learning.rows import rows_by_detector
from lotus.manifest import LearningDefaults, Manifest
from lotus.simulation.learning_world import market, merged, scores_of, track

WORLDS = range(1, 21)


@pytest.mark.evidence("worlds whose propensity is wrong")
def test_the_sentinel_speaks_and_the_product_does_not() -> None:
    """The wrong procedure must exceed its limit in the same worlds in which the product keeps it."""
    study = sentinel.STUDIES["sentinel"].shrunk()
    rows = [study.measure(study.setting, seed) for seed in WORLDS]
    assert sum(int(row["wrong_any"]) for row in rows) >= 5  # of 20: P = .3 % at an error rate of 5 %
    assert sum(int(row["any"]) for row in rows) <= 4


def test_the_loops_look_is_the_products_night() -> None:
    place = market(1, 25, 1_080)
    settings = LearningDefaults(max_literals=2, looks="final")
    loop = Loop(place, [track(place, "conf", f"d{k}", herd=0.7) for k in range(2)], settings, rising=True)
    for day in range(25):
        loop.publish(day)
    lanes = loop.look(25)
    scores = merged([scores_of(place, one, loop.p[k]) for k, one in enumerate(loop.tracks)])
    night = learn_night(scores, replace(Manifest(), learning=settings))
    real, maxima = lanes.day
    assert real == pytest.approx(night.real_maximum.day, abs=1e-4)
    np.testing.assert_allclose(maxima, night.draw_maxima.day, atol=1e-4)
    real, maxima = lanes.rest  # centred on the days before, where the night takes the other days
    assert real == pytest.approx(night.real_maximum.rest, abs=0.5)
    assert maxima.mean() == pytest.approx(night.draw_maxima.rest.mean(), abs=0.1)
    assert np.quantile(maxima, 0.96) == pytest.approx(np.quantile(night.draw_maxima.rest, 0.96), abs=0.4)


def test_a_planted_lesson_is_true_and_noise_is_not() -> None:
    world = World("plant", 20, 6.0, windows=1_080)
    place, one, lessons = made(world, 4)
    rows = rows_by_detector(scores_of(place, one), 90)["d0"]
    truth = Truth(rows, one, lessons, np.ones(20))
    for rule, bps in lessons:
        assert 0.4 < truth.uplift(rule) / bps <= 1.1
    nothing = Truth(rows, track(place, "conf"), (), np.ones(20))
    assert all(abs(nothing.uplift(rule)) < 0.2 for rule, _ in lessons)


def test_the_modelled_payoff_alone_has_no_surprise() -> None:
    place, one, _ = made(World("mirage", 3, windows=432), 1)
    for day, columns in paper_only(scores_of(place, one)).items():
        np.testing.assert_allclose(columns["f"], columns["p"] * (1 - columns["p"]) * columns["payoff_p"], err_msg=day)


def test_a_row_has_what_its_claims_count() -> None:
    study = table.STUDIES["coverage-40"]
    row = {name: str(value) for name, value in measure(study.small, 1).items()}
    for claim in table.CLAIMS:
        if claim.study == study.name:
            hits, trials = claim.counts([row])
            assert 0 <= hits <= trials


def test_every_claim_names_a_study() -> None:
    for _, module in page.SECTIONS:
        assert {claim.study for claim in module.CLAIMS} <= set(module.STUDIES)
        beyond = {"trust-half", "trust-quarter"} if module is trust else set()  # shares of a gain, not counts
        assert set(module.STUDIES) == {claim.study for claim in module.CLAIMS} | beyond


def test_the_demonstration_promotes_nothing() -> None:
    shown = noise.demonstration(60, 7, days=12)
    assert shown.strategies == 60
    assert shown.sharpe_a_year > 3.0
    assert shown.promoted == 0
    assert "Lessons promoted: 0" in noise.words(shown)


@pytest.mark.evidence("worlds that the page prints")
def test_the_demonstration_is_what_the_page_prints() -> None:
    page = Path(__file__).parents[2] / "docs" / "concepts" / "lessons.md"
    assert noise.words(noise.demonstration(300, 7)) in page.read_text("utf-8")


def test_a_day_of_the_speed_benchmark_is_a_day_of_scores() -> None:
    scores = day_of_scores("2020-01-01", ["d0", "d1"], 60, 3)
    assert set(PAYOFF_SCORES.names) <= set(scores)
    assert len(rows_by_detector({"2020-01-01": scores}, 1)["d1"]) == 60
