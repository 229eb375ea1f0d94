"""A run charges before it scores, once each; killed and begun again it comes to the same bits."""

from collections.abc import Sequence

import pytest

from lotus.coprocessor.breeding import Breeder, BreedPlan, TrialCharge
from lotus.coprocessor.genome import read
from lotus.tape_machine.parser import parse
from tests.lotus_coprocessor.breeding_bed import small_panel

PLAN = BreedPlan(seed=5, trials=60, population=20)


class Killed(BaseException):
    """The process dies."""


def breeder(charged: list[str], dies_at: int = -1, plan: BreedPlan = PLAN) -> Breeder:
    """Return a breeder whose charges are kept in a list; it dies behind the charge of a generation."""

    def charge(trials: Sequence[TrialCharge]) -> None:
        charged.extend(t.canonical for t in trials)
        if trials[0].generation == dies_at:
            raise Killed

    return Breeder(small_panel(), plan, charge)


def test_everything_scored_was_charged_once() -> None:
    charged: list[str] = []
    run = breeder(charged).breed(lambda: 0.0)
    assert (run.trials, run.stopped_by) == (60, "trials")
    assert len(charged) == len(set(charged)) == 60
    assert set(charged) == set(run.scored)


@pytest.mark.parametrize("generation", [0, 1, 2])
def test_killed_and_begun_again_it_charges_the_same_and_finds_the_same_bits(generation: int) -> None:
    whole: list[str] = []
    bits = breeder(whole).breed(lambda: 0.0).identity()
    lost: list[str] = []
    with pytest.raises(Killed):
        breeder(lost, generation).breed(lambda: 0.0)
    assert lost == whole[: len(lost)]
    again: list[str] = []
    assert breeder(again).breed(lambda: 0.0).identity() == bits
    assert again == whole


def test_another_seed_finds_others_and_time_stops_between_generations() -> None:
    one = breeder([], plan=BreedPlan(5, 40, population=20)).breed(lambda: 0.0)
    other = breeder([], plan=BreedPlan(6, 40, population=20)).breed(lambda: 0.0)
    assert one.identity() != other.identity()
    times = iter([0.0, 5.0])
    assert breeder([], plan=BreedPlan(5, 60, cpu_s=4.0, population=20)).breed(lambda: next(times)).stopped_by == "cpu_s"


def test_an_idea_is_tried_first_and_its_known_id_only_read() -> None:
    idea = read(parse("sign(imb_10) * abs(imb_1)"), 30, 5_000)
    charged: list[str] = []
    run = breeder(charged, plan=BreedPlan(5, 30, population=20, ideas=(idea, idea))).breed(lambda: 0.0)
    assert charged[0] == idea.canonical
    assert charged.count(idea.canonical) == 1
    assert run.scored[idea.canonical].operator == "idea"
