"""A run of the breeder: generations of candidates, each charged before it is scored, until the trials are used up.

`charge` takes what a generation will score and returns only when it is stored; a run that is killed and begun again
with the same panel, settings and seed asks for the same charges and comes to the same bits. `cpu_s` stops between two
generations. Which of the found ones enter is `bar`. (Literature: steady multi-objective genetic programming; Thompson
sampling of operators.)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from lotus.coprocessor.genome import Genome
from lotus.coprocessor.grammar import CandidateGrammar
from lotus.coprocessor.panel import Panel
from lotus.coprocessor.scoring import scores_of
from lotus.coprocessor.selection import Individual, best_unlike, parent, survivors
from lotus.coprocessor.survey import BEAM, SHARE, gated, plain
from lotus.coprocessor.variation import OPERATORS, Variation
from lotus.hashing import natural_id

POPULATION: Final[int] = 128
TRIALS: Final[int] = 3_000
CPU_S: Final[float] = 1_800.0
FLOOR: Final[float] = 0.1  # least share of an arm
ELITE: Final[float] = 0.25  # a child that is among the best quarter of its generation counts for its arm


@dataclass(frozen=True, slots=True)
class TrialCharge:
    """One candidate that will be scored: what it is, who made it of what, and when."""

    canonical: str
    generation: int
    operator: str
    horizon_s: int
    text: str
    parents: tuple[str, ...] = ()


Charge = Callable[[Sequence[TrialCharge]], None]
Propose = Callable[[int], Sequence[Genome]]  # at most so many candidates of whoever proposes beside the operators
LLM: Final = "llm"  # their arm
MOST_PROPOSED: Final[int] = 8  # a generation


@dataclass(frozen=True, slots=True)
class BreedPlan:
    """How a run searches; `ideas` are candidates that somebody brings, which begin in the first generation.

    `survey`: whether all columns are looked at before anything is varied (`survey`).
    """

    seed: int
    trials: int = TRIALS
    cpu_s: float = CPU_S
    population: int = POPULATION
    operators: tuple[str, ...] = OPERATORS
    survey: bool = True
    ideas: tuple[Genome, ...] = ()


@dataclass(slots=True)
class BreedRun:
    """What a run has found: everything scored, by canonical id, and the population."""

    plan: BreedPlan
    scored: dict[str, Individual] = field(default_factory=dict)
    population: list[Individual] = field(default_factory=list)
    generation: int = 0
    stopped_by: str = ""

    @property
    def trials(self) -> int:
        """Distinct candidates scored."""
        return len(self.scored)

    def identity(self) -> str:
        """Return the hash of everything found."""
        return natural_id(
            "bred", *(repr((c, i.score.daily, i.score.side, i.score.z)) for c, i in sorted(self.scored.items()))
        )


class Breeder:
    """Scores candidates of one panel, each charged once before."""

    def __init__(self, panel: Panel, plan: BreedPlan, charge: Charge, propose: Propose | None = None) -> None:
        """Bind what is searched and who is charged; without `propose` the arm `llm` has no trial."""
        self.panel, self.run = panel, BreedRun(plan)
        self.grammar = CandidateGrammar.of(panel.window_ms, panel.scales, panel.horizons_s)
        self._charge = charge
        key = [int(natural_id("breed", plan.seed)[k : k + 8], 16) for k in (0, 8, 16, 24)]
        self.rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))
        self._vary = Variation(self.grammar, self.rng)
        self._propose = propose
        self._rounds = (
            [0, *BEAM] if plan.survey else []
        )  # of the survey to come: 0 the plain forms, else how many are gated
        self._waiting: list[tuple[Genome, str, tuple[str, ...]]] = []
        self._arms = {name: [1.0, 1.0] for name in (*plan.operators, *([LLM] if propose else []))}

    def breed(self, cpu_s: Callable[[], float]) -> BreedRun:
        """Search until the trials or the CPU seconds are used up; `cpu_s` tells how many were."""
        run = self.run
        while run.trials < run.plan.trials:
            if cpu_s() >= run.plan.cpu_s:
                run.stopped_by = "cpu_s"
                return run
            children = self._children()
            if not children:
                run.stopped_by = "nothing new"
                return run
            made = self.score(children)
            self._reward(made)
            run.population = survivors([*run.population, *made], run.plan.population)
        run.stopped_by = "trials"
        return run

    def score(self, children: Sequence[tuple[Genome, str, tuple[str, ...]]]) -> list[Individual]:
        """Charge and score one generation of candidates with their operators and parents; known ones are only read."""
        run = self.run
        fresh: dict[str, tuple[Genome, str, tuple[str, ...]]] = {}
        for child in children:
            if child[0].canonical not in run.scored:
                fresh.setdefault(child[0].canonical, child)
        if fresh:
            self._charge([
                TrialCharge(c, run.generation, operator, genome.horizon_s, genome.text, parents)
                for c, (genome, operator, parents) in fresh.items()
            ])  # fmt: skip
            run.generation += 1
        genomes = [genome for genome, _, _ in fresh.values()]
        for (genome, operator, parents), score in zip(fresh.values(), scores_of(genomes, self.panel), strict=True):
            run.scored[genome.canonical] = Individual(genome, score, operator, parents)
        return [run.scored[c] for c in fresh]

    def score_one(self, genome: Genome, operator: str, parents: tuple[str, ...]) -> Individual:
        """Return one candidate scored, charged where it is new."""
        self.score([(genome, operator, parents)])
        return self.run.scored[genome.canonical]

    def _children(self) -> list[tuple[Genome, str, tuple[str, ...]]]:
        """Return the next generation, only candidates that were not scored."""
        plan, population = self.run.plan, self.run.population
        wanted = min(plan.population, plan.trials - self.run.trials)
        children: dict[str, tuple[Genome, str, tuple[str, ...]]] = {}
        if not population:
            children |= {g.canonical: (g, "idea", ()) for g in plan.ideas}
        asked = min(wanted, MOST_PROPOSED) if self._propose and not population else 0
        for found in self._surveyed(wanted - len(children) - asked):
            children.setdefault(found[0].canonical, found)
        for _ in range(4 * wanted):
            if len(children) + asked >= wanted:
                break
            operator = self._arm() if population else "grow"
            if operator == LLM:
                asked = min(asked + 1, MOST_PROPOSED)
                continue
            if operator == "grow" or not population:
                child, parents = self._vary.grown(), tuple[str, ...]()
            else:
                one, other = parent(population, self.rng), parent(population, self.rng)
                child = self._vary.child(operator, one.genome, other.genome)
                parents = _parents(operator, one, other)
            if child.canonical not in self.run.scored:
                children.setdefault(child.canonical, (child, operator, parents))
        for child in self._propose(asked) if self._propose and asked else ():
            if child.canonical not in self.run.scored:
                children.setdefault(child.canonical, (child, LLM, ()))
        return list(children.values())

    def _surveyed(self, wanted: int) -> list[tuple[Genome, str, tuple[str, ...]]]:
        """Return what comes next of the survey, nothing when it is over; a round waits for those before it."""
        if wanted > 0 and not self._waiting and self._rounds:
            self._waiting = self._round(self._rounds.pop(0))
        taken, self._waiting = self._waiting[: max(0, wanted)], self._waiting[max(0, wanted) :]
        return taken

    def _round(self, many: int) -> list[tuple[Genome, str, tuple[str, ...]]]:
        """Return one round of the survey in a drawn order, at most its share of the trials."""
        room = int(SHARE * self.run.plan.trials)
        found: list[tuple[Genome, str, tuple[str, ...]]] = []
        if many:
            best = best_unlike(list(self.run.scored.values()), many)
            found += [(g, "gates", (parent_id,)) for g, parent_id in gated(self.grammar, best)]
        else:
            found += [(g, "plain", ()) for g in plain(self.grammar)]
        fresh = [x for x in found if x[0].canonical not in self.run.scored]
        return [fresh[int(k)] for k in self.rng.permutation(len(fresh))[:room]]

    def _arm(self) -> str:
        """Return an operator: by its floor of the trials, else by a draw of each one's chance of a good child."""
        names = list(self._arms)
        if float(self.rng.random()) < min(1.0, FLOOR * len(names)):
            return names[int(self.rng.integers(len(names)))]
        return max(names, key=lambda name: float(self.rng.beta(self._arms[name][0], self._arms[name][1])))

    def _reward(self, made: Sequence[Individual]) -> None:
        """Count for each arm how many of its children are among the best quarter of all that live."""
        lives = sorted((i.worth for i in [*self.run.population, *made]), reverse=True)
        good = lives[int(ELITE * (len(lives) - 1))] if lives else 0.0
        for one in made:
            if one.operator in self._arms:
                self._arms[one.operator][0 if one.worth > good else 1] += 1.0


def _parents(operator: str, one: Individual, other: Individual) -> tuple[str, ...]:
    both = operator in ("crossover", "gate", "compose")
    return tuple(dict.fromkeys(i.genome.canonical for i in ((one, other) if both else (one,))))
