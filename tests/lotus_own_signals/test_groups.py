"""More than five categories: by the configuration, or as the first day has them; no later day and no payoff decides."""

import numpy as np
import pytest
from own_world import DAY_US, own_world, rows_of, table

from lotus.errors import SchemaError
from lotus.own_signals.bins import binned
from lotus.own_signals.config import OwnConfig, parse_config
from lotus.own_signals.groups import suggestion
from lotus.own_signals.table import Coded

SHARES = {"a": 30, "b": 20, "c": 15, "d": 12, "e": 3, "f": 2, "g": 1}


def world_of(days=4, **column):
    world = own_world(days=days, n=60)
    return {**world, **{name: make(len(world["ts"])) for name, make in column.items()}}


def sectors(n):
    order = [name for name, share in SHARES.items() for _ in range(share)]
    return np.array(order)[np.random.default_rng(3).integers(0, len(order), n)]


def first_day(world):
    return world["ts"] < world["ts"].min() - world["ts"].min() % DAY_US + DAY_US


def named(found, name="x_new"):
    """Return the category of every row of a table's feature, empty where it has none."""
    at = [f.name for f in found.vocabulary.features].index(name)
    labels = np.array([*found.vocabulary.features[at].labels, ""])
    return labels[np.minimum(found.bins[:, at], len(labels) - 1)]


def raw(whole, name="x_new"):
    values = whole.features[name]
    assert isinstance(values, Coded)
    return np.array([*values.names, ""])[values.codes]


def test_the_first_day_keeps_its_four_most_frequent_and_has_none_itself():
    world = world_of(x_new=sectors)
    whole = table(world)
    found = binned(whole, ("x_new",), OwnConfig())
    early = whole.day == whole.day[0]
    names, count = np.unique(raw(whole)[early], return_counts=True)
    kept = [names[i] for i in np.lexsort((names, -count))[:4]]
    assert list(found.vocabulary.features[0].labels) == [*kept, "other"]
    assert set(named(found)[early]) == {""}
    expected = np.where(np.isin(raw(whole), kept), raw(whole), "other")
    np.testing.assert_array_equal(named(found)[~early], expected[~early])
    grouping = found.groups["x_new"]
    assert set(grouping.values[-1]) == set(SHARES) - set(kept)
    assert "the first day, 2025-01-06" in grouping.by


def test_later_days_and_payoffs_change_no_group():
    world = world_of(x_new=sectors)
    found = binned(table(world), ("x_new",), OwnConfig())
    changed = {k: v.copy() for k, v in world.items()}
    late = ~first_day(world)
    changed["x_new"][late] = np.where(world["x_flow"][late] > 0, "a", "new")
    changed["payoff_bps"] *= -3.0
    changed["paper_payoff_bps"] *= -3.0
    again = binned(table(changed), ("x_new",), OwnConfig())
    assert again.vocabulary == found.vocabulary
    assert set(named(again)) == {"", "a", "other"}
    days = rows_of(world, world["ts"] < world["ts"].min() + 2 * DAY_US)
    part = binned(table(days), ("x_new",), OwnConfig())
    np.testing.assert_array_equal(part.bins, found.bins[: len(part.bins)])


@pytest.mark.parametrize("kind", ["equally often", "only 3"])
def test_where_the_first_day_cannot_tell_the_refusal_holds_a_configuration(kind):
    if kind == "only 3":
        world = world_of(x_new=lambda n: np.array([f"s{i % 8}" for i in range(n)]))
        world["x_new"] = np.where(first_day(world), np.char.replace(world["x_new"], "s", "")[0], world["x_new"])
        world["x_new"][np.flatnonzero(first_day(world))[:2]] = ["s1", "s2"]
    else:
        world = world_of()
        world["x_new"] = np.array([f"s{int(t // 1_440_000_000 % 6)}" for t in world["ts"]])
    with pytest.raises(SchemaError, match=rf"column x_new has \d categories .*{kind}") as error:
        binned(table(world), ("x_new",), OwnConfig())
    text = str(error.value)
    config = parse_config(text[text.index("groups: {") :], "snippet.yaml")
    found = binned(table(world), ("x_new",), config)
    assert found.vocabulary.features[0].bins <= 5
    assert set(named(found)) == set(found.groups["x_new"].labels)


def test_groups_of_the_configuration_take_the_rest_as_other():
    hours = lambda n: np.arange(n) % 24 + 0.0  # noqa: E731
    world = world_of(x_new=hours)
    text = "groups: {x_new: {night: [0, 1, 2.0, 03], noon: [12, 13, 99]}}"
    whole = table(world)
    found = binned(whole, ("x_new", "x_flow"), parse_config(text, "c.yaml"))
    values = whole.features["x_new"]
    expected = np.where(values <= 3, "night", np.where((values == 12) | (values == 13), "noon", "other"))
    np.testing.assert_array_equal(named(found), expected)
    grouping = found.groups["x_new"]
    assert (grouping.labels, grouping.absent, grouping.by) == (("night", "noon", "other"), ("99",), "the configuration")
    assert grouping.values[0] == ("0", "1", "2", "3")
    assert found.vocabulary.features[0].reading == "single"


def test_a_number_written_in_two_ways_is_one_value():
    world = world_of(x_new=lambda n: np.arange(n) % 24 + 0.0)
    with pytest.raises(SchemaError, match="column x_new: 3 is named 2 times"):
        binned(table(world), ("x_new",), parse_config("groups: {x_new: {a: [3], b: [3.0]}}", "c.yaml"))


def test_five_groups_may_hold_other_and_an_order_must_hold_all():
    world = world_of(x_new=sectors)
    five = "groups: {x_new: {one: [a], two: [b], three: [c], four: [d], other: [e]}}"
    found = binned(table(world), ("x_new",), parse_config(five, "c.yaml"))
    assert dict(zip(found.groups["x_new"].labels, found.groups["x_new"].values, strict=True))["other"] == (
        "e",
        "f",
        "g",
    )
    order = "groups: {x_new: {low: [a, b], mid: [c, d], high: [e, f, g]}}\nfeatures: {x_new: interval}"
    found = binned(table(world), ("x_new",), parse_config(order, "c.yaml"))
    assert (found.vocabulary.features[0].reading, found.vocabulary.features[0].labels) == (
        "range",
        ("low", "mid", "high"),
    )


WRONG = {
    "groups: {x_new: {a: [a], b: [b], c: [c], d: [d], e: [e]}}": r"2 values are in none of its 5 groups: f, g",
    "groups: {x_new: {low: [a, b], high: [c]}}\nfeatures: {x_new: interval}": "knows no rest",
    "groups: {x_new: {low: [a], high: [zz]}}": r"no row has a value of its group high \(zz\); expected: one of a, b",
}


@pytest.mark.parametrize("text", WRONG)
def test_groups_that_do_not_fit_are_refused(text):
    with pytest.raises(SchemaError, match=WRONG[text]):
        binned(table(world_of(x_new=sectors)), ("x_new",), parse_config(text, "c.yaml"))


def test_a_suggestion_for_very_many_values_is_short_and_can_be_read():
    text = suggestion("x_coin", [f"C {i}: it's" for i in range(300)])
    assert len(text) < 300
    config = parse_config(text.split(", with names")[0], "c.yaml")
    assert len(config.groups["x_coin"]) == 2
