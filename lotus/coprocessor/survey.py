"""What a run looks at before it varies anything: every column once in its plain forms, then the best under every gate.

A grown tree seldom names the one column that pays, and a gate cannot be judged on a signal that says nothing. So the
plain forms of all columns at all horizons come first; then the best of them that are unlike each other say it only
where a column is high or low for its last minutes, and the best of those once more. Each step is at most a share of
the trials, drawn where there are more. Nothing is scored here. (Literature: forward selection; beam search.)
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final

from lotus.coprocessor.genome import Genome, read
from lotus.coprocessor.grammar import CandidateGrammar
from lotus.coprocessor.selection import Individual
from lotus.errors import ConfigError
from lotus.tape_machine.syntax import Binary, Call, Name, Number, Tree

SHARE: Final[float] = 0.25  # of all trials that one step may take
BEAM: Final = (8, 3)  # how many of the best are gated in the first round and in the next
MINUTE, MEMORY = Number(1.0, "m"), Number(5.0, "m")
HIGH, LOW = Number(0.8), Number(0.2)


def plain(grammar: CandidateGrammar) -> list[Genome]:
    """Return every number column as a direction: as it is, smoothed, as a change, against its last minutes."""
    found = []
    for name, column in grammar.columns.items():
        if column.kind != "number":
            continue
        one = Name(name)
        forms: list[Tree] = [Call("zscore", (one, MEMORY)), Call("delta", (one, MINUTE))]
        forms += [one, Call("ema", (one, MINUTE))] if name in grammar.signed else []
        found += [Call("sign", (form,)) for form in forms]
    return list(_read(found, grammar.horizons_s, grammar))


def gates(grammar: CandidateGrammar) -> list[Tree]:
    """Return what a signal may be spoken under: a flag, or a column high or low for its last minutes."""
    found: list[Tree] = [Name(name) for name in grammar.names("flag")]
    for name, column in grammar.columns.items():
        if column.kind == "number":
            ranked = Call("rank", (Name(name), MEMORY))
            found += [Binary(">", ranked, HIGH), Binary("<", ranked, LOW)]
    return found


def gated(grammar: CandidateGrammar, parents: Sequence[Individual]) -> list[tuple[Genome, str]]:
    """Return each of some candidates under each gate, with its parent's id."""
    found = []
    for one, gate in product(parents, gates(grammar)):
        spoken = Call("where", (gate, one.genome.tree, Number(0.0)))
        found += [(g, one.genome.canonical) for g in _read([spoken], (one.genome.horizon_s,), grammar)]
    return found


def _read(trees: Sequence[Tree], horizons_s: Sequence[int], grammar: CandidateGrammar) -> Iterator[Genome]:
    for tree, horizon_s in product(trees, horizons_s):
        try:
            yield read(tree, horizon_s, grammar.step_ms)
        except ConfigError:  # over a bound, such as the fifth constant
            continue
