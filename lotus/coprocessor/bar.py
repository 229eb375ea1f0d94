"""Who of a run may enter: made as simple as it can be, above the bar of everything ever tried, unlike what is known.

bar        minus ln of the chance of its days under other signs >= ln N: N candidates without an edge would reach it
           about once (an exact test and Bonferroni; see `signs`)
folds      the middle one of five is above 0
redundant  daily sums go along (correlation > .7) with those of a detector in force or of a better entrant
sturdy     with every free constant 20 % up or down (a share above a half: of what it lacks to 1), and one window late,
           more than half of T is left
Ablations and attacks are trials like any other and are charged as such.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from lotus.coprocessor.breeding import Breeder
from lotus.coprocessor.genome import (
    TIMES,
    Genome,
    children,
    environment,
    free_constants,
    parts,
    put_at,
    read,
    rewritten,
)
from lotus.coprocessor.grammar import spelling_of
from lotus.coprocessor.panel import Panel
from lotus.coprocessor.scoring import Score, correlation, raw_values, rounded
from lotus.coprocessor.selection import REDUNDANT, Individual, best_unlike, worth_of
from lotus.coprocessor.signs import evidence
from lotus.coprocessor.variation import typed_places
from lotus.errors import ConfigError
from lotus.tape_machine.checker import check
from lotus.tape_machine.syntax import Call, Number, Tree, Unary

ENTRANTS: Final[int] = 2
LOOKED_AT: Final[int] = 8  # best ones of a run that are simplified and judged
LOSS: Final[float] = 0.05  # of z that a simpler tree may cost
ROUNDS: Final[int] = 6
JITTERS: Final = (0.8, 1.2)
STURDY: Final[float] = 0.5


@dataclass(frozen=True, slots=True)
class CandidateVerdict:
    """What became of one that was looked at: state, the number that decided with its bound, and why in words."""

    state: str  # screened or refused
    check: str  # bar, folds, redundant, sturdy, mute; audits are the caller's
    value: float
    bound: float
    words: str


@dataclass(frozen=True, slots=True)
class Refinement:
    """One step of simplification or one attack: of whom, what it is, T before and after, and whether it was taken."""

    parent: str
    child: str
    kind: str  # ablation or attack
    text: str
    t_before: float
    t_after: float
    taken: bool


@dataclass(frozen=True, slots=True)
class Finalist:
    """One that was looked at, as simple as it became, with its steps and its verdict."""

    found: Individual
    genome: Genome
    score: Score
    refinements: tuple[Refinement, ...]
    verdict: CandidateVerdict


def finalists(breeder: Breeder, trials_ever: Callable[[], int], looked_at: int = LOOKED_AT) -> list[Finalist]:
    """Return the best of a run as simple as they become, with their verdicts; at most two are `screened`.

    `trials_ever` is N: read when everything of the run, its ablations and attacks too, has been charged.
    """
    best = best_unlike(list(breeder.run.scored.values()), looked_at)
    simple = [_simplified(breeder, one) for one in best]
    simple = list(
        {genome.canonical: (one, genome, score, steps) for one, genome, score, steps in simple[::-1]}.values()
    )
    attacked = [
        (one, genome, score, [*steps, *_attacks(breeder, genome, score)]) for one, genome, score, steps in simple
    ]
    bar = math.log(max(1, trials_ever()))
    out: list[Finalist] = []
    for one, genome, score, steps in sorted(attacked, key=lambda x: (-worth_of(x[1], x[2]), x[1].canonical)):
        taken = [f for f in out if f.verdict.state == "screened"]
        verdict = _verdict(breeder.panel, genome, score, steps, bar, taken)
        out.append(Finalist(one, genome, score, tuple(steps), verdict))
    return out


def _verdict(
    panel: Panel, genome: Genome, score: Score, steps: Sequence[Refinement], bar: float, taken: Sequence[Finalist]
) -> CandidateVerdict:
    nats = rounded(evidence(score.daily))
    attacks = [s for s in steps if s.kind == "attack"]
    weakest = min((s.t_after for s in attacks), default=score.t)
    alike = [correlation(score.daily, daily) for daily in panel.profiles.tolist()]
    alike += [correlation(score.daily, f.score.daily) for f in taken]
    nearest = max((abs(c) for c in alike), default=0.0)
    if score.mute:
        return CandidateVerdict("refused", "mute", 0.0, 0.0, "it never says anything that counts")
    if nats < bar:
        return CandidateVerdict(
            "refused", "bar", nats, bar, f"its evidence of {nats:.2f} nats is below ln N = {bar:.2f}"
        )
    if score.median <= 0.0:
        return CandidateVerdict("refused", "folds", score.median, 0.0, f"the middle fold has T = {score.median:.2f}")
    if nearest > REDUNDANT:
        return CandidateVerdict(
            "refused", "redundant", nearest, REDUNDANT, f"its days go along with a known one's: {nearest:.2f}"
        )
    if weakest <= STURDY * score.t:
        return CandidateVerdict(
            "refused", "sturdy", weakest, STURDY * score.t, f"T = {weakest:.2f} is left under an attack"
        )
    if len(taken) >= ENTRANTS:
        return CandidateVerdict("refused", "room", float(len(taken)), float(ENTRANTS), f"{ENTRANTS} better ones enter")
    return CandidateVerdict("screened", "bar", nats, bar, f"evidence of {nats:.2f} nats, ln N = {bar:.2f}")


def _simplified(breeder: Breeder, one: Individual) -> tuple[Individual, Genome, Score, list[Refinement]]:
    """Return the smallest tree on the way down that keeps 95 % of z, step by step."""
    genome, score, steps = one.genome, one.score, list[Refinement]()
    for _ in range(ROUNDS):
        shorter = list(_ablations(breeder, genome))
        if not shorter:
            break
        breeder.score([(g, "ablation", (genome.canonical,)) for g in shorter])
        tried = [(g, _score_as_written(breeder, g)) for g in shorter]
        good = [x for x in tried if x[1].z >= (1.0 - LOSS) * one.score.z]
        best = min(good, key=lambda x: (x[0].nodes, -x[1].z, x[0].canonical), default=None)
        taken = best[0] if best is not None else None
        steps += [
            Refinement(genome.canonical, g.canonical, "ablation", g.text, score.t, s.t, g is taken)
            for g, s in tried
        ]  # fmt: skip
        if best is None:
            break
        genome, score = best
    return one, genome, score, steps


def _score_as_written(breeder: Breeder, genome: Genome) -> Score:
    """Return the score of a scored candidate with the side of this text; it may have been scored as its negative."""
    stored = breeder.run.scored[genome.canonical]
    return replace(stored.score, side=stored.direction * genome.sign)


def _ablations(breeder: Breeder, genome: Genome) -> Iterator[Genome]:
    """Yield every smaller tree in which one part became its own part of the same type, or its mean."""
    step_ms, seen = breeder.panel.window_ms, {genome.canonical}
    places = typed_places(genome, step_ms)
    kinds = {place: (kind, unit) for place, kind, unit in places}
    trees: list[Tree] = []
    for place, part in parts(genome.tree):
        for k in range(len(children(part))):
            if kinds.get((*place, k)) == kinds.get(place, ("", "")):
                trees.append(put_at(genome.tree, place, children(part)[k]))
    inner = [(place, part) for place, part in parts(genome.tree) if place and kinds.get(place, ("",))[0] == "number"]
    for (place, _), mean in zip(inner, _means(breeder, [part for _, part in inner]), strict=True):
        literal = _literal(mean, kinds[place][1])
        trees += [put_at(genome.tree, place, literal)] if literal is not None else []
    for tree in trees:
        try:
            smaller = read(tree, genome.horizon_s, step_ms)
        except ConfigError:  # nothing is left that changes
            continue
        if smaller.nodes < genome.nodes and smaller.canonical not in seen:
            seen.add(smaller.canonical)
            yield smaller


def _means(breeder: Breeder, trees: Sequence[Tree]) -> list[float]:
    """Return the mean of each number over the span, NaN for one that is never known."""
    there = environment(breeder.panel.window_ms)
    total, many = np.zeros(len(trees)), np.zeros(len(trees))
    for values in raw_values([check(tree, there) for tree in trees], breeder.panel) if trees else ():
        total += np.nansum(values, axis=0)
        many += np.isfinite(values).sum(axis=0)
    return [float(t / n) if n else math.nan for t, n in zip(total, many, strict=True)]


def _literal(mean: float, unit: str) -> Tree | None:
    spelled = spelling_of(unit)
    if spelled is None or not math.isfinite(mean):
        return None
    number = Number(float(f"{abs(mean):.2g}"), spelled)
    return Unary("-", number) if mean < 0.0 else number


def _attacks(breeder: Breeder, genome: Genome, score: Score) -> list[Refinement]:
    """Score it one window late and with its free constants moved; what it keeps of T counts in its own direction."""
    step_ms = breeder.panel.window_ms
    trees: list[Tree] = [Call("lag", (genome.tree, Number(1.0, "step")))]
    for factor in JITTERS:
        moved: dict[Tree, Tree] = {n: _moved(n, factor) for n in free_constants(genome.tree)}
        trees += [rewritten(genome.tree, partial(_exchanged, moved))] if moved else []
    out = []
    for tree in trees:
        try:
            other = read(tree, genome.horizon_s, step_ms)
        except ConfigError:  # beyond a bound, such as the memory of two hours
            continue
        if other.canonical == genome.canonical:
            continue
        breeder.score([(other, "attack", (genome.canonical,))])
        after = _score_as_written(breeder, other)
        t_after = after.t * after.side * score.side
        out.append(Refinement(genome.canonical, other.canonical, "attack", other.text, score.t, t_after, False))
    return out


def _exchanged(moved: Mapping[Tree, Tree], part: Tree) -> Tree:
    return moved.get(part, part)


def _moved(number: Number, factor: float) -> Number:
    """Return a constant times a factor; a share above a half moves by as much of what it lacks to 1."""
    is_high_share = not number.unit and 0.5 < number.value < 1.0
    value = 1.0 + (number.value - 1.0) * (2.0 - factor) if is_high_share else number.value * factor
    if number.unit in TIMES:
        return Number(
            float(round(value * 60.0 if number.unit == "m" else value)), "s" if number.unit == "m" else number.unit
        )
    return replace(number, value=float(f"{value:.3g}"))
