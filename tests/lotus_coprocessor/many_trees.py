"""Many grown and changed trees, and the laws that each must keep.

`python tests/lotus_coprocessor/many_trees.py --trees 10000 --seed 7` checks that many: each is read, printed and read
back to the same tree and identity; what is equal to it by a law of arithmetic has its identity; its file is a detector.
"""

import argparse
import time

import numpy as np

from lotus.coprocessor.canonical import canonical_id
from lotus.coprocessor.genome import MAX_DEPTH, MAX_NODES, Genome, environment, read, rewritten, spec_text
from lotus.coprocessor.grammar import CandidateGrammar
from lotus.coprocessor.variation import OPERATORS, Variation
from lotus.detectors.spec import parse_spec
from lotus.tape_machine.checker import check
from lotus.tape_machine.parser import parse
from lotus.tape_machine.printer import text_of
from lotus.tape_machine.syntax import Binary, Call, Number, Tree, Unary

STEP_MS = 5_000
_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_COMMUTE = ("+", "*", "and", "or", "==", "!=")


def check_trees(trees: int, seed: int) -> dict[str, int]:
    """Check as many trees; return how many came of each operator. Raises `AssertionError` with the tree that fails."""
    rng = np.random.Generator(np.random.Philox(seed))
    vary = Variation(CandidateGrammar.of(STEP_MS), rng)
    living = [vary.grown() for _ in range(32)]
    made = dict.fromkeys(OPERATORS, 0)
    for k in range(trees):
        operator = OPERATORS[k % len(OPERATORS)]
        one, other = (living[int(i)] for i in rng.integers(len(living), size=2))
        child = vary.child(operator, one, other)
        check_laws(child, rng)
        living[int(rng.integers(len(living)))] = child
        made[operator] += 1
    return made


def check_laws(genome: Genome, rng: np.random.Generator) -> None:
    """Check everything that holds for one candidate."""
    text = genome.text
    assert parse(text) == genome.tree, text
    assert genome.depth <= MAX_DEPTH, text
    assert genome.nodes <= MAX_NODES, text
    again = read(parse(text), genome.horizon_s, STEP_MS)
    assert (again.canonical, again.sign) == (genome.canonical, genome.sign), text
    same = rewritten(genome.tree, lambda part: equal_tree(part, rng))
    assert _identity(same, genome) == (genome.canonical, genome.sign), f"{text}\n{text_of(same)}"
    assert _identity(Unary("-", genome.tree), genome) == (genome.canonical, -genome.sign), text
    spec = parse_spec(spec_text(genome, 1, "bred", "a test"), "bred.yaml")
    found = spec.checked(200, STEP_MS).signal
    assert len(spec.params) <= 4, text
    assert found == check(genome.tree, environment(STEP_MS)), text


def _identity(tree: Tree, genome: Genome) -> tuple[str, int]:
    return canonical_id(check(tree, environment(STEP_MS)), genome.horizon_s)


def equal_tree(part: Tree, rng: np.random.Generator) -> Tree:
    """Return another tree of the same meaning, now and then."""
    if int(rng.integers(3)):
        return part
    match part:
        case Binary(op, left, right) if op in _COMMUTE:
            return Binary(op, right, left)
        case Binary(op, left, right) if op in _TURNED:
            return Binary(_TURNED[op], right, left)
        case Binary("-", left, right):
            return Unary("-", Binary("-", right, left))
        case Call("sign", (inner,)):
            return Unary("-", Call("sign", (Unary("-", inner),)))
        case Call("abs", (inner,)):
            return Call("abs", (Unary("-", inner),))
        case Call("ema" | "sum" | "mean" | "lag" as name, (inner, Number() as span)):
            return Unary("-", Call(name, (Unary("-", inner), span)))
    return part


if __name__ == "__main__":
    reader = argparse.ArgumentParser()
    reader.add_argument("--trees", type=int, default=10_000)
    reader.add_argument("--seed", type=int, default=7)
    asked = reader.parse_args()
    began = time.process_time()
    print(check_trees(asked.trees, asked.seed), f"{time.process_time() - began:.1f} CPU s")
