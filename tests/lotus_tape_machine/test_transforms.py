"""What the composites mean, from the formulas of the table of transforms, by another route than the operations."""

import numpy as np
from numpy.typing import NDArray

from lotus.tape_machine.checker import check
from lotus.tape_machine.environment import Environment, InputColumn
from lotus.tape_machine.node import Node
from lotus.tape_machine.parser import parse
from lotus.tape_machine.transforms import TRANSFORMS

Floats = NDArray[np.float64]


def ema(x: Floats, h: float) -> Floats:
    out, alpha = np.full(len(x), np.nan), 1.0 - 2.0 ** (-1.0 / h)
    for i, v in enumerate(x):
        before = out[i - 1] if i else np.nan
        out[i] = before if np.isnan(v) else v if np.isnan(before) else before + alpha * (v - before)
    return out


def rolled(x: Floats, w: int, what: str) -> Floats:
    out = np.full(len(x), np.nan)
    for i in range(w - 1, len(x)):
        rows = x[i - w + 1 : i + 1]
        known = rows[~np.isnan(rows)]
        if 2 * len(known) >= w:
            out[i] = getattr(np, what)(known) if what != "slope" else np.polyfit(np.arange(w), rows, 1)[0]
    return out


def value_of(node: Node, table: Floats) -> Floats:
    args = [value_of(a, table) for a in node.args]
    p = node.params[0] if node.params else 0.0
    with np.errstate(all="ignore"):
        match node.op:
            case "column":
                return table[:, int(p)]
            case "const":
                return np.full(len(table), p)
            case "lag":
                return np.concatenate([np.full(int(p), np.nan), args[0][: len(table) - int(p)]])
            case "ema":
                return ema(args[0], p)
            case "mean" | "std" | "slope":
                return rolled(args[0], int(p), node.op)
            case "add" | "sub" | "mul" | "div" | "neg" | "max2":
                names = {"sub": "subtract", "mul": "multiply", "div": "divide", "neg": "negative", "max2": "maximum"}
                out: Floats = getattr(np, names.get(node.op, node.op))(*args)
                return np.where(np.isfinite(out), out, np.nan)
    raise AssertionError(f"{node.op} is no primitive of a composite")


def wilder_rsi(x: Floats, h: float) -> Floats:
    change = np.diff(x, prepend=np.nan)
    rises, falls = ema(np.clip(change, 0, None), h), ema(np.clip(-change, 0, None), h)
    return 100.0 - 100.0 / (1.0 + rises / falls)


def test_composites_mean_what_the_table_says() -> None:
    rng = np.random.default_rng(4)
    x = np.cumsum(rng.normal(size=300))
    x[rng.random(300) < 0.05] = np.nan
    full = np.cumsum(rng.normal(size=300))
    environment = Environment({"x": InputColumn(0, "bps"), "g": InputColumn(1, "bps")}, 1_000)
    table = np.column_stack([x, full])
    macd = ema(x, 5.0) - ema(x, 12.0)
    wanted = {
        "delta(x, 7s)": x - np.concatenate([np.full(7, np.nan), x[:-7]]),
        "zscore(x, 20s)": (x - rolled(x, 20, "mean")) / rolled(x, 20, "std"),
        "rsi(x, 6s)": wilder_rsi(x, 6.0),
        "macd(x, 5s, 12s)": macd,
        "macd_signal(x, 5s, 12s, 4s)": ema(macd, 4.0),
        "slope(g, 20s)": 60.0 * rolled(full, 20, "slope"),
    }
    assert {t.name for t in TRANSFORMS if not t.op} | {"slope"} == {text.split("(")[0] for text in wanted}
    for text, values in wanted.items():
        found = value_of(check(parse(text), environment), table)
        np.testing.assert_allclose(found, values, rtol=1e-9, atol=1e-9, err_msg=text)
        assert np.isfinite(found).sum() > 200
