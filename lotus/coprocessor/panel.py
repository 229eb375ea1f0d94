"""What candidates are scored on: the rows that window programs read, what came after them, what is known already.

A day holds the table of its windows as the detectors' own programs see it, its state born blank as theirs is. The
`block` of a row is the day on which its longest horizon matures. `Z` are the signals of the detectors in force: what a
candidate adds is its signal times F~ = F - beta'Z, F the move from the first executable quote, before cost, and beta by
ridge on the 20 days before. No candidate is known here. (Literature: residual returns, ridge regression.)
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.spec import DetectorSpec
from lotus.detectors.windows.builder import WindowBuilder, build_windows
from lotus.detectors.windows.row_spec import F_SIGNAL, N_INTS, T_VALUES, W_AGE, W_ASSET, W_END, W_RECV, window_columns
from lotus.detectors.windows.step import Picks, run_windows
from lotus.errors import SchemaError
from lotus.experts.machine import AnnotationBatch
from lotus.manifest import Manifest
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.spec import I_END

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
DAY_MS: Final[int] = 86_400_000
SPAN_DAYS: Final[int] = 20  # scored
RIDGE_DAYS: Final[int] = 20  # before each of them
PENALTY: Final[float] = 1.0


@dataclass(frozen=True, eq=False)
class PanelDay:
    """One day of windows [n], each asset in time order."""

    table: Floats  # [n, T_VALUES]
    asset: Ints
    birth: NDArray[np.bool_]  # the program begins blank
    end_ms: Ints
    moves: Floats  # [n, horizons], bps; NaN where none is known
    known: Floats  # [n, detectors in force], their signals

    def block(self, longest_ms: int) -> Ints:
        """Return the day number on which each row's longest horizon matures."""
        return (self.end_ms + longest_ms) // DAY_MS


@dataclass(frozen=True, eq=False)
class Panel:
    """The days of a span with what is left of each move; `blocks` are the days that are scored, in order."""

    days: tuple[PanelDay, ...]
    left: tuple[Floats, ...]  # [n, horizons]; 0 where no move is known
    places: tuple[Ints, ...]  # [n]: place of the row's block, -1 for one that is not scored
    blocks: tuple[int, ...]
    horizons_s: tuple[int, ...]
    window_ms: int
    n_assets: int
    scales: Mapping[str, float]
    profiles: Floats  # [detectors in force, blocks]: their own daily sums, on the moves themselves

    def __len__(self) -> int:
        """Return the number of days that are scored."""
        return len(self.blocks)


def window_table(
    frames: FrameBatch, annotations: AnnotationBatch, manifest: Manifest, detectors: Sequence[DetectorSpec]
) -> tuple[Floats, Ints, Floats]:
    """Return the table f8[n, T_VALUES], the integer rows and the detectors' signals f8[n, D] of every whole window.

    Raises `SchemaError` when annotations and frames do not stand row by row.
    """
    if len(annotations) != len(frames):
        raise SchemaError(f"{len(annotations)} annotations of {len(frames)} frames", "one per frame, same order")
    builder = WindowBuilder(manifest, len(frames.universe), ())
    tables = builder.arrays[0]
    ends = int(np.count_nonzero(frames.ints[:, I_END] % manifest.kernel.window_ms == 0)) + 1
    open_rows = np.zeros((len(frames.universe), tables.rows.shape[1]), np.int64)
    room = len(frames) + open_rows.size
    row, asset, to = np.empty((3, room), np.int64)
    table, ints = np.full((ends, builder.compiled.table_width), np.nan), np.zeros((ends, N_INTS), np.int64)
    picks = Picks(row, asset, to, np.empty(room, np.bool_), open_rows)
    out = np.zeros((ends, F_SIGNAL))
    n, _ = run_windows(tables, frames.ints, frames.floats, annotations.values, 0, table, ints, out, picks)
    signals = np.empty((n, 0))
    if detectors:
        scored = build_windows(frames, annotations, manifest, detectors)
        signals = scored.floats[:, F_SIGNAL : F_SIGNAL + len(detectors)].copy()
    return np.ascontiguousarray(table[:n, :T_VALUES]), ints[:n], signals


def panel_day(table: Floats, ints: Ints, signals: Floats, moves: Floats) -> PanelDay:
    """Return a day from `window_table` and the moves of its rows f8[n, horizons]."""
    return PanelDay(
        table, ints[:, W_ASSET].copy(), ints[:, W_AGE] == 0, ints[:, W_END].copy(), moves, signals
    )  # fmt: skip


def receive_stamps(ints: Ints) -> Ints:
    """Return when the message that closed each window came, ns."""
    return ints[:, W_RECV]


