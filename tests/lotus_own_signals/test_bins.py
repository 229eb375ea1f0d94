"""Bins are as-of: an oracle row by row, ties, nulls, categories, and nothing of an earlier day hangs on a later one."""

import dataclasses
import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from own_world import own_world, table
from pace import examples

from lotus.errors import SchemaError
from lotus.own_signals.bins import HISTORY_DAYS, binned, quantile_bins
from lotus.own_signals.config import FeatureRule, OwnConfig
from lotus.own_signals.table import Coded


def oracle(day, asset, values, bins):
    out = np.full(len(values), 255)
    for i in range(len(values)):
        past = sorted(
            v
            for d, a, v in zip(day, asset, values, strict=True)
            if a == asset[i] and day[i] - HISTORY_DAYS <= d < day[i] and v == v
        )
        if past and values[i] == values[i]:
            edges = [past[int(np.ceil(len(past) * k / bins)) - 1] for k in range(1, bins)]
            out[i] = sum(values[i] > e for e in edges)
    return out


@settings(max_examples=examples(60), deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 12), st.integers(0, 1), st.sampled_from([0.0, 1.0, 1.5, 2.0, -3.0, 7.25, float("nan")])
        ),
        min_size=1,
        max_size=60,
    ),
    st.integers(3, 5),
)
def test_bins_equal_the_oracle_in_any_order(rows, bins):
    day, asset = (np.array([r[k] for r in rows]) for k in (0, 1))
    values = np.array([r[2] for r in rows])
    found, _ = quantile_bins(day, asset.astype(np.int32), values, bins)
    assert found.tolist() == oracle(day, asset, values, bins).tolist()


def test_the_first_day_and_nulls_have_no_bin_and_ties_go_down():
    day = np.array([0] * 10 + [1] * 3)
    values = np.array([*np.arange(10.0), 1.0, 1.0001, np.nan])
    found, edges = quantile_bins(day, np.zeros(13, np.int32), values, 5)
    assert (edges.day.tolist(), edges.values.tolist()) == ([1], [[1.0, 3.0, 5.0, 7.0]])
    assert set(found[:10]) == {255}
    assert found[10:].tolist() == [0, 1, 255]


def test_removing_later_days_leaves_the_bins_of_earlier_ones():
    world = own_world(days=6, n=60)
    whole = table(world)
    late = whole.day >= whole.day.min() + 4
    names = tuple(whole.features)
    bins = binned(whole, names, OwnConfig()).bins
    early = binned(whole.take(~late), names, OwnConfig()).bins
    np.testing.assert_array_equal(bins[~late], early)


def test_a_category_that_appears_later_does_not_renumber():
    world = own_world(days=3, n=40)
    first_day = world["ts"] < world["ts"].min() + 86_400_000_000
    world["x_regime"] = np.where(first_day, np.where(world["x_flow"] > 0, "mid", "zebra"), "ant")
    vocabulary = binned(table(world), ("x_regime",), OwnConfig()).vocabulary
    assert set(vocabulary.features[0].labels[:2]) == {"mid", "zebra"}
    assert vocabulary.features[0].labels[2] == "ant"
    assert vocabulary.features[0].reading == "single"


def test_categories_of_the_configuration_are_kept_in_their_order():
    world = own_world(days=2, n=40)
    world["x_regime"] = np.array(["low", "mid", "high", "odd"])[np.arange(len(world["ts"])) % 4]
    rule = FeatureRule("range", categories=("low", "mid", "high"))
    whole = table(world)
    found = binned(whole, ("x_regime",), OwnConfig(features={"x_regime": rule}))
    vocabulary, bins = found.vocabulary, found.bins
    assert vocabulary.features[0].labels == ("low", "mid", "high")
    codes = whole.features["x_regime"]
    assert set(bins[codes.codes == codes.names.index("odd"), 0]) == {255}
    assert set(bins[codes.codes == codes.names.index("high"), 0]) == {2}


def test_numbers_may_be_categories():
    world = own_world(days=2, n=40)
    world["x_count"] = np.arange(len(world["ts"])) % 3 + 0.0
    config = OwnConfig(features={"x_count": FeatureRule("single")})
    found = binned(table(world), ("x_count",), config)
    vocabulary, bins = found.vocabulary, found.bins
    assert sorted(vocabulary.features[0].labels) == ["0", "1", "2"]
    assert set(bins[:, 0]) == {0, 1, 2}


def test_five_categories_are_binned_as_they_always_were():
    world = own_world(seed=4, days=5, n=80)
    world["x_five"] = np.array(list("abcde"))[np.arange(len(world["ts"])) % 5]
    whole = table(world)
    found = binned(whole, tuple(whole.features), OwnConfig())
    told = hashlib.sha256(repr(found.vocabulary).encode() + found.bins.tobytes()).hexdigest()
    assert told == "292cd9b86cabfdce0d6760264dbc53ce52b93ef29051fbdad1ede32185229a96"
    assert found.groups == {}


def feature_of(value):
    world = own_world(days=2, n=20)
    n = len(world["ts"])
    return {
        "constant": np.full(n, 2.5),
        "null": np.full(n, np.nan),
        "infinite": np.where(np.arange(n) == 7, np.inf, np.arange(n)),
        "one category": np.full(n, "same"),
        "many categories": np.where(world["ts"] > np.median(world["ts"]), "late", [f"c{i % 5}" for i in range(n)]),
    }[value], world


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("constant", "column x_new is 2.5 in every row"),
        ("null", "column x_new is null in every row"),
        ("infinite", "a.csv, column x_new, row 8: inf"),
        ("one category", "column x_new is 'same' in every row"),
        ("many categories", "column x_new has 6 categories"),
    ],
)
def test_features_that_cannot_make_a_rule_are_refused(what, said):
    values, world = feature_of(what)
    with pytest.raises(SchemaError, match="expected: ") as error:
        binned(table({**world, "x_new": values}), ("x_new",), OwnConfig())
    assert said in str(error.value)


def test_a_text_read_by_its_order_needs_the_order():
    config = OwnConfig(features={"x_regime": FeatureRule("range")})
    with pytest.raises(SchemaError, match="`categories` in their order"):
        binned(table(own_world(days=2, n=20)), ("x_regime",), config)


def test_too_many_features_are_refused_before_anything_is_searched():
    whole = table(own_world(days=2, n=20))
    values = whole.features["x_flow"]
    assert not isinstance(values, Coded)
    wide = dataclasses.replace(whole, features={f"x_{i}": values for i in range(80)})
    with pytest.raises(SchemaError, match=r"80 features make 85400 subsets of up to 3 and .* rules, over 2 days"):
        binned(wide, tuple(wide.features), OwnConfig())
    binned(wide, tuple(wide.features), OwnConfig(max_literals=2))
