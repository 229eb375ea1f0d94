"""Grown and changed trees keep every law; the same seed grows the same trees."""

import numpy as np

from lotus.coprocessor.genome import environment
from lotus.coprocessor.grammar import SIGNED, Grammar
from lotus.coprocessor.variation import Variation
from lotus.tape_machine.syntax import Binary, Call
from tests.lotus_coprocessor.many_trees import check_trees


def test_every_operator_keeps_the_laws() -> None:
    assert min(check_trees(80, 11).values()) == 10


def test_the_same_seed_grows_the_same_trees() -> None:
    one, other = (Variation(Grammar.of(5_000), np.random.Generator(np.random.Philox(5))) for _ in range(2))
    assert [one.grown().canonical for _ in range(20)] == [other.grown().canonical for _ in range(20)]


def test_signed_columns_exist_and_half_of_the_trees_begin_with_their_sign() -> None:
    assert set(environment(5_000).columns) >= SIGNED
    vary = Variation(Grammar.of(5_000), np.random.Generator(np.random.Philox(5)))
    trees = [vary.grown().tree for _ in range(200)]
    leading = sum(isinstance(t, Binary) and isinstance(t.left, Call) and t.left.name == "sign" for t in trees)
    assert 70 <= leading <= 130
