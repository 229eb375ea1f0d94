"""Throw random text at parse + check and demand a typed node or a located error, quickly; nothing else.

    .venv/bin/python tests/lotus_tape_machine/fuzz.py --inputs 1000000 --seed 7

Every accepted text must also survive printing and parsing again. The generator of well-formed expressions is used by
other tests too. Exit status 1 and the offending text when a demand is broken.
"""

import random
import sys
from pathlib import Path

from frame_texts import frame_environment

from lotus.errors import ExpressionError
from lotus.manifest import Manifest
from lotus.tape_machine.checker import check
from lotus.tape_machine.environment import Environment, Quantity
from lotus.tape_machine.node import OPS, Node
from lotus.tape_machine.parser import parse
from lotus.tape_machine.printer import text_of
from lotus.tape_machine.transforms import BINARY_OPS, FORMS, OPERATORS, PREFIXES, TRANSFORMS, ArgumentKind
from lotus.tape_machine.units import SPELLINGS

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "chaos"))

from fuzz_texts import Kind, Tally, check_refusal, command, random_unicode, throw

MAX_CPU_S = 0.2
NAMES: dict[str, Node] = {
    "calm": Node("lt", (Node("column", (), (3.0,), "number", "bps"), Node("const", (), (2.0,), "number", "bps")),
                 (), "flag", "1"),
}  # fmt: skip
ENVIRONMENT: Environment = frame_environment(Manifest(), {"k": Quantity(2.0), "span": Quantity(3.0, "min")}, NAMES)
EXAMPLES = [row.example for row in (*TRANSFORMS, *OPERATORS, *PREFIXES)]
TOKENS = [
    *ENVIRONMENT.known, *FORMS, *BINARY_OPS, *(f"3{s}" for s in SPELLINGS), *"()(),,.[]='\"#%;_{}!&|^~@\\$", "not", "-",
    "0", "1", "0.5", "1e9", "20m", "2bps/min", "**", "for", "if", "lambda", "\n", "\t", "3/", "1e", "sqrt(min)",
    "\u2212", "\x00", "e5",
]  # fmt: skip


def random_bytes(rng: random.Random) -> str:
    """Bytes read as some text."""
    raw = rng.randbytes(rng.randrange(80))
    return raw.decode("utf-8", "surrogateescape") if rng.random() < 0.5 else raw.decode("latin-1")


def token_soup(rng: random.Random) -> str:
    """Words of the language in no order."""
    return rng.choice(("", " ")).join(rng.choice(TOKENS) for _ in range(rng.randrange(1, 30)))


def mutated(rng: random.Random) -> str:
    """A valid expression with some characters or words changed."""
    text = rng.choice(EXAMPLES) if rng.random() < 0.5 else well_formed(rng)
    for _ in range(rng.randrange(1, 4)):
        k, end = rng.randrange(len(text) + 1), rng.randrange(len(text) + 1)
        piece = rng.choice(TOKENS) if rng.random() < 0.5 else chr(rng.randrange(32, 127))
        text = rng.choice((
            text[:k] + piece + text[k:], text[:k] + text[k + 1 :], text[:k] + piece + text[k + 1 :],
            text[: min(k, end)] + text[max(k, end) :], text + text[min(k, end) : max(k, end)],
        ))  # fmt: skip
    return text


def deep(rng: random.Random) -> str:
    """One construct inside itself, up to and far beyond every bound."""
    n = rng.choice((3, 12, 23, 24, 25, 60, 600, 5_000))
    head, tail = rng.choice((
        ("(", ")"), ("-", ""), ("not ", ""), ("abs(", ")"), ("mid + ", ""), ("(mid * ", ")"), ("rsi(", ", 1m)"),
        ("max(", ", 1m)"), ("max(mid, min(mid, ", "))"), ("mid * ", ""), ("where(calm, ", ", mid)"), ("calm and ", ""),
        ("(", ""), ("", ")"), ("sqrt(", ")"), ("1/", ""), ("lag(", ", 2h)"), ("macd_signal(", ", 1s, 2s, 3s)"),
    ))  # fmt: skip
    return head * n + rng.choice(("mid", "calm", "0", "2bps", "")) + tail * rng.choice((n, n, n - 1))


def huge_number(rng: random.Random) -> str:
    """Numbers beyond doubles, windows beyond all time."""
    small = "0." + "0" * 330 + "1"
    digits = rng.choice(("9" * rng.randrange(1, 400), f"1e{rng.randrange(-400, 400)}", small, "1" * 3_000))
    value = digits + rng.choice((*SPELLINGS, "", "bps/min", "/bps" * rng.randrange(1, 12)))
    places = ("{}", "mean(mid, {})", "ema(mid, {})", "{0} * {0}", "mid > {}", "lag(mid, -{})", "sqrt({})")
    return rng.choice(places).format(value)


def well_formed(rng: random.Random) -> str:
    """A sentence of the grammar, mostly without meaning."""
    return _phrase(rng, rng.randrange(1, 6))


def typed(rng: random.Random) -> str:
    """An expression that has a meaning."""
    return (
        flag(rng, rng.randrange(4))
        if rng.random() < 0.5
        else number(rng, rng.randrange(4), rng.choice(("1", "bps", "ticks")))
    )


