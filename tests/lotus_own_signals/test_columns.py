"""The configuration that serves as example says what the page says."""

from lotus.own_signals.columns import CONFIG_EXAMPLE
from lotus.own_signals.config import FeatureRule, parse_config


def test_the_example_says_what_the_page_says():
    found = parse_config(CONFIG_EXAMPLE, "example.yaml")
    assert (found.decision_horizon_s, found.cost_bps, found.fill_source, found.last_days) == (300, 4.5, "executed", 365)
    assert found.features == {
        "x_imbalance": FeatureRule("one_sided"),
        "x_momentum": FeatureRule("at_least"),
        "x_funding": FeatureRule("range", 5),
        "x_regime": FeatureRule("single", categories=("calm", "wild")),
        "x_rating": FeatureRule("range", categories=("low", "mid", "high")),
        "x_hour": FeatureRule("single"),
    }
    assert found.columns == {"ts": "time", "payoff_bps": "pnl_bps", "x_momentum": "mom_5m"}
    assert found.groups["x_hour"]["noon"] == ("12", "13", "14")
