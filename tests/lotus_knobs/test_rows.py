"""Rows of knob trials: the surprise of the side that was drawn, from earlier outcomes alone."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus.errors import BeliefError
from lotus.knobs.rows import Observation, expected_of, knob_scores, rows_of
from lotus.learning.demean import demean
from lotus.learning.monitor import unpatched_residuals
from lotus.learning.rows import VENUE, rows_by_detector
from lotus.priors.context import context_bins
from lotus.priors.vocabulary import BIN_COLUMNS
from lotus.timebase import HOUR_MS

from .knob_lives import FIRST, RETRY, Effect, Life, trials

pytestmark = pytest.mark.evidence("worlds of many nights")


def in_high_volatility(bps: float, dies: int = 10**6) -> Effect:
    return lambda number, bins: bps if bins[0] >= 3 and number < dies else 0.0


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.floats(0.1, 0.9), st.floats(-50, 50), st.integers(0, 3)),
        min_size=1,
        max_size=12,
    ),
    st.floats(-5, 5),
)
def test_a_score_is_the_surprise_of_the_side_that_was_drawn(given_, expected: float) -> None:
    made = [
        Observation(f"e{i}", RETRY.owner, "BTC", 60, block * 6 * HOUR_MS + i, "0" * 12, arm, p, y, "venue")
        for i, (arm, p, y, block) in enumerate(given_)
    ]
    table = rows_of(made, FIRST, {RETRY.owner: expected})
    assert set(table) == set(knob_scores("x").names)
    by_name = dict(zip(table["event_id"].tolist(), table["f"].tolist(), strict=True))
    for o in made:
        assert by_name[o.name] == pytest.approx((o.arm - o.propensity) * (o.outcome_bps - expected), abs=1e-9)
    (rows,) = rows_by_detector({FIRST: table}, 1).values()
    assert (rows.source[rows.published] == VENUE).all()
    left = unpatched_residuals(rows, ())
    assert left.weight.day == pytest.approx(rows.h)
    assert left.r.day == pytest.approx(demean(rows.basis(), rows.h, rows.f, rows.day, 1), abs=1e-6)


def test_what_was_expected_comes_from_earlier_outcomes_alone() -> None:
    days = [rows_of(trials(9, n, FIRST, in_high_volatility(0.0), 50), FIRST, {RETRY.owner: 99.0}) for n in range(2)]
    plain = np.concatenate([day["outcome"] for day in days]).mean()
    assert expected_of(days) == {RETRY.owner: pytest.approx(plain)}
    assert expected_of([]) == {}
    assert expected_of([rows_of([], FIRST, {})]) == {}


def test_rows_of_an_owner_that_is_no_more_are_left_out() -> None:
    life = Life(1, in_high_volatility(3.0))
    list(life.nights(2))
    old = replace(trials(2, 0, FIRST, lambda _number, _bins: 0.0, 1)[0], owner="tr.knobs.old")
    life.scores["2025-12-31"] = rows_of([old], "2025-12-31", {})
    (night,) = life.nights(1)
    assert [effect.owner for effect in night.effects] == [RETRY.owner]
    assert night.learned is not None


def seen_in(context: str) -> Observation:
    return Observation("e", RETRY.owner, "BTC", 60, 0, context, 1, 0.5, 1.0, "venue")


def test_contexts_of_a_day_are_read_as_one_by_one() -> None:
    texts = ["0" * 12, "-" * 12, "", "40-12300132-", "424444444344"]
    table = rows_of([replace(seen_in(text), time_ms=i) for i, text in enumerate(texts)], FIRST, {})
    found = np.stack([table[name] for name in BIN_COLUMNS], axis=1).tolist()
    assert found == [list(context_bins(text)) for text in texts]


@pytest.mark.parametrize(
    "wrong", ["/" * 12, "5" * 12, "03" + "0" * 10, "0" * 11, "0" * 13, "\u0664" * 12, "0" * 11 + "é"]
)
def test_a_context_that_cannot_be_is_refused_among_others(wrong: str) -> None:
    with pytest.raises(BeliefError, match="context"):
        rows_of([seen_in("0" * 12), seen_in(wrong), seen_in("-" * 12)], FIRST, {})
