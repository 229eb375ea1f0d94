"""Growth is by type, from the columns that there are, and repeats with its seed."""

import numpy as np
import pytest

from lotus.coprocessor.genome import environment
from lotus.coprocessor.grammar import SIGNED, Grammar, Grower, spelling_of
from lotus.coprocessor.variation import Variation
from lotus.errors import ConfigError
from lotus.tape_machine.checker import check
from lotus.tape_machine.printer import text_of
from lotus.tape_machine.syntax import Binary, Call


def a_grower(grammar: Grammar, seed: int = 5) -> Grower:
    """Return a grower of its own random numbers."""
    return Grower(grammar, np.random.Generator(np.random.Philox(seed)))


@pytest.mark.parametrize("unit", ["1", "bps", "USD", "bps/h", "bps/sqrt(min)", "sigma", "trades", "1/bps"])
def test_a_number_that_is_asked_for_has_its_unit(unit: str) -> None:
    grow = a_grower(Grammar.of(5_000))
    for deep in (1, 2, 3, 3, 3):
        tree = grow.number(unit, deep)
        assert check(tree, environment(5_000)).unit == unit, text_of(tree)


def test_only_columns_with_a_scale_and_horizons_that_are_judged_are_used() -> None:
    grammar = Grammar.of(5_000, {"imb_5": 0.4, "flow": 0.3, "spread": 2.0}, (30, 600))
    assert set(grammar.columns) == {"imb_5", "flow", "spread"}
    assert grammar.horizons_s == (30,)
    assert {a_grower(grammar, k).candidate().horizon_s for k in range(5)} == {30}
    with pytest.raises(ConfigError, match="moves over"):
        Grammar.of(5_000, None, (600,))


def test_the_same_seed_grows_the_same_trees() -> None:
    one, other = a_grower(Grammar.of(5_000)), a_grower(Grammar.of(5_000))
    assert [one.candidate().canonical for _ in range(10)] == [other.candidate().canonical for _ in range(10)]


def test_half_of_the_trees_begin_with_the_sign_of_a_signed_column() -> None:
    assert set(environment(5_000).columns) >= SIGNED
    vary = Variation(Grammar.of(5_000), np.random.Generator(np.random.Philox(5)))
    trees = [vary.grown().tree for _ in range(100)]
    leading = sum(isinstance(t, Binary) and isinstance(t.left, Call) and t.left.name == "sign" for t in trees)
    assert 30 <= leading <= 70


def test_units_that_no_literal_writes_are_told() -> None:
    assert spelling_of("bps") == "bps"
    assert spelling_of("bps/sqrt(min)") == "bps/sqrt(min)"
    assert spelling_of("bps^2") is None
