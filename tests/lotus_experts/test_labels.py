"""Labels of calls: barriers, horizon, gaps and mirrors, against a plain walk."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lotus.errors import SchemaError
from lotus.experts.compiler import label_rules
from lotus.experts.fusion import default_experts
from lotus.experts.labels import Label, label, onsets
from lotus.experts.spec import LabelRule

RULE = LabelRule(1.0, 4.0, 3.0)  # five frames of 200 ms


def verdict(moves: list[float], side: float = 1.0, missing: int | None = None) -> Label:
    """The label of a call at the first of frames whose mid has moved so many bps."""
    mids, index = 10_000.0 * (1.0 + np.array(moves) * 1e-4), np.arange(len(moves))
    if missing is not None:
        index[missing:] += 1
    return Label(label(RULE, np.array([0]), np.array([side]), mids, index, 200)[0])


@pytest.mark.parametrize(
    ("moves", "wanted"),
    [
        ([0, 1, 4.5, 0, 0, 0], Label.SUCCESS),
        ([0, -3.5, 4.5, 0, 0, 0], Label.FAILURE),
        ([0, 4.5, -3.5, 0, 0, 0], Label.SUCCESS),
        ([0, 1, 1, 1, 1, 1], Label.FAILURE),  # the horizon is over
        ([0, 1, 1, 1, 1], Label.OPEN),  # the tape ends before it
        ([0, 1, 1, 1, 1, 1, 4.5], Label.FAILURE),  # too late
        ([0, np.nan, 4.5], Label.SUCCESS),
        ([np.nan, 4.5, 4.5, 4.5, 4.5, 4.5], Label.OPEN),
        ([0, -3.5], Label.FAILURE),
    ],
)
def test_barriers_and_horizon(moves: list[float], wanted: Label) -> None:
    assert verdict(moves) is wanted
    assert verdict([-x for x in moves], side=-1.0) is wanted


def test_a_gap_leaves_the_call_open_and_no_direction_too() -> None:
    moves = [0, 1, 1, 4.5, 4.5, 4.5, 4.5]
    assert verdict(moves) is Label.SUCCESS
    assert verdict(moves, missing=2) is Label.OPEN
    assert verdict(moves, missing=5) is Label.SUCCESS
    assert verdict(moves, side=0.0) is Label.OPEN
    assert verdict(moves, side=np.nan) is Label.OPEN


def plain(mids: np.ndarray, row: int, side: float) -> Label:
    """The label by a walk over the five frames."""
    for k in range(row, min(row + 5, len(mids) - 1) + 1):
        move = side * 1e4 * (mids[k] - mids[row]) / mids[row]
        if move >= RULE.gain_bps:
            return Label.SUCCESS
        if move <= -RULE.give_bps:
            return Label.FAILURE
    return Label.FAILURE if row + 5 < len(mids) else Label.OPEN


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_labels_are_those_of_a_plain_walk(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mids = 1e4 * np.exp(np.cumsum(rng.normal(size=60)) * 2e-4)
    rows, sides = np.flatnonzero(rng.random(60) < 0.3), rng.choice((-1.0, 1.0), 60)
    found = label(RULE, rows, sides[rows], mids, np.arange(60), 200)
    assert [Label(x) for x in found] == [plain(mids, row, sides[row]) for row in rows]


def test_onsets_are_beginnings() -> None:
    fired = np.array([1, 1, 0, 1, 1, 1, 0])
    assert onsets(fired, np.arange(7)).tolist() == [0, 3]
    assert onsets(fired, np.array([0, 1, 2, 3, 4, 9, 10])).tolist() == [0, 3, 5]
    with pytest.raises(SchemaError):
        label(RULE, np.array([0]), np.zeros(2), np.ones(3), np.arange(3), 200)


def test_every_shipped_expert_has_a_rule() -> None:
    rules = label_rules(default_experts())
    assert all(0 < rule.horizon_s <= 300 and rule.gain_bps >= 1 and rule.give_bps >= 1 for rule in rules)
    assert rules[0] == LabelRule(45.0, 4.0, 3.0)
