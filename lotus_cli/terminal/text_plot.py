"""Small pictures in characters: an interval beside its number, and curves over time. Files are `lotus.pictures`'."""

import math
from collections.abc import Mapping, Sequence

AXIS, LINE, POINT = "│", "─", "●"
CUT_LEFT, CUT_RIGHT = "◂", "▸"


def whisker(low: float, value: float, high: float, reach: float, width: int = 21) -> str:
    """Return an interval with its value on an axis from -reach to reach, zero in the middle; arrows where it goes on.

    >>> whisker(-1.0, 2.0, 9.0, 4.0, 9)
    '   ─│─●─▸'
    >>> whisker(float("nan"), float("nan"), float("nan"), 4.0, 9)
    '    │    '
    """
    half = width // 2

    def place(x: float) -> int:
        return half + round(half * max(-1.0, min(1.0, x / reach)))

    cells = [" "] * (2 * half + 1)
    if all(map(math.isfinite, (low, value, high))):
        for k in range(place(low), place(high) + 1):
            cells[k] = LINE
    cells[half] = AXIS
    if math.isfinite(value):
        cells[place(value)] = POINT
    if low < -reach:
        cells[0] = CUT_LEFT
    if high > reach:
        cells[-1] = CUT_RIGHT
    return "".join(cells)


def curves(series: Mapping[str, Sequence[float]], width: int, rows: int = 8) -> list[str]:
    """Return curves of equal length as about `rows` lines, each drawn with the first letter of its name.

    The axis holds zero, which has a line of its own; where curves meet, the later one is seen.

    >>> print("\\n".join(curves({"net": [0.0, -1.0, -2.0]}, 20, 2)))
       0 ┼nnnnn─────────
      -1 ┤     nnnnn
      -2 ┤          nnnn
    """
    values = [0.0, *(v for one in series.values() for v in one)]
    step = _round_step((max(values) - min(values)) / rows)
    top, bottom = math.ceil(max(values) / step), math.floor(min(values) / step)
    labels = [f"{step * k:,.{max(0, -math.floor(math.log10(step)))}f}" for k in range(top, bottom - 1, -1)]
    margin = max(map(len, labels)) + 2
    columns = max(8, width - margin - 2)
    cells = [["─" if k == 0 else " "] * columns for k in range(top, bottom - 1, -1)]
    for name, one in series.items():
        for column in range(columns):
            value = one[min(len(one) - 1, column * len(one) // columns)]
            cells[top - round(value / step)][column] = name[0]
    marks = ["┼" if k == 0 else "┤" for k in range(top, bottom - 1, -1)]
    return [f"{a:>{margin}} {b}{''.join(row)}".rstrip() for a, b, row in zip(labels, marks, cells, strict=True)]


def _round_step(least: float) -> float:
    """Return the smallest of 1, 2 or 5 times a power of ten that is not below `least`."""
    if least <= 0.0:
        return 1.0
    unit = 10.0 ** math.floor(math.log10(least))
    return float(next(unit * k for k in (1.0, 2.0, 5.0, 10.0) if unit * k >= least * (1.0 - 1e-9)))
