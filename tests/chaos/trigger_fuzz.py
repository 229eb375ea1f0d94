"""Throw random text at the trigger language and demand a checked trigger or a located error, quickly; nothing else.

`python tests/chaos/trigger_fuzz.py --n 100000 --seed 7`. Every accepted text must also print, read again as the same
trigger, and print the same. Exit status 1 and the offending text when a demand is broken.
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lotus.errors import ExpressionError
from lotus.triggers.checker import read_trigger
from lotus.triggers.conditions import Trigger
from lotus.triggers.operators import BY_NAME, LEVELS, OPERATORS, QUANTITIES
from lotus.triggers.parser import parse
from lotus.triggers.printer import text_of
from lotus.triggers.units import SPELLINGS

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lotus_triggers"))

from make import COMPARISONS, trigger_text

MAX_CPU_S = 5.0  # a text that takes longer was not read in bounded time; a machine under load takes a tenth of it
EXAMPLES = (
    "breakout(lookback=20, band=2sigma) AND retest(level=prev_high, tol=0.15%) WITHIN 6h", "adv_usd > 1e9",
    "spread_bps < 5",
    "breakout(20,2σ) AND retest(prev_high,0.15%) WITHIN 6h IF mid > 3, spread_bps < 5", *(o.example for o in OPERATORS),
    *COMPARISONS,
)  # fmt: skip
TOKENS = (
    *BY_NAME, *LEVELS, *QUANTITIES, *(f"3{s}" for s in SPELLINGS), *(p.name for o in OPERATORS for p in o.parameters),
    *"()(),,.[]='\"#%;_{}!&|^~@\\$<>=+-*/", "AND", "or", "NOT", "Within", "within 6h", "IF", "if mid > 3",
    "0", "1", "-0.5", "1e9", "20m",
    "<=", ">=", "==", "\n", "\t", "1e", "\u2212", "\x00", "e5", "breakout()", "touch(entry)", "up", "above", "\u03c3",
)  # fmt: skip


@dataclass(slots=True)
class Tally:
    """What became of the texts: accepted and refused per kind of text, and the slowest."""

    accepted: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0


def random_unicode(rng: random.Random) -> str:
    """Code points of every plane, surrogates included, among ASCII."""
    return "".join(chr(rng.choice((rng.randrange(128), rng.randrange(0x110000)))) for _ in range(rng.randrange(60)))


def token_soup(rng: random.Random) -> str:
    """Words of the language in no order."""
    return rng.choice(("", " ")).join(rng.choice(TOKENS) for _ in range(rng.randrange(1, 30)))


def mutated(rng: random.Random) -> str:
    """A valid trigger with some characters or words changed."""
    text = rng.choice(EXAMPLES) if rng.random() < 0.5 else trigger_text(rng)
    for _ in range(rng.choice((1, 1, 2, 3))):
        k, end = rng.randrange(len(text) + 1), rng.randrange(len(text) + 1)
        piece = rng.choice((rng.choice(TOKENS), chr(rng.randrange(32, 127)), rng.choice(" 0123")))
        text = rng.choice((
            text[:k] + piece + text[k:], text[:k] + text[k + 1 :], text[:k] + piece + text[k + 1 :],
            text[: min(k, end)] + text[max(k, end) :], text + text[min(k, end) : max(k, end)],
        ))  # fmt: skip
    return text


def deep(rng: random.Random) -> str:
    """One construct inside itself, up to and far beyond every bound."""
    n = rng.choice((3, 12, 15, 16, 17, 40, 63, 64, 65, 600, 5_000))
    head, tail = rng.choice((
        ("(", ")"), ("NOT ", ""), ("NOT (", ")"), ("touch(", ")"), ("touch(entry) AND ", ""), ("cross(vwap) OR ", ""),
        ("(touch(entry) AND ", " WITHIN 5m)"), ("(mid > 3 OR ", ")"), ("", " WITHIN 5m"), ("(", ""), ("", ")"),
        ("touch(entry, ", ")"), ("\n", "\n"),
    ))  # fmt: skip
    return head * n + rng.choice(("touch(entry)", "mid > 3", "entry", "")) + tail * rng.choice((n, n, n - 1))


def huge_number(rng: random.Random) -> str:
    """Numbers beyond doubles, limits beyond all time."""
    digits = rng.choice(
        ("9" * rng.randrange(1, 400), f"1e{rng.randrange(-400, 400)}", "0." + "0" * 330 + "1", "1" * 1_900)
    )
    value = rng.choice(("", "-")) + digits + rng.choice(tuple(SPELLINGS))
    places = (
        "mid > {}", "touch({})", "breakout(lookback={})", "breakout(band={})", "touch(entry, tol={})",
        "breakout(bar={})", "touch(entry) AND cross(vwap) WITHIN {}",
    )  # fmt: skip
    return rng.choice(places).format(value)


def typed(rng: random.Random) -> str:
    """A trigger that has a meaning, nearly always."""
    return trigger_text(rng)


KINDS: tuple[Callable[[random.Random], str], ...] = (
    random_unicode,
    token_soup,
    mutated,
    mutated,
    deep,
    huge_number,
    typed,
)


def try_text(text: str) -> bool:
    """Return whether the text is a trigger; raises AssertionError when an answer is neither trigger nor place."""
    refusal: ExpressionError | None = None
    try:
        found = read_trigger(text)
    except ExpressionError as error:
        refusal = error
    if refusal is not None:
        lines = text.split("\n")
        assert 1 <= refusal.line <= len(lines), f"line {refusal.line}"
        assert 1 <= refusal.column <= len(lines[refusal.line - 1]) + 1, f"column {refusal.column}"
        assert refusal.found
        assert str(refusal).startswith(f"line {refusal.line}, column {refusal.column}: ")
        return False
    assert isinstance(found, Trigger)
    assert parse(found.text) == parse(text)
    assert text_of(parse(found.text)) == found.text
    assert read_trigger(found.text) == found
    return True


def run(inputs: int, seed: int) -> Tally:
    """Try `inputs` random texts; raises AssertionError naming the text that broke a demand."""
    rng, tally = random.Random(seed), Tally()
    try_text("mid > 1")  # the grammar is built once
    for _ in range(inputs):
        kind = rng.choice(KINDS)
        text = kind(rng)
        start = time.process_time()
        try:
            accepted = try_text(text)
        except BaseException as error:
            raise AssertionError(f"{type(error).__name__}: {error} on {text[:3_000]!r}") from error
        seconds = time.process_time() - start
        assert seconds <= MAX_CPU_S, f"{seconds:.3f} s CPU on {text[:3_000]!r}"
        tally.slowest_s = max(tally.slowest_s, seconds)
        (tally.accepted if accepted else tally.refused)[kind.__name__] += 1
    return tally


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Fuzz the trigger language.")
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    try:
        tally = run(options.n, options.seed)
    except AssertionError as error:
        print(f"FAILED: {error}")
        return 1
    total = tally.accepted.total() + tally.refused.total()
    print(f"{total} texts, {tally.accepted.total()} accepted, slowest {1e3 * tally.slowest_s:.1f} ms CPU")
    for kind in dict.fromkeys(k.__name__ for k in KINDS):
        print(f"  {kind:15} {tally.accepted[kind]:8} accepted {tally.refused[kind]:8} refused")
    return 0


if __name__ == "__main__":
    sys.exit(main())
