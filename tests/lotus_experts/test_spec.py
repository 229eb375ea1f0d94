"""Specs are checked before they run."""

import dataclasses

import numpy as np
import pytest

from lotus.errors import ConfigError
from lotus.experts.spec import EXPERTS, ExpertSet, compile_experts, default_experts, parse_spec

GOOD = {
    "expert_id": "x", "kind": "fsm", "version": 1, "idea": "none", "weight": 1, "vote": 1, "params": {"a": 1},
    "transitions": {"idle": {"trigger": "armed"}},
}  # fmt: skip


def test_the_shipped_set_has_three_kinds_and_a_stable_version() -> None:
    experts = default_experts()
    assert tuple(e.expert_id for e in experts.experts) == EXPERTS
    assert {e.kind for e in experts.experts} == {"fsm", "anomaly", "divergence"}
    assert experts.version == default_experts().version
    assert dataclasses.replace(experts, votes_needed=9.0).version != experts.version


@pytest.mark.parametrize(
    "change",
    [
        {"expertise": 1},
        {"transitions": {"asleep": {"trigger": "armed"}}},
        {"transitions": {"idle": {"poke": "armed"}}},
        {"transitions": {"idle": {"trigger": "gone"}}},
    ],
)
def test_unknown_words_are_refused(change: dict[str, object]) -> None:
    parse_spec(GOOD)
    with pytest.raises(ConfigError, match="missing or unknown"):
        parse_spec(GOOD | change)


def test_a_missing_key_is_refused() -> None:
    with pytest.raises(ConfigError, match="'weight'"):
        parse_spec({key: value for key, value in GOOD.items() if key != "weight"})


def changed(expert_id: str, **values: float) -> ExpertSet:
    experts = default_experts()
    made = tuple(
        dataclasses.replace(e, params=tuple((dict(e.params) | values).items())) if e.expert_id == expert_id else e
        for e in experts.experts
    )
    return dataclasses.replace(experts, experts=made)


def test_parameters_are_checked_and_compiled() -> None:
    with pytest.raises(ConfigError, match="'speed'"):
        compile_experts(changed("anomaly", speed=1.0), 200)
    with pytest.raises(ConfigError, match="memory"):
        compile_experts(changed("anomaly", half_life_s=1_500.0), 200)
    with pytest.raises(ConfigError, match="in this order"):
        compile_experts(dataclasses.replace(default_experts(), experts=default_experts().experts[::-1]), 200)
    params = compile_experts(default_experts(), 50)
    assert params["rsi_divergence"]["gap_n"][0] == 200
    assert params["absorption"]["decay"][0] == pytest.approx(0.5 ** (0.05 / 2.0))
    assert np.array_equal(params["depth_vacuum"]["fsm"]["table"][0, 1], [1, 1, 2, 0, 0])
    assert params["depth_vacuum"]["fsm"]["limit"][0].tolist() == [0, 40, 40]
