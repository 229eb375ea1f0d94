"""One call of `lab.Randomiser.draw`, row written: what a bot pays for being learnable.

Reference of the same run: appending as many bytes, line by line, to a file of the same folder. Cells are numpy's, as
those of a data frame are. `python benchmarks/hot_path.py --only randomiser`.
"""

import os
import tempfile
from itertools import count
from pathlib import Path

import numpy as np

from benchmarks.harness import Figure, Sizes, in_turn
from lotus_lab.randomiser.events import journal_of
from lotus_lab.randomiser.randomiser import Randomiser

_MICRO, _START_MS = 1e6, 1_736_121_600_000


def run(sizes: Sizes) -> list[Figure]:
    """Measure `randomiser.draw_us`: CPU microseconds a call, a budget kept."""
    n, times = sizes.frames, count(_START_MS)
    cells = {f"x_{name}": value for name, value in zip("abc", np.random.default_rng(1).normal(size=3), strict=True)}
    with tempfile.TemporaryDirectory(prefix="lotus-randomiser-") as folder:
        log = Path(folder) / "signals.parquet"
        bot = Randomiser(log, budget=1e9)

        def draw() -> None:
            for ts in (next(times) for _ in range(n)):
                bot.draw("signal", "BTC/USDT:USDT", ts=ts, horizon_s=60, chance=0.3, tilt=0.2, x_side="long", **cells)

        draw()
        line = journal_of(log).read_bytes().splitlines(keepends=True)[-1]
        plain = os.open(Path(folder) / "plain", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

        def append() -> None:
            for _ in range(n):
                os.write(plain, line)

        ours, floor = in_turn(sizes.repeats, draw, append)
        os.close(plain)
    scale, note = _MICRO / n, f"{n} calls of {len(line)} bytes, four features"
    reference, base = "one append of as many bytes", floor.typical * scale
    return [Figure("randomiser.draw_us", ours.typical * scale, "us", reference, base, ours.worst * scale, note)]
