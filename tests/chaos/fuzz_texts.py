"""Throw random texts at a language and demand a reading or a located error, quickly; nothing else.

What is thrown and what is read stands beside each language; here is the loop, the tally and the command line.
"""

import argparse
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lotus.errors import ExpressionError

Kind = Callable[[random.Random], str]
SHOWN = 3_000  # characters of a text that broke a demand


@dataclass(slots=True)
class Tally:
    """What became of the texts: accepted and refused per kind of text, and the slowest."""

    accepted: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0

    @property
    def inputs(self) -> int:
        """Number of texts tried."""
        return self.accepted.total() + self.refused.total()


def random_unicode(rng: random.Random) -> str:
    """Code points of every plane, surrogates included, among ASCII."""
    points = (rng.choice((rng.randrange(128), rng.randrange(0x110000))) for _ in range(rng.randrange(60)))
    return "".join(map(chr, points))


def check_refusal(text: str, refusal: ExpressionError) -> None:
    """Demand that a refusal names a place inside the text and what was found there."""
    lines = text.split("\n")
    assert 1 <= refusal.line <= len(lines), f"line {refusal.line}"
    assert 1 <= refusal.column <= len(lines[refusal.line - 1]) + 1, f"column {refusal.column}"
    assert refusal.found
    assert str(refusal).startswith(f"line {refusal.line}, column {refusal.column}: ")


def throw(
    kinds: Sequence[Kind], try_text: Callable[[str], bool], simplest: str, max_cpu_s: float, inputs: int, seed: int
) -> Tally:
    """Try random texts; raises AssertionError naming the text that broke a demand."""
    rng, tally = random.Random(seed), Tally()
    try_text(simplest)  # the grammar is built once
    for _ in range(inputs):
        kind = rng.choice(kinds)
        text = kind(rng)
        start = time.process_time()
        try:
            accepted = try_text(text)
        except BaseException as error:
            raise AssertionError(f"{type(error).__name__}: {error} on {text[:SHOWN]!r}") from error
        seconds = time.process_time() - start
        assert seconds <= max_cpu_s, f"{seconds:.3f} s CPU on {text[:SHOWN]!r}"
        tally.slowest_s = max(tally.slowest_s, seconds)
        (tally.accepted if accepted else tally.refused)[kind.__name__] += 1
    return tally


def command(language: str, kinds: Sequence[Kind], run: Callable[[int, int], Tally]) -> int:
    """Run from the command line; exit status 1 and the offending text when a demand is broken."""
    parser = argparse.ArgumentParser(description=f"Fuzz the {language} language.")
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    try:
        tally = run(options.inputs, options.seed)
    except AssertionError as error:
        print(f"FAILED: {error}")
        return 1
    print(f"{tally.inputs} inputs, {tally.accepted.total()} accepted, slowest {1e3 * tally.slowest_s:.1f} ms CPU")
    for name in dict.fromkeys(kind.__name__ for kind in kinds):
        print(f"  {name:15} {tally.accepted[name]:8} accepted {tally.refused[name]:8} refused")
    return 0
