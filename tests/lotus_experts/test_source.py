"""A spec file is read with the places of its parts, so that an error names file, key, line and column."""

from collections.abc import Callable

import pytest

from lotus.errors import ConfigError, ExpressionError
from lotus.experts.source import SpecSource, plain, read_source

TEXT = """name: drift
horizon: 30
rules:
  - when: x > 1
    weight: 0.5
"""


def test_a_part_knows_its_key_and_where_it_begins() -> None:
    rules = read_source(TEXT, "a.yaml").mapping()["rules"]
    weight = rules.items()[0].mapping()["weight"]
    assert (weight.key, weight.part.line, weight.part.column, weight.number()) == ("rules.weight", 5, 13, 0.5)


def test_plain_values_are_those_of_the_text() -> None:
    assert plain(read_source(TEXT, "a.yaml")) == {
        "name": "drift", "horizon": "30", "rules": [{"when": "x > 1", "weight": "0.5"}]
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        (lambda s: s.mapping()["name"].whole(), "line 1, column 7: a.yaml, name: 'drift'; expected: a whole number"),
        (lambda s: s.mapping()["name"].number(), "line 1, column 7: a.yaml, name: 'drift'; expected: a number"),
        (lambda s: s.mapping()["name"].items(), "line 1, column 7: a.yaml, name: no list"),
        (lambda s: s.mapping()["rules"].scalar, "line 4, column 3: a.yaml, rules: a list or mapping"),
        (lambda s: s.mapping()["rules"].mapping(), "line 4, column 3: a.yaml, rules: no mapping"),
        (lambda s: s.mapping()["name"].one_of(["drifts"]), "expected: drifts; likely cause: drifts"),
        (lambda s: s.keyed(["name", "horizons", "rules"]), "unknown key 'horizon'"),
        (lambda s: s.keyed(["name", "horizon", "rules", "side"]), "no key 'side'"),
    ],
)
def test_a_wrong_part_is_named_with_its_place(wrong: Callable[[SpecSource], object], found: str) -> None:
    with pytest.raises(ExpressionError) as error:
        wrong(read_source(TEXT, "a.yaml"))
    assert found in str(error.value)


def test_a_key_given_twice_is_refused_at_its_second_place() -> None:
    with pytest.raises(ExpressionError, match=r"line 2, column 4: a\.yaml, a: the key twice"):
        read_source("a: 1\na: 2\n", "a.yaml").mapping()


@pytest.mark.parametrize(("text", "found"), [("", "is empty"), ("a: [1", "a.yaml: "), ("a: &b [*b]", "alias inside")])
def test_a_text_that_is_no_spec_is_refused(text: str, found: str) -> None:
    with pytest.raises(ConfigError, match=found):
        read_source(text, "a.yaml")


def test_a_key_that_is_a_list_is_refused_before_it_is_written_out() -> None:
    """Nine lists of nine aliases each: as text the key would have nine to the ninth words."""
    aliases = "".join(f"a{k}: &a{k} [{', '.join([f'*a{k - 1}' if k else 'x'] * 9)}]\n" for k in range(9))
    with pytest.raises(ConfigError, match="a key that is a list or mapping, line 1"):
        read_source(f"{aliases}? *a8\n: y\n", "a.yaml")


@pytest.mark.parametrize("value", ["x > wrong", '"x > wrong"', ">-\n  x >\n  wrong"])
def test_an_error_inside_an_expression_is_placed_in_the_file(value: str) -> None:
    """The expression's column 5 is where `wrong` stands, in any style of YAML."""
    text = f"when: {value}\n"
    part = read_source(text, "a.yaml").mapping()["when"]
    error = part.expression_error(ExpressionError("no column", column=5))
    assert text.splitlines()[error.line - 1][error.column - 1 :].startswith("wrong")
