"""Defaults of arguments come from the table."""

from lotus.triggers.arguments import bound_arguments
from lotus.triggers.syntax import OperatorCall


def test_the_defaults_come_from_the_table() -> None:
    assert bound_arguments(OperatorCall("breakout")).number("bar") == 60_000
    assert bound_arguments(OperatorCall("breakout")).band("band") == (0.0, "bps")
