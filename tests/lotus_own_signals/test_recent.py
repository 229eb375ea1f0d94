"""Later windows are binned as the files' own were: the same bits for the same rows, and never by a later day."""

import numpy as np
import pytest
from own_world import DAY_US, own_world, table

from lotus.errors import SchemaError
from lotus.own_signals.bins import binned
from lotus.own_signals.config import FeatureRule, OwnConfig
from lotus.own_signals.recent import bins_after, recent_of


def made(config=None, names=("x_flow", "x_gap", "x_regime"), **columns):
    world = own_world(days=10, n=60)
    rng = np.random.default_rng(5)
    world = {**world, **{name: rng.choice(values, len(world["ts"])) for name, values in columns.items()}}
    world["x_gap"] = np.where(rng.random(len(world["ts"])) < 0.05, np.nan, world["x_gap"])
    return world, names, config or OwnConfig()


def split(world, days):
    """Return the rows of the first days and of those after."""
    late = world["ts"] >= world["ts"].min() - world["ts"].min() % DAY_US + days * DAY_US
    return [{name: values[rows] for name, values in world.items()} for rows in (~late, late)]


@pytest.mark.parametrize("days", [2, 3, 8, 9])
@pytest.mark.parametrize("kind", ["plain", "many", "ordered"])
def test_the_rest_of_the_files_has_the_bins_that_it_has_in_them(days, kind):
    if kind == "plain":
        world, names, config = made()
    else:
        names = ("x_flow", "x_new")
        values = [f"c{k}" for k in range(9)]
        shares = np.concatenate([[v] * (10 - k) for k, v in enumerate(values)])
        config = OwnConfig(groups={"x_new": {"a": ("c0", "c5"), "b": ("c1", "c2")}}) if kind == "many" else OwnConfig()
        world, names, config = made(config, names, x_new=shares)
        if kind == "ordered":
            config = OwnConfig(
                features={"x_flow": FeatureRule(), "x_new": FeatureRule("range", categories=tuple(values))}
            )
    first, rest = (table(part) for part in split(world, days))
    whole = table(world)
    late = whole.ts_us >= rest.ts_us.min()
    found, early = binned(whole, names, config), binned(first, names, config)
    assert early.vocabulary == found.vocabulary
    bins = bins_after(recent_of(first, early.vocabulary), rest, early.vocabulary, early.groups)
    assert np.array_equal(bins, found.bins[late])
    assert len(set(bins[:, 0])) >= 5


def test_edges_are_those_of_the_next_day():
    world, names, config = made(names=("x_flow",))
    whole = table(world)
    found = binned(whole, names, config)
    recent = recent_of(whole, found.vocabulary)
    later = {**world, "ts": world["ts"] + 10 * DAY_US}
    bins = bins_after(recent, table(split(later, 1)[0]), found.vocabulary, {})
    rows = table(split(later, 1)[0])
    for asset, edges in recent.edges(found.vocabulary.features[0]).items():
        own = rows.asset.codes == rows.asset.names.index(asset)
        assert np.array_equal(bins[own, 0], np.searchsorted(edges, rows.features["x_flow"][own], side="left"))


def test_a_feature_of_another_type_or_none_is_refused():
    world, names, config = made(names=("x_flow",))
    found = binned(table(world), names, config)
    recent = recent_of(table(world), found.vocabulary)
    for column, words in ((np.array(["a"] * len(world["ts"])), "holds text"), (None, "no column x_flow")):
        other = {key: value for key, value in world.items() if key != "x_flow"}
        if column is not None:
            other["x_flow"] = column
        with pytest.raises(SchemaError, match=words):
            bins_after(recent, table(other), found.vocabulary, {})
