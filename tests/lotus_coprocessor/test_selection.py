"""The best by evidence less size live, one of each kind first."""

import numpy as np

from lotus.coprocessor.genome import read
from lotus.coprocessor.scoring import Score
from lotus.coprocessor.selection import Individual, best_unlike, parent, survivors, worth_of
from lotus.tape_machine.parser import parse

DAYS = ((1.0, -0.5, 1.0, 2.0), (1.0, 2.0, -1.0, 1.0))


def one(text: str, z: float, days: tuple[float, ...] = DAYS[0]) -> Individual:
    """Return a candidate with a z."""
    return Individual(read(parse(text), 30, 5_000), Score(days, 1, z), "grow")


def test_a_part_that_adds_less_than_it_costs_to_name_does_not_rank() -> None:
    plain, longer = one("imb_5", 4.0), one("imb_5 * abs(imb_1)", 4.2)
    assert worth_of(plain.genome, plain.score) == plain.worth == 8.0 - plain.genome.nodes
    assert plain.worth > longer.worth
    assert one("imb_5 * abs(imb_1)", 5.0).worth > plain.worth


def test_of_two_alike_the_better_lives_and_the_other_only_where_there_is_room() -> None:
    best, twin, other = one("imb_5", 5.0), one("imb_1", 4.9), one("imb_10", 2.0, DAYS[1])
    pool = [other, twin, best]
    assert survivors(pool, 2) == [best, other]
    assert survivors(pool, 9) == [best, twin, other]
    assert survivors([], 5) == []
    assert best_unlike([*pool, one("flow", 0.0, (0.0,) * 4)], 9) == [best, other]
    assert best_unlike(pool, 1) == [best]


def test_parents_are_the_first_of_a_few_drawn_ones() -> None:
    ranked = [one(f"imb_5 * {k}.5", 4.0) for k in range(64)]
    rng = np.random.Generator(np.random.Philox(3))
    at = [ranked.index(parent(ranked, rng)) for _ in range(400)]
    assert 8.0 < float(np.mean(at)) < 18.0