KINDS: tuple[Kind, ...] = (
    random_bytes, random_unicode, token_soup, mutated, mutated, deep, huge_number, well_formed, well_formed, typed,
    typed,
)  # fmt: skip


def number(rng: random.Random, depth: int, unit: str) -> str:
    """Return the text of a number of a unit (1, bps or ticks), at most about 3 `depth` deep."""
    if depth <= 0:
        columns = [n for n, c in ENVIRONMENT.columns.items() if c.unit == unit and c.kind == "number"]
        literal = f"{rng.randrange(1, 40) / 4:g}{'' if unit == '1' else unit}"
        return rng.choice((*columns, *columns, literal))
    x, window = number(rng, depth - 1, unit), rng.choice(("1s", "5s", "30s", "90s", "4m", "span"))
    other = number(rng, rng.randrange(depth), unit)
    same = (
        f"-{x}" if x[0] != "-" else x, f"({x} {rng.choice('+-')} {other})", f"abs({x})", f"min({x}, {other} * 1)",
        f"max({other}, {x} * 1)", f"clip({x}, -{other}, {other})", f"where({flag(rng, depth - 1)}, {x}, {other})",
        *(f"{name}({x}, {window})" for name in ("lag", "delta", "ema", "mean", "std", "sum", "max", "min")),
        f"quantile({x}, 0.{rng.randrange(1, 10)}, {window})", f"hold({x}, {flag(rng, depth - 1)}, {window})",
        f"macd({x}, 2s, 5s)", f"macd_signal({x}, 2s, 5s, 1s)", f"({x} * {number(rng, 0, '1')})",
    )  # fmt: skip
    if unit != "1" or rng.random() < 0.5:
        return rng.choice(same)
    z = number(rng, depth - 1, rng.choice(("1", "bps", "ticks")))
    plain = (
        f"sign({z})", f"rank({z}, {window})", f"breakout({z}, {window})", f"rsi({z}, {window})", f"({z} / {z})",
        f"crossed({z}, ema({z}, {window}))", f"retest({z}, lag({z}, 5s), 0, {window})",
        f"zscore({z}, {window}) / 1sigma", f"slope({x}, {window}) * 1m", f"count({flag(rng, depth - 1)}, {window})",
        f"since({flag(rng, depth - 1)}) / 1step", f"argmax_age({z}, {window}) / 1step", f"log(abs({x}) + 1)",
    )  # fmt: skip
    return f"({rng.choice(plain)})"


def flag(rng: random.Random, depth: int) -> str:
    """Return the text of a flag."""
    if depth <= 0:
        return rng.choice(("gap_flag", "calm", "imb_5 > 0.2", "spread_bps <= 1bps"))
    unit = rng.choice(("1", "bps", "ticks"))
    comparison = (
        f"{number(rng, depth - 1, unit)} {rng.choice(('<', '<=', '>', '>=', '==', '!='))} {number(rng, 0, unit)}"
    )
    below = flag(rng, depth - 1)
    return rng.choice((
        comparison, f"({comparison})", f"({below} {rng.choice(('and', 'or'))} {comparison})", f"not ({below})",
        f"known({number(rng, depth - 1, unit)})", f"within({below}, 5s)", f"since({below}) < 30s",
    ))  # fmt: skip


def _phrase(rng: random.Random, depth: int) -> str:
    if depth <= 0:
        return rng.choice((*ENVIRONMENT.known, "0", "0.5", "3bps", "2sigma", "20m", "7"))
    draw = rng.random()
    if draw < 0.35:
        return f"({_phrase(rng, depth - 1)} {rng.choice(tuple(BINARY_OPS))} {_phrase(rng, depth - 1)})"
    if draw < 0.45:
        return f"({rng.choice(('-', 'not '))}({_phrase(rng, depth - 1)}))"
    form = rng.choice(rng.choice(tuple(FORMS.values())))
    spans = {
        ArgumentKind.WINDOW: "5m",
        ArgumentKind.DELAY: "5s",
        ArgumentKind.HALF_LIFE: f"{rng.randrange(1, 90)}s",
        ArgumentKind.SHARE: "0.3",
    }
    return f"{form.name}({', '.join(spans.get(kind) or _phrase(rng, depth - 1) for _, kind in form.arguments)})"


def try_text(text: str) -> bool:
    """Return whether the text is an expression; raises AssertionError when an answer is neither node nor place."""
    refusal: ExpressionError | None = None
    try:
        tree = parse(text)
        node = check(tree, ENVIRONMENT)
    except ExpressionError as error:
        refusal = error
    if refusal is not None:
        check_refusal(text, refusal)
        return False
    assert isinstance(node, Node)
    assert node.op in OPS
    assert parse(text_of(tree)) == tree
    return True


def run(inputs: int, seed: int) -> Tally:
    """Try `inputs` random texts; raises AssertionError naming the text that broke a demand."""
    return throw(KINDS, try_text, "mid", MAX_CPU_S, inputs, seed)


if __name__ == "__main__":
    sys.exit(command("expression", KINDS, run))
