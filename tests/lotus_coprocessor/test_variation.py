"""Changed trees keep every law."""

from tests.lotus_coprocessor.many_trees import check_trees


def test_every_operator_keeps_the_laws() -> None:
    assert min(check_trees(80, 11).values()) == 10
