"""Throw random text at the trigger language and demand a checked trigger or a located error, quickly; nothing else.

`python tests/chaos/trigger_fuzz.py --inputs 100000 --seed 7`. Every accepted text must also print, read again as the
same trigger, and print the same. Exit status 1 and the offending text when a demand is broken.
"""

import random
import sys
from pathlib import Path

from lotus.errors import ExpressionError
from lotus.triggers.checker import read_trigger
from lotus.triggers.conditions import Trigger
from lotus.triggers.operators import BY_NAME, LEVELS, OPERATORS, QUANTITIES
from lotus.triggers.parser import parse
from lotus.triggers.printer import text_of
from lotus.triggers.units import SPELLINGS

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[1] / "lotus_triggers")]

from fuzz_texts import Kind, Tally, check_refusal, command, random_unicode, throw  # noqa: E402
from make import COMPARISONS, trigger_text  # noqa: E402

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


KINDS: tuple[Kind, ...] = (
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
        check_refusal(text, refusal)
        return False
    assert isinstance(found, Trigger)
    assert parse(found.text) == parse(text)
    assert text_of(parse(found.text)) == found.text
    assert read_trigger(found.text) == found
    return True


def run(inputs: int, seed: int) -> Tally:
    """Try `inputs` random texts; raises AssertionError naming the text that broke a demand."""
    return throw(KINDS, try_text, "mid > 1", MAX_CPU_S, inputs, seed)


if __name__ == "__main__":
    sys.exit(command("trigger", KINDS, run))
