"""How a candidate becomes another one: eight operators that keep kinds and units, hence never make an ill-typed tree.

A change that leaves the bounds, or changes nothing, is tried again and at last replaced by a grown tree.
(Literature: subtree and point mutation, homologous crossover; geometric steps of parameters.)
"""

from dataclasses import replace
from functools import lru_cache
from typing import Final

import numpy as np

from lotus.coprocessor.genome import TIMES, Genome, Place, environment, part_at, parts, put_at, read, rewritten
from lotus.coprocessor.grammar import ATTEMPTS, CandidateGrammar, Grower
from lotus.errors import ConfigError
from lotus.tape_machine.checker import check
from lotus.tape_machine.syntax import Binary, Call, Name, Number, Tree, Unary

OPERATORS: Final = ("grow", "subtree", "point", "crossover", "jitter", "span", "gate", "compose")
_SISTERS: Final[tuple[tuple[str, ...], ...]] = ((">", "<"), (">=", "<="), ("and", "or"), ("+", "-"))
_CALLS: Final[tuple[tuple[str, ...], ...]] = (
    ("mean", "ema", "sum", "lag", "delta"),
    ("argmax_age", "argmin_age"),
    ("zscore",),
    ("rank", "breakout"),
)
Typed = tuple[Place, str, str]  # where, kind, unit


class Variation:
    """Makes children of candidates with the random numbers of one generator."""

    def __init__(self, grammar: CandidateGrammar, rng: np.random.Generator) -> None:
        """Bind what trees are grown from."""
        self._grower, self._step_ms = Grower(grammar, rng), grammar.step_ms

    def grown(self) -> Genome:
        """Return a candidate without parents."""
        return self._grower.candidate()

    def child(self, operator: str, parent: Genome, other: Genome) -> Genome:
        """Return a child by an operator, by growth where it finds none; `other`: of crossover, gate and compose."""
        made = {"subtree": self._subtree, "point": self._point, "jitter": self._jitter, "span": self._span}
        both = {"crossover": self._crossover, "gate": self._gate, "compose": self._compose}
        for _ in range(ATTEMPTS if operator != "grow" else 0):
            self._grower.renew([n for _, n in parts(parent.tree) if isinstance(n, Number) and n.unit in TIMES])
            tree = made[operator](parent) if operator in made else both[operator](parent, other)
            horizon_s = parent.horizon_s
            try:
                genome = read(tree, horizon_s, self._step_ms)
            except ConfigError:  # over the bounds
                continue
            if genome.canonical != parent.canonical:
                return genome
        return self._grower.candidate()

    def _subtree(self, parent: Genome) -> Tree:
        places = typed_places(parent, self._step_ms)
        place, kind, unit = self._grower.one_of(places)
        inner = [p for p, k, u in places if (k, u) == (kind, unit) and len(p) > len(place) and p[: len(place)] == place]
        if inner and not self._grower.below(3):  # a part of itself
            return put_at(parent.tree, place, part_at(parent.tree, self._grower.one_of(inner)))
        deep = 1 + self._grower.below(3)
        part = self._grower.flag(deep) if kind == "flag" else self._grower.number(unit, deep)
        return put_at(parent.tree, place, part)

    def _crossover(self, parent: Genome, other: Genome) -> Tree:
        places, theirs = typed_places(parent, self._step_ms), typed_places(other, self._step_ms)
        place, kind, unit = self._grower.one_of(places)
        alike = [p for p, k, u in theirs if (k, u) == (kind, unit)]
        return put_at(parent.tree, place, part_at(other.tree, self._grower.one_of(alike))) if alike else parent.tree

    def _point(self, parent: Genome) -> Tree:
        """Change one name, operator or function for another of its type."""
        grow = self._grower
        place, part = grow.one_of(list(parts(parent.tree)))
        match part:
            case Name(name):
                column = grow.grammar.columns.get(name)
                alike = grow.grammar.names(column.kind, column.unit) if column else [name]
                return put_at(parent.tree, place, Name(grow.one_of(alike)))
            case Binary(op, left, right):
                sisters = next((s for s in _SISTERS if op in s), (op,))
                return put_at(parent.tree, place, Binary(grow.one_of(sisters), left, right))
            case Call(name, arguments):
                functions = next((s for s in _CALLS if name in s and len(arguments) == 2), (name,))
                return put_at(parent.tree, place, Call(grow.one_of(functions), arguments))
        return parent.tree

    def _jitter(self, parent: Genome) -> Tree:
        """Move one level by up to a half, at two digits."""
        levels = [n for _, n in parts(parent.tree) if isinstance(n, Number) and n.value and n.unit not in TIMES]
        if not levels:
            return self._span(parent)
        old = self._grower.one_of(levels)
        value = float(f"{old.value * self._grower.one_of((0.5, 0.7, 0.8, 0.9, 1.1, 1.25, 1.4, 2.0)):.2g}")
        return rewritten(parent.tree, lambda part: replace(old, value=value) if part == old else part)

    def _span(self, parent: Genome) -> Tree:
        """Make one duration twice or half as long, wherever it stands, or let a flag hold on for one."""
        flags = [p for p, kind, _ in typed_places(parent, self._step_ms) if kind == "flag"]
        if flags and not self._grower.below(3):
            place = self._grower.one_of(flags)
            return put_at(parent.tree, place, Call("within", (part_at(parent.tree, place), self._grower.a_span())))
        spans = [n for _, n in parts(parent.tree) if isinstance(n, Number) and n.unit in TIMES]
        if not spans:
            return parent.tree
        old = self._grower.one_of(spans)
        value = old.value * self._grower.one_of((0.5, 2.0))
        new = Number(value * 60.0, "s") if old.unit == "m" and value != int(value) else replace(old, value=value)
        return rewritten(parent.tree, lambda part: new if part == old else part)

    def _gate(self, parent: Genome, other: Genome) -> Tree:
        """Say it only where a flag holds: a grown one, or one of another candidate."""
        flags = [p for p, kind, _ in typed_places(other, self._step_ms) if kind == "flag"]
        grown = not flags or not self._grower.below(2)
        flag = self._grower.flag(2) if grown else part_at(other.tree, self._grower.one_of(flags))
        return Call("where", (flag, parent.tree, Number(0.0)))

    def _compose(self, parent: Genome, other: Genome) -> Tree:
        """Return where both agree, or their mean."""
        if self._grower.below(2):
            agree = Binary(">", Binary("*", parent.tree, other.tree), Number(0.0))
            return Call("where", (agree, parent.tree, Number(0.0)))
        return Binary("/", Binary("+", parent.tree, other.tree), Number(2.0))


@lru_cache(maxsize=1024)
def typed_places(genome: Genome, step_ms: int) -> list[Typed]:
    """Return every place that holds no literal, with kind and unit of what stands there."""
    found: list[Typed] = []
    there = environment(step_ms)
    for place, part in parts(genome.tree):
        if isinstance(part, Number) or (isinstance(part, Unary) and isinstance(part.operand, Number)):
            continue
        node = check(part, there)
        if node.op != "const":
            found.append((place, node.kind, node.unit))
    return found
