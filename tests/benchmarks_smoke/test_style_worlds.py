"""Worlds of known truth: a style that pays in a context is taken there alone, given up when it dies, and never else."""

import pytest

from benchmarks.trading.style_worlds import NullYear, StyleLife, StyleWorld, found_in, null_life

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


def test_a_year_lived_by_its_nights_with_slots_is_the_year_of_all_nights() -> None:
    every, few = (StyleLife(StyleWorld(3, 0.0, windows=400)) for _ in range(2))
    looked = 0
    for _ in range(26):
        slots = few.has_slots
        assert slots == every.has_slots
        every.night()
        if slots:
            few.night()
            looked += 1
        else:
            few.day_without_slots()
        assert few.memory.slots == every.memory.slots
        assert few.memory.learning_days == every.memory.learning_days
    assert 0 < looked < 10
    assert null_life(StyleWorld(3, 0.0, windows=400), 26) == NullYear(False, 0)


def test_where_a_style_pays_every_night_is_lived_after_all() -> None:
    world = StyleWorld(1, 3.0)
    assert null_life(world, 24) == NullYear(True, sum(StyleLife(world).nights(24)))
