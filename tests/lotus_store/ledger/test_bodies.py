"""Bodies of values: every double is kept, and another version is named."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus.errors import LedgerError
from lotus.learning.lesson import NearTie
from lotus.priors.types import Literal, Rule
from lotus_store.ledger.bodies import from_body, to_body

RULE = Rule.of(Literal(0, 1, 2), Literal(9, 0, 1))


@given(st.floats() | st.just(-0.0))
def test_bodies_keep_every_double(value: float) -> None:
    found = from_body(json.loads(to_body(NearTie(RULE, value, value))), NearTie)
    assert repr(found) == repr(NearTie(RULE, value, value))


def test_a_body_of_another_version_is_named() -> None:
    with pytest.raises(LedgerError, match="a row is no NearTie"):
        from_body({"rule": 5}, NearTie)
