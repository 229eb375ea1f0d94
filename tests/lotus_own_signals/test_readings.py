"""What bins stand for: the edges told are those that made the bins, where the detector spoke, in words and numbers."""

import json

import numpy as np
import pytest
from own_world import own_world, rows_of, table

from lotus.own_signals.bins import binned
from lotus.own_signals.config import OwnConfig
from lotus.own_signals.estimates import estimated
from lotus.own_signals.reading_words import feature_words, literal_words, number
from lotus.own_signals.readings import Edges, Readings
from lotus.priors.types import Literal, Rule
from lotus.priors.vocabulary import NULL_BIN, Feature, Vocabulary

WORDS = Vocabulary((Feature("x_a", 5, ""), Feature("x_b", 3, ""), Feature("x_c", 4, "", reading="range")))
DAYS = np.repeat(np.arange(3), 2)
ASSETS = np.tile([0, 1], 3)


def readings(shift=0.0):
    """Return three days of two assets; the edges of the second lie `shift` higher."""
    base = np.array([-1.0, 0.0, 1.0, 2.0]) + 0.1 * DAYS[:, None] + shift * ASSETS[:, None]
    edges = {f.name: Edges(ASSETS, DAYS, base[:, : f.bins - 1]) for f in WORDS.features}
    spoke = {"both": np.stack([ASSETS, DAYS], axis=1), "one": np.array([[0, 0], [0, 1]])}
    return Readings(edges, {}, ("BTC", "ETH"), spoke)


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


def test_only_where_the_detector_spoke_and_by_asset_where_they_differ():
    assert told("one", Literal(0, 4, 4), shift=9.0) == ["the highest fifth, above 2.05 (2 to 2.1 over 2 days)"]
    assert told("both", Literal(0, 4, 4), shift=9.0) == [
        "the highest fifth, above 2.1 (2 to 2.2) for BTC, 11.1 (11 to 11.2) for ETH, over 3 days"
    ]
    feature = {"name": "x_b", "groups": {}, "edges": readings(9.0).feature(WORDS.features[1])}
    assert list(feature_words(feature)) == [
        "x_b of BTC: 0 up to -0.9 (-1 to -0.8), 1 up to 0.1 (0 to 0.2), 2 above",
        "x_b of ETH: 0 up to 8.1 (8 to 8.2), 1 up to 9.1 (9 to 9.2), 2 above",
    ]


def test_many_assets_are_told_by_their_ends():
    n = 12
    values = np.array([[k, k + 1.0] for k in range(n)])
    many = Readings(
        {"x_b": Edges(np.arange(n), np.zeros(n, np.int64), values)}, {}, tuple(f"C{k:02d}" for k in range(n)),
        {"d": np.stack([np.arange(n), np.zeros(n, np.int64)], axis=1)},
    )  # fmt: skip
    found = many.rule("d", Rule((Literal(1, 2, 2),)), WORDS)
    assert literal_words(found[0]) == (
        "the highest third, above 1 for C00, the lowest of 12 assets, and 12 for C11, the highest, over 1 day"
    )
    json.dumps(found)


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


@pytest.mark.parametrize(
    ("value", "span", "text"),
    [
        (0.84123, 0.0, "0.8412"), (60012.4, 30.0, "60012.4"), (-0.0, 0.0, "0"), (2e-9, 0.0, "2e-09"),
        (100000.0, 0.0, "100000"), (-0.0001, 5.0, "0"), (3.0, 2.0, "3"), (1.23456e12, 1e9, "1.235e+12"),
    ],
)  # fmt: skip
def test_numbers_have_the_digits_that_tell_them_apart(value, span, text):
    assert number(value, span) == text


def test_why_the_sizes_differ_is_told_with_the_lesson_s_own_numbers():
    lesson = {
        "detector_id": "d", "rule": "x_a = 4",
        "uplift_bps": -4.0, "contrast_bps": -5.0, "claim_bps": -3.4, "bound_bps": -1.5,
        "support": {"coverage": 0.2}, "lanes": [{"uplift_bps": -4.25}, {"uplift_bps": -4.0}],
    }  # fmt: skip
    text = estimated([lesson])
    told = ("inside less outside, -5.00", "20% of the weight", "85% of it is left, -4.25", "-4.00 in the other lane")
    for part in (*told, "-3.40 is the uplift shrunk", "-1.50 is what still holds"):
        assert part in text
    assert "inside less outside" not in estimated([{**lesson, "contrast_bps": 0.0}])
    assert "told over its earlier ones" not in text
    assert "told over its earlier ones" in estimated([lesson, lesson])
