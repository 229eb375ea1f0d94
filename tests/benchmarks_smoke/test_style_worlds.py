"""Worlds of known truth: a style that pays in a context is taken there alone, given up when it dies, and never else."""

import pytest

from benchmarks.trading.style_worlds import StyleWorld, found_in

pytestmark = pytest.mark.evidence("worlds of many nights")


def test_a_style_that_pays_in_a_context_is_taken_there_and_given_up_when_it_dies() -> None:
    found = found_in(StyleWorld(1, bps=3.0, dies=24), 38)
    assert found.moved is not None
    assert found.moved <= 25
    assert found.back is not None
    assert found.back <= 14
    assert found.elsewhere == 0


def test_where_no_style_pays_none_is_taken() -> None:
    found = found_in(StyleWorld(2, bps=0.0), 20)
    assert (found.moved, found.lessons, found.elsewhere) == (None, 0, 0)
