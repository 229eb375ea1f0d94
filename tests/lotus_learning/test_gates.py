"""The limit of what a baseline may absorb."""

from lotus.learning.gates import MIN_KEPT, absorbed


def test_the_limit_of_what_is_absorbed():
    assert absorbed(MIN_KEPT) == ""
    assert absorbed(0.049).startswith("only 4.9% of the rule")
