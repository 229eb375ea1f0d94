"""What bins stand for: the edges told are those that made the bins, where the detector spoke, in words and numbers."""

import numpy as np
from few_readings import WORDS, readings
from own_world import own_world, rows_of, table

from lotus.own_signals.bins import binned
from lotus.own_signals.config import OwnConfig
from lotus.own_signals.report.reading_words import literal_words
from lotus.priors.types import Literal, Rule
from lotus.priors.vocabulary import NULL_BIN


def told(detector, *literals, shift=0.0):
    return [literal_words(x) for x in readings(shift).rule(detector, Rule(tuple(literals)), WORDS)]


def test_a_literal_is_told_in_words_and_values():
    assert told("both", Literal(0, 4, 4)) == ["the highest fifth, above 2.1 (2 to 2.2 over 3 days)"]
    assert told("both", Literal(0, 0, 1)) == ["the lowest two fifths, up to 0.1 (0 to 0.2 over 3 days)"]
    assert told("both", Literal(1, 1, 1)) == [
        "the middle third, above -0.9 (-1 to -0.8 over 3 days) and up to 0.1 (0 to 0.2 over 3 days)"
    ]
    assert told("both", Literal(2, 1, 1))[0].startswith("quarter 2 of 4, from the lowest, above -0.9")
    assert told("both", Literal(0, 1, 2))[0].startswith("fifths 2 to 3 of 5, above")


def test_the_edges_told_are_those_that_made_the_bins():
    world = own_world(days=5, n=80)
    whole = table(world)
    found = binned(whole, ("x_flow",), OwnConfig())
    edges = found.edges["x_flow"]
    assert len(edges.day) == 4 * 2
    values = whole.features["x_flow"]
    for asset, day, row in zip(edges.asset, edges.day, edges.values, strict=True):
        mine = (whole.asset.codes == asset) & (whole.day == day)
        np.testing.assert_array_equal(found.bins[mine, 0], (values[mine, None] > row).sum(axis=1))
    first = whole.day == whole.day[0]
    assert set(found.bins[first, 0]) == {NULL_BIN}


def test_edges_of_earlier_days_do_not_hang_on_later_ones():
    world = own_world(days=5, n=80)
    start = world["ts"].min()
    early = rows_of(world, world["ts"] < start + 3 * 86_400_000_000)
    one, two = (binned(table(w), ("x_flow",), OwnConfig()).edges["x_flow"] for w in (world, early))
    kept = np.isin(one.day, two.day)
    np.testing.assert_array_equal(one.values[kept], two.values)
