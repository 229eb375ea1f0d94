"""Words for a literal: where it holds, by asset, with digits that tell numbers apart."""

import json

import numpy as np
import pytest
from few_readings import WORDS, readings

from lotus.own_signals.report.reading_words import feature_words, literal_words, number
from lotus.own_signals.report.readings import Edges, Readings
from lotus.priors.types import Literal, Rule


def told(detector, *literals, shift=0.0):
    return [literal_words(x) for x in readings(shift).rule(detector, Rule(tuple(literals)), WORDS)]


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


@pytest.mark.parametrize(
    ("value", "span", "text"),
    [
        (0.84123, 0.0, "0.8412"), (60012.4, 30.0, "60012.4"), (-0.0, 0.0, "0"), (2e-9, 0.0, "2e-09"),
        (100000.0, 0.0, "100000"), (-0.0001, 5.0, "0"), (3.0, 2.0, "3"), (1.23456e12, 1e9, "1.235e+12"),
    ],
)  # fmt: skip
def test_numbers_have_the_digits_that_tell_them_apart(value, span, text):
    assert number(value, span) == text
