"""Every value that a table must not hold is refused with file, column, row and cause."""

import numpy as np
import pytest
from own_world import file_rows, own_world, rows_of, table

from lotus.errors import SchemaError
from lotus.own_signals.checks import FAR_DAYS, LEAST_ROWS, check_rows, chosen_features, decision_horizons
from lotus.own_signals.config import FeatureRule, OwnConfig
from lotus.own_signals.table import table_of


@pytest.fixture
def world():
    """Return a small world that passes."""
    return own_world(seed=3, days=2, n=60, detectors=2)


def first(world, mask):
    return int(np.flatnonzero(mask)[0])


def set_cell(column, value, where):
    def spoil(world):
        row = first(world, where(world))
        world[column][row] = value
        return row + 1

    return spoil


ANY = lambda w: np.arange(len(w["ts"])) == 11  # noqa: E731
PUBLISHED = lambda w: w["published"]  # noqa: E731
HELD = lambda w: ~w["published"]  # noqa: E731


WRONG = {
    "a propensity above 1": ("propensity", set_cell("propensity", 1.5, ANY), "1.5", "a probability in [0, 1]"),
    "a propensity below 0": ("propensity", set_cell("propensity", -0.1, ANY), "-0.1", "a probability in [0, 1]"),
    "an infinite propensity": ("propensity", set_cell("propensity", np.inf, ANY), "inf", "a probability"),
    "a propensity missing": (
        "propensity",
        set_cell("propensity", np.nan, ANY),
        "null, though other rows",
        "or in none",
    ),
    "published at 0": ("propensity", set_cell("propensity", 0.0, PUBLISHED), "0 in a published row", "not the prob"),
    "held at 1": ("propensity", set_cell("propensity", 1.0, HELD), "1 in a row that was not", "veto after the draw"),
    "no payoff": (
        "payoff_bps",
        set_cell("payoff_bps", np.nan, PUBLISHED),
        "null in a published row",
        "not filled is 0",
    ),
    "a payoff of nothing": (
        "payoff_bps",
        set_cell("payoff_bps", 2.0, HELD),
        "2.0 in a row that was not",
        "paper_payoff",
    ),
    "an infinite payoff": ("payoff_bps", set_cell("payoff_bps", -np.inf, PUBLISHED), "-inf", "finite number of bps"),
    "an infinite paper": ("paper_payoff_bps", set_cell("paper_payoff_bps", np.inf, ANY), "inf", "finite number"),
    "a horizon of years": ("horizon_s", set_cell("horizon_s", 10**9, ANY), "1000000000", "milliseconds?"),
    "a time of long ago": ("ts", set_cell("ts", 10**9, ANY), "1970-01-01 00:16:40", "from 2000 to 2100"),
    "no horizon": ("horizon_s", set_cell("horizon_s", 0, ANY), "0", "1 to 2678400"),
}


@pytest.mark.parametrize("which", WRONG)
def test_a_wrong_value_names_file_column_row_and_cause(world, which):
    check_rows(table(world))
    column, spoil, found, more = WRONG[which]
    row = spoil(world)
    with pytest.raises(SchemaError) as error:
        check_rows(table(world))
    text = str(error.value)
    assert text.startswith(f"a.csv, column {column}, row {row}: ")
    assert found in text
    assert more in text


def test_a_row_given_twice_is_refused_with_both_places(world):
    again = rows_of(world, np.arange(len(world["ts"])) == 5)
    with pytest.raises(SchemaError, match=r"^b\.csv, column ts, row 1: the same .* as row 6 of a\.csv"):
        check_rows(table_of([file_rows(world, "a.csv"), file_rows(again, "b.csv")]))


@pytest.mark.parametrize("stray", [1, LEAST_ROWS - 1])
def test_a_few_rows_far_after_all_others_are_refused(world, stray):
    day = 86_400_000_000
    world["ts"][np.argsort(world["ts"])[-stray:]] += 365 * day
    with pytest.raises(SchemaError, match=r"column ts, row \d+: .*no window from .* within 90 days.*wrong clock"):
        check_rows(table(world))
    world["ts"][np.argsort(world["ts"])[-stray:]] -= (365 - FAR_DAYS + 2) * day
    check_rows(table(world))


def test_a_log_that_goes_on_after_a_pause_is_read(world):
    world["ts"][np.argsort(world["ts"])[-LEAST_ROWS:]] += 365 * 86_400_000_000
    check_rows(table(world))
    own = np.argsort(world["ts"])
    world["ts"][own[0]] -= 365 * 86_400_000_000
    check_rows(table(world))


def test_published_without_any_payoff_is_refused(world):
    world["payoff_bps"][:] = np.nan
    check_rows(table(world))
    row = first(world, world["published"])
    world["paper_payoff_bps"][row] = np.nan
    with pytest.raises(SchemaError, match=rf"column payoff_bps, row {row + 1}: null in a published row, and no paper"):
        check_rows(table(world))


def two_horizons(world):
    late = {name: values.copy() for name, values in world.items()}
    late["horizon_s"] = late["horizon_s"] * 4
    return {name: np.concatenate([world[name], late[name]]) for name in world}


def test_horizons_of_one_draw_share_it_and_one_is_named(world):
    both = two_horizons(world)
    check_rows(table(both))
    with pytest.raises(SchemaError, match=r"d0 has 2 horizons on one draw: 300 s, 1200 s; .*decision_horizon_s"):
        decision_horizons(table(both), OwnConfig())
    assert decision_horizons(table(both), OwnConfig(decision_horizon_s=1200)) == {"d0": 1200, "d1": 1200}
    with pytest.raises(SchemaError, match="300 s, 1200 s; expected: decision_horizon_s 60"):
        decision_horizons(table(both), OwnConfig(decision_horizon_s=60))
    world["horizon_s"][:] = 40_000
    with pytest.raises(SchemaError, match=r"decides at 40000 s; expected: at most 21600 s.*too narrow"):
        decision_horizons(table(world), OwnConfig())
    both["propensity"][-1] = 0.5
    with pytest.raises(SchemaError, match=r"column propensity, row .* differs from another horizon of the same draw"):
        check_rows(table(both))


def test_features_that_are_not_there_are_named(world):
    with pytest.raises(SchemaError, match=r"names x_flwo, which no file has.*'x_flow' misspelled"):
        chosen_features(table(world), OwnConfig(features={"x_flwo": FeatureRule()}))
    bare = {name: values for name, values in world.items() if not name.startswith("x_")}
    with pytest.raises(SchemaError, match=r"no column x_\*"):
        chosen_features(table(bare), OwnConfig())
    assert chosen_features(table(world), OwnConfig(features={"x_vol": FeatureRule()})) == ("x_vol",)