def panel_of(
    days: Sequence[PanelDay], horizons_s: Sequence[int], manifest: Manifest, own_horizons_s: Sequence[int]
) -> Panel:
    """Return the panel of some days in order: the last 20 blocks are scored, beta of each rests on the 20 before it.

    `own_horizons_s`: of the detectors in force. A block whose day lies outside of the days is not scored.
    """
    longest_ms = 1000 * max(horizons_s)
    every = [day.block(longest_ms) for day in days]
    whole = _whole_blocks(days, every)
    scored = whole[-SPAN_DAYS:]
    grams = {b: _gram(days, every, b) for b in whole}
    betas = {b: _beta([grams[x] for x in whole if b - RIDGE_DAYS <= x < b]) for b in scored}
    left, places = [], []
    for day, blocks in zip(days, every, strict=True):
        at, rest = np.full(len(blocks), -1), np.zeros(day.moves.shape)
        for k, b in enumerate(scored):
            rows = blocks == b
            at[rows] = k
            rest[rows] = day.moves[rows] - (day.known[rows] @ betas[b] if betas[b].size else 0.0)
        left.append(np.nan_to_num(rest, nan=0.0, posinf=0.0, neginf=0.0))
        places.append(at)
    kept = [k for k, at in enumerate(places) if np.any(at >= 0)]
    shown = tuple(days[k] for k in kept)
    at_own = [tuple(horizons_s).index(h) for h in own_horizons_s]
    profiles = np.zeros((len(own_horizons_s), len(scored)))
    for k in kept:
        for b in range(len(scored)):
            rows = places[k] == b
            moved = np.nan_to_num(days[k].moves[rows][:, at_own])
            profiles[:, b] += np.sum(days[k].known[rows] * moved, axis=0)
    return Panel(
        shown, tuple(left[k] for k in kept), tuple(places[k] for k in kept), tuple(scored), tuple(horizons_s),
        manifest.kernel.window_ms, len(manifest.universe), _scales(shown), profiles,
    )  # fmt: skip


def rows_of_assets(day: PanelDay, n_assets: int) -> Iterator[tuple[int, Ints]]:
    """Yield each asset with its rows in order."""
    for asset in range(n_assets):
        rows = np.flatnonzero(day.asset == asset)
        if len(rows):
            yield asset, rows


def _whole_blocks(days: Sequence[PanelDay], every: Sequence[Ints]) -> list[int]:
    """Return the blocks in order on which some move is known, without those that only the last hour reaches."""
    own = {int(day.end_ms[-1] - 1) // DAY_MS for day in days if len(day.end_ms)}
    seen: set[int] = set()
    for day, blocks in zip(days, every, strict=True):
        seen |= set(np.unique(blocks[np.isfinite(day.moves).any(axis=1)]).tolist())
    return sorted(seen & own)


def _gram(days: Sequence[PanelDay], every: Sequence[Ints], block: int) -> tuple[Floats, Floats]:
    """Return Z'Z [horizons, D, D] and Z'F [horizons, D] of one block."""
    n = days[0].known.shape[1]
    horizons = days[0].moves.shape[1]
    square, cross = np.zeros((horizons, n, n)), np.zeros((horizons, n))
    for day, blocks in zip(days, every, strict=True):
        for h in range(horizons):
            rows = (blocks == block) & np.isfinite(day.moves[:, h])
            z = day.known[rows]
            square[h] += z.T @ z
            cross[h] += z.T @ day.moves[rows, h]
    return square, cross


def _beta(grams: Sequence[tuple[Floats, Floats]]) -> Floats:
    """Return the ridge coefficients [D, horizons]; nothing without a day before."""
    if not grams or grams[0][0].shape[1] == 0:
        return np.empty((0, 0))
    square, cross = (np.sum([g[k] for g in grams], axis=0) for k in (0, 1))
    penalty = PENALTY * np.eye(square.shape[1])
    return np.stack([np.linalg.solve(square[h] + penalty, cross[h]) for h in range(len(square))], axis=1)


def _scales(days: Sequence[PanelDay]) -> dict[str, float]:
    """Return the median |x| of each column that moves, at two digits; a column that never moves is left out."""
    scales: dict[str, float] = {}
    sample = (
        np.concatenate([day.table[:: max(1, len(day.table) // 2000)] for day in days]) if days else np.empty((0, 0))
    )
    for name, column in window_columns().items():
        values = sample[:, column.index] if len(sample) else np.empty(0)
        values = values[np.isfinite(values)]
        if len(values) and float(np.ptp(values)) > 0.0:
            scales[name] = float(f"{float(np.median(np.abs(values))):.2g}")
    return scales
