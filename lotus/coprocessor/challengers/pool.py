"""The gates and compositions that a set of parents gives: trees of the language, in a fixed order, within its bounds.

A gate lets its parent speak where a flag holds. A composition is where two agree (AND), where one speaks while another
does, or the mean of two or three; only parents of one horizon are composed. Constants become parameters of the one
file that is written, so nothing of a parent's names is left. Nothing is scored here. (Literature: ensembles by
conjunction and average.)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Final

from lotus.coprocessor.genome import Genome, read
from lotus.errors import ConfigError
from lotus.tape_machine.syntax import Binary, Call, Name, Number, Tree, Unary

GATE, AND, WHILE, MEAN = "gate_of", "and_of", "while_of", "mean_of"
CHALLENGES: Final = (GATE, AND, WHILE, MEAN)
FLAG_COLUMNS: Final = ("vol", "spread", "depth_slope", "traded_usd")
SPAN: Final = Number(20.0, "m")  # of the rank
LOW, HIGH = Number(0.333), Number(0.667)


@dataclass(frozen=True, eq=False)
class Parent:
    """A candidate or detector that challengers are made of: its name, what it computes, the side it pays on."""

    name: str
    genome: Genome
    side: int = 1

    @property
    def is_candidate(self) -> bool:
        """Whether it was bred, and not written as a detector."""
        return self.name == self.genome.canonical

    @property
    def tree(self) -> Tree:
        """The signal in the direction in which it pays."""
        return self.genome.tree if self.side > 0 else Unary("-", self.genome.tree)


@dataclass(frozen=True, eq=False)
class Challenger:
    """One of the pool: what it computes, how it was made, of whom; of a gate its parent's place and the flag."""

    genome: Genome
    operator: str
    parents: tuple[str, ...]
    parent: int = -1
    flag: int = -1


def feature_flags(columns: Sequence[str]) -> list[Tree]:
    """Return the flags of the context that gates are tried with: each column high or low in its last 20 minutes."""
    return [
        Binary(op, Call("rank", (Name(name), SPAN)), bound)
        for name in FLAG_COLUMNS
        if name in columns
        for op, bound in ((">", HIGH), ("<", LOW))
    ]


def gates(parents: Sequence[Parent], flags: Sequence[Tree], step_ms: int) -> list[Challenger]:
    """Return the parents behind each flag, those that stay within the bounds, each once."""
    made = (
        (Call("where", (flag, parent.tree, Number(0.0))), parent.genome.horizon_s, GATE, (parent.name,), p, f)
        for p, parent in enumerate(parents)
        for f, flag in enumerate(flags)
    )
    return _distinct(made, parents, step_ms)


def compositions(parents: Sequence[Parent], step_ms: int) -> list[Challenger]:
    """Return what pairs and triples of parents of one horizon give, those that stay within the bounds, each once."""
    return _distinct(_composed(parents), parents, step_ms)


_Made = tuple[Tree, int, str, tuple[str, ...], int, int]


def _composed(parents: Sequence[Parent]) -> Iterator[_Made]:
    alike = [(a, b) for a, b in permutations(parents, 2) if a.genome.horizon_s == b.genome.horizon_s]
    for a, b in alike:
        names, horizon_s = (a.name, b.name), a.genome.horizon_s
        agree = Binary(">", Binary("*", a.tree, b.tree), Number(0.0))
        yield Call("where", (agree, a.tree, Number(0.0))), horizon_s, AND, names, -1, -1
        speaks = Binary("!=", b.tree, Number(0.0))
        yield Call("where", (speaks, a.tree, Number(0.0))), horizon_s, WHILE, names, -1, -1
    for many in (2, 3):
        for some in combinations(parents, many):
            if len({one.genome.horizon_s for one in some}) == 1:
                total = some[0].tree
                for one in some[1:]:
                    total = Binary("+", total, one.tree)
                mean = Binary("/", total, Number(float(many)))
                yield mean, some[0].genome.horizon_s, MEAN, tuple(one.name for one in some), -1, -1


def _distinct(made: Iterator[_Made], parents: Sequence[Parent], step_ms: int) -> list[Challenger]:
    seen, found = {one.genome.canonical for one in parents}, list[Challenger]()
    for tree, horizon_s, operator, names, parent, flag in made:
        try:
            genome = read(tree, horizon_s, step_ms)
        except ConfigError:  # over the bounds
            continue
        if genome.canonical not in seen:
            seen.add(genome.canonical)
            found.append(Challenger(genome, operator, names, parent, flag))
    return found
