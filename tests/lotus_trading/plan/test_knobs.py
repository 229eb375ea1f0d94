"""Knobs of execution: within their bounds, from the table, moved by a braid."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus.errors import ConfigError
from lotus.knobs.style_draw import STEPS
from lotus.manifest import WeaveDefaults
from lotus.priors.knobs import knob_values
from lotus.priors.types import ActiveBraid, Knob, Patch, Rule, priors_version
from lotus.trading.plan.knob_choice import choice_of
from lotus.trading.plan.knobs import KNOBS, STYLE_KEY, ExecutionKnobs, owners, patched


@given(st.dictionaries(st.sampled_from([k.key for k in KNOBS]), st.floats(1e-3, 1e3)))
def test_no_multiplier_moves_a_knob_out_of_its_bounds(multipliers: dict[str, float]) -> None:
    knobs = patched(multipliers)
    for spec in KNOBS:
        assert spec.low <= getattr(knobs, spec.name) <= spec.high
        if spec.key not in multipliers:
            assert getattr(knobs, spec.name) == spec.start


def test_the_table_starts_where_the_values_start_and_unknown_knobs_are_refused() -> None:
    assert {k.name: k.start for k in KNOBS} == {k.name: getattr(ExecutionKnobs(), k.name) for k in KNOBS}
    with pytest.raises(ConfigError, match="execution:stop_grace"):
        patched({"execution:stop_grace": 1.1})
    with pytest.raises(ConfigError):
        patched({"execution:slice": float("nan")})
    with pytest.raises(ConfigError):
        ExecutionKnobs(slice=5.0)
    assert patched({"policy:size": 9.0}) == ExecutionKnobs()


def test_a_braid_of_the_trader_moves_a_knob() -> None:
    patch = Patch(knobs=(Knob("execution:slice", 1.06), Knob("execution:venue_latency", 0.95)))
    braid = ActiveBraid("b", "micro", "trader", 0, Rule(), patch, scope="tr")
    version = priors_version("main", 0, (braid,))
    values = knob_values(version, "tr", "trader", [255] * 12, 1, WeaveDefaults())
    assert patched(values).slice == pytest.approx(1.06)
    assert patched(values).venue_latency == pytest.approx(0.19)


def braid_of(owner: str, mult: float) -> ActiveBraid:
    patch = Patch(knobs=(Knob(STYLE_KEY, mult),))
    return ActiveBraid(owner, "micro", owner, 0, Rule(), patch, scope="tr", expires_at_ms=10)


@pytest.mark.parametrize(
    ("first", "second", "style"),
    [
        (1.06, 1.0, "join"),
        (1.06, 1.06, "improve"),
        (1.0, 1.06, "cross"),
        (1.01, 1.0, "join"),
        (1.002, 1.06, "cross"),
        (0.95, 1.0, "cross"),
    ],
)
def test_lessons_about_its_two_steps_choose_the_style_of_entry(first: float, second: float, style: str) -> None:
    mults = zip(STEPS, (first, second), strict=True)
    version = priors_version("main", 0, tuple(braid_of(owner, mult) for (owner, _), mult in mults))
    choice = choice_of(version, "", [255] * 12, 1, WeaveDefaults())
    assert choice.knobs.style == style
    assert choice_of(version, "", [255] * 12, 11, WeaveDefaults()).knobs.style == "cross"
    assert (STYLE_KEY in choice.moved) == (style != "cross")


def test_every_step_has_an_owner_of_the_same_knob() -> None:
    assert {owners()[owner] for owner, _ in STEPS} == {STYLE_KEY}
    assert owners()["execution.retry"] == "execution:retry"
