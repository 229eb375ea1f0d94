"""How well a candidate's signal goes with what is left of the moves: daily sums, T, its folds, and z, which ranks.

Signals come from the tape machine's own kernels, 32 candidates a program, clipped and with nulls as silence like those
of detectors. S_d = sum of s F~ of day d over all assets, T = sum S_d / sqrt(sum S_d^2): a sum over days that share
their shocks. z = sum s F~ / sqrt V, V the variance of that sum by overlap: (1/L) sum over t of (sum of the L windows
before t)^2, L the windows of the horizon, assets of one moment together. V rests on as many parts as a day has
horizons, T on days alone, so z tells candidates apart that T cannot. Of a signal that changes slowly V is up to a third
too small: z ranks, and days decide. Nothing is chosen here. (Literature: self-normalised sums; t-statistic of daily
profits; long-run variance with the weights of Bartlett, Newey and West 1987.)
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.coprocessor.genome import Genome
from lotus.coprocessor.panel import Panel, PanelDay, rows_of_assets
from lotus.tape_machine.machine import Machine
from lotus.tape_machine.node import Node
from lotus.tape_machine.program import compile_program

Floats = NDArray[np.float64]
MEMORY_MS: Final[int] = 7_200_000
PROGRAM: Final[int] = 32  # candidates of one program
FOLDS: Final[int] = 5
_NOWHERE: Final = np.empty((0, 0))


@dataclass(frozen=True, slots=True)
class Score:
    """The daily sums of a candidate (bps), turned so that their total is >= 0; `side` -1 where that turned them.

    `z` is the total in units of its own deviation, which ranks.
    """

    daily: tuple[float, ...]
    side: int
    z: float = 0.0

    @property
    def t(self) -> float:
        """T, 0 for a mute candidate."""
        return t_of(self.daily)

    @property
    def folds(self) -> tuple[float, ...]:
        """T of five contiguous folds of days, fewer when there are fewer days."""
        many = min(FOLDS, len(self.daily))
        edges = [round(k * len(self.daily) / many) for k in range(many + 1)] if many else [0]
        return tuple(t_of(self.daily[a:b]) for a, b in pairwise(edges))

    @property
    def median(self) -> float:
        """T of the middle fold."""
        return float(np.median(self.folds)) if self.daily else 0.0

    @property
    def mute(self) -> bool:
        """Whether it never says anything that counts."""
        return not any(self.daily)


def t_of(daily: Sequence[float]) -> float:
    """Return the sum over the root of the sum of squares, 9 digits; 0 without any.

    >>> t_of([1.0, 1.0, 1.0, 1.0])
    2.0
    """
    square = float(np.dot(daily, daily)) if len(daily) else 0.0
    return rounded(float(np.sum(daily)) / square**0.5) if square > 0.0 else 0.0


def scores_of(genomes: Sequence[Genome], panel: Panel) -> list[Score]:
    """Return the score of each candidate."""
    sums, squares = np.zeros((len(genomes), len(panel))), np.zeros(len(genomes))
    at = np.array([panel.horizons_s.index(g.horizon_s) for g in genomes], np.int64)

    def add(first: int, day: int, signals: Floats) -> None:
        place = panel.places[day]
        rows, own = place >= 0, slice(first, first + signals.shape[1])
        gains = signals[rows] * panel.left[day][rows][:, at[own]]
        for k in range(signals.shape[1]):
            sums[first + k] += np.bincount(place[rows], weights=gains[:, k], minlength=len(panel))
        squares[own] += _squares(gains, panel.days[day], rows, panel, at[own])

    run([g.node for g in genomes], panel, add)
    return [_score(row, square) for row, square in zip(sums, squares, strict=True)]


def day_sums(genomes: Sequence[Genome], sides: Sequence[int], panel: Panel) -> Floats:
    """Return S (bps), H and the windows that spoke of each candidate and scored day, f8[candidates, days, 3]."""
    sums = np.zeros((len(genomes), len(panel), 3))
    at = [panel.horizons_s.index(g.horizon_s) for g in genomes]

    def add(first: int, day: int, signals: Floats) -> None:
        left, place = panel.left[day], panel.places[day]
        rows = place >= 0
        for k in range(signals.shape[1]):
            s = signals[rows, k] * sides[first + k]
            for column, values in enumerate((s * left[rows, at[first + k]], s * s, (s != 0.0).astype(np.float64))):
                sums[first + k, :, column] += np.bincount(place[rows], weights=values, minlength=len(panel))

    run([g.node for g in genomes], panel, add)
    return sums


def run(nodes: Sequence[Node], panel: Panel, take: Callable[[int, int, Floats], None]) -> None:
    """Run expressions over every day of a panel; `take` gets the first one's number, the day's and their values.

    Values are f8[n, up to 32], in [-1, 1], null as 0.
    """
    for first in range(0, len(nodes), PROGRAM):
        part = nodes[first : first + PROGRAM]
        for day, values in enumerate(raw_values(part, panel)):
            take(first, day, np.clip(np.nan_to_num(values, nan=0.0, posinf=1.0, neginf=-1.0), -1.0, 1.0))


def raw_values(nodes: Sequence[Node], panel: Panel) -> Iterator[Floats]:
    """Yield what expressions of one program are on each day, f8[n, nodes], null as NaN."""
    program = compile_program({str(k): node for k, node in enumerate(nodes)}, MEMORY_MS // panel.window_ms)
    for day in panel.days:
        machine, values = Machine(program, panel.n_assets), np.empty((len(day.asset), len(nodes)))
        for asset, rows in rows_of_assets(day, panel.n_assets):
            nowhere = np.full(len(rows), -1)
            machine.feed_picked(asset, day.table, rows, day.birth[rows], values, nowhere, _NOWHERE)
        yield values


def correlation(left: Sequence[float], right: Sequence[float]) -> float:
    """Return the correlation of two profiles of daily sums; 0 where one does not move."""
    a, b = (np.asarray(x, np.float64) - np.mean(x) for x in (left, right))
    scale = float(np.sqrt(np.dot(a, a) * np.dot(b, b)))
    return rounded(float(np.dot(a, b)) / scale) if scale > 0.0 else 0.0


def rounded(value: float) -> float:
    """Return a learned number at nine significant digits, the form in which it is compared and stored."""
    return float(f"{value:.8e}")


def _squares(gains: Floats, day: PanelDay, rows: NDArray[np.bool_], panel: Panel, at: NDArray[np.int64]) -> Floats:
    """Return the variance of the total of one day by overlap of each column of gains [n, candidates], bps^2.

    Sums run along the windows (cumsum), so that a candidate's bits do not turn on whom it is scored with.
    """
    if not len(gains):
        return np.zeros(len(at))
    moment = (day.end_ms[rows] - int(day.end_ms[rows].min())) // panel.window_ms
    summed = np.zeros((int(moment.max()) + 2, len(at)))
    asset = day.asset[rows]
    for one in range(panel.n_assets):  # the windows of an asset stand at different moments
        summed[moment[asset == one] + 1] += gains[asset == one]
    path = np.cumsum(summed, axis=0)
    squares, last = np.zeros(len(at)), len(path) - 1
    for h in np.unique(at):
        windows = max(1, panel.horizons_s[int(h)] * 1000 // panel.window_ms)
        ends = np.arange(1, last + windows)
        own = path[:, at == h]
        inside = own[np.minimum(ends, last)] - own[np.maximum(ends - windows, 0)]
        squares[at == h] = np.cumsum(inside * inside, axis=0)[-1] / windows
    return squares


def _score(sums: Floats, square: float) -> Score:
    total = float(np.sum(sums))
    side = -1 if total < 0.0 else 1
    z = rounded(abs(total) / square**0.5) if square > 0.0 else 0.0
    return Score(tuple(rounded(side * float(x)) for x in sums), side, z)
