"""Gates and compositions in a search: charged before anything of them is known, then ranked or scored.

Every gate of the pool is charged, because ranking it looks at what came after; the best by information are scored, with
the compositions, like any other candidate. What enters is `lotus.coprocessor.bar`. Begun again with the same parents
the same are charged and scored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.coprocessor.breeding import Breeder, Charge, TrialCharge
from lotus.coprocessor.challengers.information import binned, gate_gain
from lotus.coprocessor.challengers.pool import Challenger, Parent, compositions, feature_flags, gates
from lotus.coprocessor.genome import environment
from lotus.coprocessor.panel import Panel
from lotus.coprocessor.scoring import raw_values, rounded
from lotus.tape_machine.checker import check
from lotus.tape_machine.node import Node
from lotus.tape_machine.syntax import Call, Number, Tree

OF_SEARCH: Final[int] = 4  # best of the search that are parents too
MOST_GATES: Final[int] = 64  # charged
BEST_GATES: Final[int] = 16  # of these scored
MOST_COMPOSED: Final[int] = 24
MOST_ROWS: Final[int] = 200_000  # windows that are looked at for the ranking
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ChallengeFacts:
    """How many gates were charged, how many of them scored, how many compositions; gains of the scored gates, nats."""

    gates: int
    gates_scored: int
    composed: int
    gains: tuple[tuple[str, float], ...]


def challenge(
    breeder: Breeder, charge: Charge, standing: Sequence[Parent], flags: Sequence[Tree] = ()
) -> ChallengeFacts:
    """Charge and score the challengers of those in force and in shadow, and of the best of the search.

    `flags`: of segments, beside those of the context. Gates are of all parents, compositions of `standing` alone.
    """
    panel, step_ms = breeder.panel, breeder.panel.window_ms
    parents = [*_best(breeder), *standing]
    every = [*flags, *feature_flags([*panel.scales])]
    pool = gates(parents, every, step_ms)[:MOST_GATES]
    generation = breeder.run.generation
    fresh = [one for one in pool if one.genome.canonical not in breeder.run.scored]
    charge([
        TrialCharge(c.genome.canonical, generation, c.operator, c.genome.horizon_s, c.genome.text, c.parents)
        for c in fresh
    ])  # fmt: skip
    gains = _gains(panel, parents, every, fresh)
    ranked = sorted(zip(gains, fresh, strict=True), key=lambda one: (-one[0], one[1].genome.canonical))
    best = [(gain, one) for gain, one in ranked if gain > 0.0][:BEST_GATES]
    composed = compositions(standing, step_ms)[:MOST_COMPOSED]
    breeder.score([(one.genome, one.operator, one.parents) for one in [*(one for _, one in best), *composed]])
    named = tuple((one.genome.canonical, gain) for gain, one in best)
    return ChallengeFacts(len(fresh), len(best), len(composed), named)


def _best(breeder: Breeder) -> list[Parent]:
    found = [one for one in breeder.run.scored.values() if not one.score.mute]
    best = sorted(found, key=lambda one: (-one.worth, one.genome.canonical))[:OF_SEARCH]
    return [Parent(one.genome.canonical, one.genome, one.score.side) for one in best]


def _gains(panel: Panel, parents: Sequence[Parent], flags: Sequence[Tree], pool: Sequence[Challenger]) -> list[float]:
    """Return the gain of each gate over sampled windows in which its parent speaks, 9 digits."""
    if not pool:
        return []
    there = environment(panel.window_ms)
    spoken = [Call("where", (flag, Number(1.0), Number(0.0))) for flag in flags]
    nodes = [*(one.genome.node for one in parents), *(check(tree, there) for tree in spoken)]
    stride = 1 + sum(len(day.asset) for day in panel.days) // MOST_ROWS
    signals, rows = _sampled(panel, nodes, stride)
    moves = np.concatenate([left[rows[k]] for k, left in enumerate(panel.left)])
    out = []
    for one in pool:
        signal, flag = signals[:, one.parent], signals[:, len(parents) + one.flag]
        move = moves[:, panel.horizons_s.index(one.genome.horizon_s)]
        own = (signal != 0.0) & (move != 0.0)
        out.append(rounded(gate_gain(binned(signal[own]), binned(move[own]), flag[own] == 1.0)))
    return out


def _sampled(panel: Panel, nodes: Sequence[Node], stride: int) -> tuple[Floats, list[NDArray[np.int64]]]:
    """Return the values of expressions on every `stride`-th scored window, null as 0, and those rows of each day."""
    rows = [np.flatnonzero(place >= 0)[::stride] for place in panel.places]
    parts = [np.nan_to_num(values[rows[day]], nan=0.0) for day, values in enumerate(raw_values(nodes, panel))]
    return np.concatenate(parts), rows
