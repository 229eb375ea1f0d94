"""Fronts of evidence and size."""

from lotus.coprocessor.genome import read
from lotus.coprocessor.scoring import Score
from lotus.coprocessor.selection import Individual, survivors
from lotus.tape_machine.parser import parse


def test_the_best_of_each_size_live_and_the_dominated_go() -> None:
    small, large = read(parse("imb_5"), 30, 5_000), read(parse("abs(imb_5) * imb_1"), 30, 5_000)
    weak, strong = Score((1.0, -0.5, 1.0), 1), Score((1.0, 1.0, 1.1), 1)
    best, poor = Individual(small, weak, "grow"), Individual(large, strong, "grow")
    dominated = Individual(read(parse("abs(imb_1) * imb_1"), 30, 5_000), weak, "grow")
    kept = survivors([dominated, best, poor], 2)
    assert {one.genome.canonical for one in kept} == {small.canonical, large.canonical}
    assert survivors([], 5) == []
    assert len(survivors([best, poor, dominated], 9)) == 3
