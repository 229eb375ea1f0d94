"""The configuration: what it says is what is used, and a mistake names its place; the page is that of the columns."""

from pathlib import Path

import pytest

from lotus.errors import ConfigError
from lotus.own_signals.config import OwnConfig, parse_config

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "text", ["# one, two, three\ncost_bps: 1", "{cost_bps: 1, seed: 3, last_days: 30}", "seed: 1 # a, b, c"]
)
def test_commas_alone_make_no_table(text):
    parse_config(text, "c.yaml")


def test_a_column_may_take_the_name_that_another_leaves():
    found = parse_config("columns: {paper_payoff_bps: payoff_bps, payoff_bps: pnl}", "c.yaml")
    assert found.columns == {"paper_payoff_bps": "payoff_bps", "payoff_bps": "pnl"}


def test_everything_has_a_default():
    assert parse_config("{}", "empty.yaml") == OwnConfig()


WRONG = {
    "decision_horizon: 300": "'decision_horizon_s' misspelled",
    "cost_bps: -1": "-1; expected: a number from 0 on",
    "cost_bps: much": "'much'; expected: a number",
    "fill_source: paper": "expected: executed, venue",
    "last_days: 5": "5; expected: 11 to 3660",
    "max_literals: 4": "4; expected: 1 to 3",
    "half_life_days: -2": "a number from 0 on",
    "features: {flow: monotone}": "the name of an x_ column",
    "features: {x_flow: upward}": "expected: monotone, up, down, interval, category",
    "features: {x_flow: {bins: 9}}": "9; expected: 3 to 5",
    "features: {x_flow: {categories: [a]}}": "2 to 5 different categories",
    "features: {x_flow: {edges: [1, 2]}}": "unknown key 'edges'",
    "columns: {time: ts}": "the other way round",
    "columns: {propensty: p}": "'propensity' misspelled",
    "columns: {ts: time, x_time: time}": "column time under two names, ts and x_time; expected: one name",
    "columns: {x_p: propensity}": "column propensity taken for x_p, so that no propensity is left",
    "columns: [a]": "no mapping",
    "groups: {hour: {a: [1]}}": "the name of an x_ column",
    "groups: {x_hour: {a: [1], b: [1]}}": "'1' in group 'b' and in group 'a'",
    "groups: {x_hour: {a: []}}": "group 'a' without a value",
    "groups: {x_hour: {a: [1], b: [2], c: [3], d: [4], e: [5], f: [6]}}": "6 groups; expected: 1 to 5",
    "groups: {x_hour: {a: [1]}}\nfeatures: {x_vol: up}": "which `features` leaves out",
    "groups: {x_r: {a: [1]}}\nfeatures: {x_r: {categories: [a, b]}}": "`categories` as well",
    "time,coin,pnl\n2025-01-06T00:00:00Z,BTC,1.5": "looks like a table and not like a configuration",
    "time;coin;pnl": "looks like a table",
    "ts\tcoin\tpnl\n": "looks like a table",
    "PAR1...": "looks like a table",
    "": "empty",
    "[": "YAML",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_mistake_names_file_and_cause(text):
    with pytest.raises(ConfigError) as error:
        parse_config(text, "mine.yaml")
    assert "mine.yaml" in str(error.value)
    assert WRONG[text] in str(error.value)
