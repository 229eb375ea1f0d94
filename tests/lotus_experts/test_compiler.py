"""Specs are checked before they run, and every error names file, key and place."""

from typing import Any

import pytest
import yaml

from lotus.errors import ConfigError, ExpressionError
from lotus.experts.compiler import compile_experts

from .specs import edited, raw, set_of

TABLE = raw("sweep_stall")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"expertise": 1}, "expertise: unknown key"),
        ({"stats": {}}, "'states' misspelled"),
        ({"version": "new"}, "a whole number"),
        ({"kind": "linear"}, "linear with states"),
        ({"kind": "gramar"}, "grammar"),
        ({"needs": []}, "needs nothing"),
        ({"needs": ["sweep != 0"]}, "a flag"),
        ({"label": {"horizon": "45s", "gain": "4bps"}}, "no key 'give'"),
        ({"label": {"horizon": "45", "gain": "4bps", "give": "1bps"}}, "a duration"),
        ({"label": {"horizon": "45s", "gain": "4s", "give": "1bps"}}, "a move above 0"),
        ({"states": ["idle", "armed", "fired", "lost"]}, "'lost' cannot be reached"),
        ({"states": ["idle"]}, "2 to"),
        ({"limits": {"armed": "4s"}}, "timeout of fired, which has no limit"),
        ({"limits": {"armed": "4s", "fired": "3h"}}, "at most 7200 s"),
        ({"limits": {"armed": "4s", "asleep": "3s"}}, "unknown state 'asleep'"),
        ({"transitions": TABLE["transitions"] | {"armed": {"poke": "idle"}}}, "unknown symbol 'poke'"),
        ({"transitions": TABLE["transitions"] | {"armed": {"stalled": "gone"}}}, "unknown state 'gone'"),
        ({"transitions": TABLE["transitions"] | {"armed": {"stalled": "fired"}}}, "'armed' has no timeout"),
        ({"symbols": TABLE["symbols"] | {"never": "mid > 0ticks"}}, "leads nowhere"),
        ({"symbols": TABLE["symbols"] | {"timeout": "mid > 0ticks"}}, "the limit's own"),
        ({"llr": {"idle": 0.1}}, "quiet state"),
        ({"llr": {"armed": -0.1}}, "negative"),
        ({"direction": "mid"}, "ticks"),
        ({"f": "mid"}, "a number"),
        ({"f": None}, "no key 'f'"),
        ({"strength": "in_armed"}, "a flag"),
        ({"params": TABLE["params"] | {"mid": "1"}}, "one meaning for a name"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_has_no_meaning_is_refused_at_its_place(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=r"sweep_stall\.yaml") as caught:
        compile_experts(edited("sweep_stall", **change), 200)
    assert words in str(caught.value)
    assert isinstance(caught.value, ExpressionError)
    assert caught.value.line >= 1


def test_no_predicate_sees_its_own_machine() -> None:
    symbols = TABLE["symbols"] | {"stalled": "in_armed and sweep != 0"}
    with pytest.raises(ConfigError, match="in_armed"):
        compile_experts(edited("sweep_stall", symbols=symbols), 200)


SPEC = """expert_id: x
kind: linear
version: 1
idea: a test
names:
  lean: imb_5 + {one}
  long: >-
    where(sweep > 0,
          imb_5, {two})
needs: [mid]
z: lean + long
f: "abs(z) > 0.5 and {three}"
label: {{horizon: 1s, gain: 1bps, give: 1bps}}
"""


@pytest.mark.parametrize(
    ("words", "line", "column"),
    [
        ({"one": "mod"}, 6, 17),
        ({"one": "imb_1 +"}, 6, 24),
        ({"two": "spraed_bps"}, 9, 18),
        ({"three": "nowhere > 1"}, 12, 22),
    ],
    ids=str,
)
def test_errors_of_expressions_have_their_place_in_the_file(words: dict[str, str], line: int, column: int) -> None:
    good = {"one": "imb_1", "two": "imb_1", "three": "mid > 0ticks"}
    compile_experts(set_of(SPEC.format(**good), "x"), 200)
    with pytest.raises(ExpressionError) as caught:
        compile_experts(set_of(SPEC.format(**good | words), "x"), 200)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert "x.yaml, " in str(caught.value)


def test_a_key_twice_and_a_text_that_is_no_yaml() -> None:
    with pytest.raises(ConfigError, match="the key twice"):
        set_of(SPEC.format(one="1", two="1", three="z > 0") + "kind: linear\n", "x")
    with pytest.raises(ConfigError, match="a key that is a list or mapping, line 13"):
        set_of(SPEC, "x")
    with pytest.raises(ConfigError, match="YAML"):
        set_of("a: [", "x")
    with pytest.raises(ConfigError, match="name of the file"):
        set_of(yaml.safe_dump(TABLE), "other")
