"""Challengers in a search: all that is ranked is charged before, the best are scored, a planted gate comes first."""

from collections.abc import Sequence

import numpy as np

from lotus.coprocessor.breeding import Breeder, BreedPlan, TrialCharge
from lotus.coprocessor.challengers import search
from lotus.coprocessor.challengers.pool import CHALLENGES, GATE, Parent
from lotus.coprocessor.challengers.search import BEST_GATES, challenge
from lotus.coprocessor.genome import read
from lotus.tape_machine.parser import parse
from tests.lotus_coprocessor.breeding_bed import small_panel

PARENTS = [Parent(text, read(parse(text), 30, 5_000)) for text in ("sign(imb_10)", "sign(flow)", "sign(imb_5)")]
PLANTED = "rank(imb_10, 5m) > 0.8 or rank(imb_10, 5m) < 0.2"  # the flag under which sign(imb_10) pays


def searched(charged: list[TrialCharge], trials: int = 12) -> Breeder:
    """A small search whose charges are noted."""

    def charge(rows: Sequence[TrialCharge]) -> None:
        charged.extend(rows)

    breeder = Breeder(small_panel(windows=480), BreedPlan(5, trials, population=12), charge)
    breeder.breed(lambda: 0.0)
    return breeder


def test_everything_that_is_ranked_was_charged_before_and_twice_the_same(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    found = []
    real = search._gains
    for _ in range(2):
        charged: list[TrialCharge] = []
        breeder = searched(charged)
        before = len(charged)

        def ranked(panel, parents, flags, pool, charged=charged):  # type: ignore[no-untyped-def]
            assert {one.genome.canonical for one in pool} <= {c.canonical for c in charged}
            return real(panel, parents, flags, pool)

        monkeypatch.setattr(search, "_gains", ranked)
        facts = challenge(breeder, charged.extend, PARENTS)
        made = [c for c in charged[before:] if c.operator in CHALLENGES]
        gates = {c.canonical for c in made if c.operator == GATE}
        assert len(gates) == facts.gates > facts.gates_scored
        assert facts.gates_scored <= BEST_GATES
        scored = {i.genome.canonical for i in breeder.run.scored.values() if i.operator == GATE}
        assert scored == {name for name, _ in facts.gains} <= gates
        assert facts.composed > 0
        assert all(gain > 0.0 for _, gain in facts.gains)
        found.append((facts, breeder.run.identity()))
    assert found[0] == found[1]


def test_the_gate_under_which_the_parent_pays_comes_first() -> None:
    breeder = searched([], 1)
    facts = challenge(breeder, lambda rows: None, PARENTS[:1], [parse(PLANTED)])
    of_parent = (breeder.run.scored[name] for name, _ in facts.gains)
    first = next(one for one in of_parent if one.parents == (PARENTS[0].name,))
    assert PLANTED in first.genome.text
    others = [i.score.t for i in breeder.run.scored.values() if i.operator == GATE and i is not first]
    assert first.score.t > np.max(others)
