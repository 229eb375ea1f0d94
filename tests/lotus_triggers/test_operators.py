"""Every operator of the language has an example of its own, and the defaults are in range."""

import pytest
from triggers_page import WORDS

from lotus.triggers.checker import read_trigger
from lotus.triggers.conditions import leaves_of
from lotus.triggers.operators import LEVELS, OPERATORS, QUANTITIES, Kind, TriggerOperator


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda o: o.name)
def test_an_example_uses_its_own_operator_and_the_defaults_are_in_range(operator: TriggerOperator) -> None:
    leaves = leaves_of(read_trigger(operator.example).condition)
    assert operator.name in {type(leaf).__name__.lower() for leaf in leaves}
    needed = "level=entry, " if operator.parameters[0].kind is Kind.LEVEL else ""
    written = needed + ", ".join(f"{p.name}={p.default}" for p in operator.parameters if p.default)
    call = f"{operator.name}({written})"
    text = f"breakout() AND {call} WITHIN 6h" if operator.name == "retest" else call
    bare = text.replace(call, f"{operator.name}({needed.rstrip(', ')})")
    assert _without_texts(text) == _without_texts(bare)


def test_the_design_s_operators_are_all_there() -> None:
    assert {o.name for o in OPERATORS} | {w.lower() for *_, w in WORDS} == {
        "breakout", "retest", "touch", "cross", "within", "and", "or", "not"
    }  # fmt: skip
    assert {"prev_high", "prev_low", "vwap", "entry"} <= set(LEVELS)
    assert {"adv_usd", "spread_bps", "mid"} <= set(QUANTITIES)


def _without_texts(text: str) -> list[object]:
    leaves = leaves_of(read_trigger(text).condition)
    return [tuple(getattr(leaf, name) for name in leaf.__dataclass_fields__ if name != "text") for leaf in leaves]
