"""The search rules of two peers on our trees, as many trials a horizon: what they call fit, how they choose parents.

`by_gplearn`: gplearn's SymbolicTransformer with its defaults: fitness |correlation| with the move less .001 a node,
tournaments of 20, crossover .9, subtree, hoist and point .01 each, else the parent itself. Its trees know no units;
300 a generation for its 1,000, since trials are few. `by_pool`: AlphaGen's rule (Yu et al., KDD 2023): an
expression is worth the correlation that a linear pool of at most ten has with it in; its policy network is left out, so
parents are drawn by that worth among what was scored. Correlations are about 0, over windows, and cost each candidate
a second run, which is in their CPU time. Charges are the breeder's.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.coprocessor.breeding import Breeder
from lotus.coprocessor.genome import Genome
from lotus.coprocessor.grammar import CandidateGrammar
from lotus.coprocessor.panel import Panel
from lotus.coprocessor.scoring import run
from lotus.coprocessor.variation import Variation

Floats = NDArray[np.float64]
GENERATION, TOURNAMENT = 300, 20
PARSIMONY: Final[float] = 0.001
SHARES: Final = (("crossover", 0.9), ("subtree", 0.01), ("point", 0.01))  # hoist is a part of our subtree
POOL: Final[int] = 10
POOL_GENERATION, POOL_TOURNAMENT = 100, 4
POOL_OPERATORS: Final = ("crossover", "subtree", "point", "jitter", "span")
RIDGE: Final[float] = 1e-3


def by_gplearn(breeder: Breeder) -> int:
    """Search; its rule promotes the best program of each horizon."""
    for horizon_s, many, vary in _horizons(breeder):
        target = _moves(breeder.panel, horizon_s)
        fitness: dict[str, float] = {}
        people: list[Genome] = []
        last = breeder.run.trials + many
        while breeder.run.trials < last:
            room = min(GENERATION, last - breeder.run.trials)
            children = [_child(people, fitness, vary, breeder.rng) if people else vary.grown() for _ in range(room)]
            people = _at(children, horizon_s)
            if not _scored(breeder, people):
                people = []  # a generation of copies: it begins anew
                continue
            signals = _signals(people, breeder.panel)
            for k, one in enumerate(people):
                fitness[one.canonical] = abs(_correlation(signals[:, k], target)) - PARSIMONY * one.nodes
    return len(breeder.panel.horizons_s)


def by_pool(breeder: Breeder) -> int:
    """Search; its rule promotes the members of each horizon's pool."""
    members = 0
    for horizon_s, many, vary in _horizons(breeder):
        target = _moves(breeder.panel, horizon_s)
        pool: list[Floats] = []
        worth: dict[str, float] = {}
        people: list[Genome] = []
        last = breeder.run.trials + many
        while breeder.run.trials < last:
            room = min(POOL_GENERATION, last - breeder.run.trials)
            children = [_varied(people, worth, vary, breeder.rng) if people else vary.grown() for _ in range(room)]
            fresh = [g for g in _at(children, horizon_s) if g.canonical not in worth]
            if not _scored(breeder, fresh):
                people = []
                continue
            signals = _signals(fresh, breeder.panel)
            for k, one in enumerate(fresh):
                pool, worth[one.canonical] = _joined(pool, signals[:, k], target)
            people = [*people, *fresh]
        members += len(pool)
    return members


def _horizons(breeder: Breeder) -> list[tuple[int, int, Variation]]:
    """Return each horizon with its share of the trials and what varies trees there."""
    panel, trials = breeder.panel, breeder.run.plan.trials
    horizons = panel.horizons_s
    parts = [trials * (k + 1) // len(horizons) - trials * k // len(horizons) for k in range(len(horizons))]
    return [
        (h, part, Variation(CandidateGrammar.of(panel.window_ms, panel.scales, (h,)), breeder.rng))
        for h, part in zip(horizons, parts, strict=True)
    ]


def _child(people: Sequence[Genome], fitness: dict[str, float], vary: Variation, rng: np.random.Generator) -> Genome:
    one, other = (_drawn(people, fitness.__getitem__, TOURNAMENT, rng) for _ in range(2))
    chance = float(rng.random())
    for operator, share in SHARES:
        chance -= share
        if chance < 0.0:
            return vary.child(operator, one, other)
    return one


def _varied(people: Sequence[Genome], worth: dict[str, float], vary: Variation, rng: np.random.Generator) -> Genome:
    one, other = (_drawn(people, worth.__getitem__, POOL_TOURNAMENT, rng) for _ in range(2))
    return vary.child(POOL_OPERATORS[int(rng.integers(len(POOL_OPERATORS)))], one, other)


def _drawn(
    people: Sequence[Genome], fitness: Callable[[str], float], many: int, rng: np.random.Generator
) -> Genome:  # fmt: skip
    """Return the best of a few drawn ones."""
    drawn = [people[int(k)] for k in rng.integers(len(people), size=many)]
    return max(drawn, key=lambda g: fitness(g.canonical))


def _at(children: Sequence[Genome], horizon_s: int) -> list[Genome]:
    """Return the distinct ones of a horizon."""
    return list({g.canonical: g for g in children if g.horizon_s == horizon_s}.values())


def _scored(breeder: Breeder, people: Sequence[Genome]) -> int:
    """Charge and score a generation; return how many of it are new."""
    return len(breeder.score([(g, "peer", ()) for g in people])) if people else 0


def _joined(pool: list[Floats], signal: Floats, target: Floats) -> tuple[list[Floats], float]:
    """Return the pool after a signal was offered and how well its best mixture goes along; the weakest of 11 goes."""
    size = float(np.sqrt(np.dot(signal, signal)))
    if size == 0.0:
        return pool, 0.0
    members = [*pool, signal / size]
    weights, joint = _mixed(members, target)
    if len(members) > POOL:
        del members[int(np.argmin(np.abs(weights)))]
        joint = _mixed(members, target)[1]
    return members, joint


def _mixed(members: Sequence[Floats], target: Floats) -> tuple[Floats, float]:
    """Return the weights of the mixture that goes along best with the target (of length 1), and how well."""
    x = np.stack(members)
    own = x @ target
    weights = np.asarray(np.linalg.solve(x @ x.T + RIDGE * np.eye(len(x)), own), np.float64)
    return weights, float(np.sqrt(max(0.0, float(own @ weights))))


def _moves(panel: Panel, horizon_s: int) -> Floats:
    """Return the moves of all scored windows at a horizon, of length 1."""
    h = panel.horizons_s.index(horizon_s)
    scored = [left[:, h] * (at >= 0) for left, at in zip(panel.left, panel.places, strict=True)]
    moves: Floats = np.concatenate(scored)
    return np.asarray(moves / max(float(np.sqrt(np.dot(moves, moves))), 1e-300), np.float64)


def _signals(genomes: Sequence[Genome], panel: Panel) -> Floats:
    """Return what candidates say in all windows, f8[n, candidates], 0 where a window is not scored."""
    ends = np.cumsum([0, *(len(at) for at in panel.places)])
    found = np.zeros((int(ends[-1]), len(genomes)))

    def add(first: int, day: int, values: Floats) -> None:
        said = values * (panel.places[day] >= 0)[:, None]
        found[ends[day] : ends[day + 1], first : first + values.shape[1]] = said

    run([g.node for g in genomes], panel, add)
    return found


def _correlation(signal: Floats, target: Floats) -> float:
    size = float(np.sqrt(np.dot(signal, signal)))
    return float(np.dot(signal, target)) / size if size > 0.0 else 0.0
