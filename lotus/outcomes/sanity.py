"""SANITY_TABLE: what frame columns, experts and detectors have to do with the mid moves after them, losers included.

Every series is compared with the move of the mid over 1, 5, 30 and 300 s from the same moment (mid to mid, which nobody
can trade), inside one life of an asset: no move crosses a gap. A series with more than `MAX_ROWS` values of an asset
is read at every k-th frame. Beside it stands what taking the move would cost: the spread seen while speaking and two
taker fees (funding over 300 s is left out). One row per asset, and one for all together, whose blocks hold all assets
of a stretch of time. Descriptive: nothing that decides reads it.
(Literature: information coefficient, markout.)
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.detectors.windows.builder import WindowBatch
from lotus.detectors.windows.row_spec import F_SIGNAL, W_ASSET, W_END
from lotus.errors import SchemaError
from lotus.hashing import round_learned
from lotus.microtape.frames import spec as f
from lotus.microtape.frames.batch import FrameBatch
from lotus.outcomes.probe import forward_return_bps
from lotus.outcomes.sanity_stats import Moves, Relation, Room, moves_of, relation

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Columns = dict[str, NDArray[np.generic]]

HORIZONS_S: Final = (1, 5, 30, 300)
FRAME_SERIES: Final = ("imb_1", "imb_5", "imb_10", "micro_drift_bps", "aggr_imb")
MAX_ROWS: Final = 100_000
BLOCK_HORIZONS: Final = 4  # a block of time is so many horizons long, at least BLOCK_MIN_S
BLOCK_MIN_S: Final = 60
ALL: Final = "all"
EARNS, BELOW_COST, WRONG, NOTHING_SHOWN = "earns its cost", "right, below cost", "wrong", "nothing shown"

SANITY_TABLE: Final = TableSpec(
    "sanity_table",
    ("kind", "series", "asset", "horizon_s"),
    (
        Column("kind", "text", "", "frame, expert or detector"),
        Column("series", "text", "", "column of the frame, z of the expert, s of the detector; > 0 says up"),
        Column("asset", "text", "", "name, or `all` for all of them together"),
        Column("horizon_s", "i4", "s", "length of the move", low=1),
        Column("n", "i8", "rows", "rows in which the series and the move are known", low=0),
        Column("spoken", "i8", "rows", "those in which the series is not 0", low=0),
        Column("blocks", "i8", "blocks", "blocks of max(4 horizons, 60 s) under the intervals, none below 5", low=0),
        Column("n_eff", "f8", "rows", "so many independent rows would tell as much of mean_bps", True, 0),
        Column("pearson", "f8", "1", "correlation of series and move over n", True, -1, 1),
        Column("pearson_low", "f8", "1", "lower end of its 95 % interval", True, -1, 1),
        Column("pearson_high", "f8", "1", "upper end", True, -1, 1),
        Column("pearson_sign", "f8", "1", "correlation of the sign of the series and the move", True, -1, 1),
        Column("spearman", "f8", "1", "rank correlation of series and move", True, -1, 1),
        Column("mean_bps", "f8", "bps", "mean of sign(series) * move over spoken", True),
        Column("mean_low_bps", "f8", "bps", "lower end of its 95 % interval", True),
        Column("mean_high_bps", "f8", "bps", "upper end", True),
        Column("hit", "f8", "1", "share of spoken rows whose move went with the sign; no move counts 1/2", True, 0, 1),
        Column("hit_low", "f8", "1", "lower end of its 95 % interval", True, 0, 1),
        Column("hit_high", "f8", "1", "upper end", True, 0, 1),
        Column("cost_bps", "f8", "bps", "mean spread_bps over spoken + two taker fees", True),
        Column("net_bps", "f8", "bps", "mean_bps - cost_bps", True),
        Column("verdict", "text", "", f"{EARNS}: mean_low_bps > cost_bps; {BELOW_COST}: mean_low_bps > 0; {WRONG}: "
               f"mean_high_bps < 0; else {NOTHING_SHOWN}"),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers that may predict a move: kind, name; asset i8 [m], frame_idx i8 [m], x f8 [m], NaN where it is null."""

    kind: str
    name: str
    asset: NDArray[np.int64]
    frame_idx: NDArray[np.int64]
    x: Floats


@dataclass(frozen=True, slots=True)
class _Asset:
    """Frames of one asset: frame_idx i8 [n] rising, spread f8 [n] in bps, moves in bps by horizon, f8 [n] each."""

    frame_idx: NDArray[np.int64]
    spread: Floats
    moves: Mapping[int, Floats]


def frame_series(frames: FrameBatch) -> Iterator[Series]:
    """Yield the frame columns whose sign may say where the mid goes."""
    asset, frame_idx = frames.ints[:, f.I_ASSET], frames.ints[:, f.I_FRAME]
    for name in FRAME_SERIES:
        yield Series("frame", name, asset, frame_idx, frames.floats[:, f.FLOAT_NAMES.index(name)])


def annotation_series(table: Mapping[str, NDArray[np.generic]]) -> Iterator[Series]:
    """Yield every expert's z and their fusion, as far as a table keyed by (asset, frame_idx) holds them."""
    asset, frame_idx = table["asset"].astype(np.int64), table["frame_idx"].astype(np.int64)
    for name in sorted(table):
        if name.startswith("z_") or name == "micro_llr":
            yield Series("expert", name, asset, frame_idx, table[name].astype(np.float64, copy=False))


def detector_series(windows: WindowBatch, cadence_ms: int) -> Iterator[Series]:
    """Yield every detector's signal at the frames that close its windows."""
    asset, frame_idx = windows.ints[:, W_ASSET], windows.ints[:, W_END] // cadence_ms
    for d, spec in enumerate(windows.detectors):
        yield Series("detector", spec.detector_id, asset, frame_idx, windows.floats[:, F_SIGNAL + d])


def sanity_table(frames: FrameBatch, series: Iterable[Series], taker_fee_bps: float) -> Columns:
    """Return SANITY_TABLE in key order; values at frames that are not among those given are left out.

    Numbers are rounded to 9 significant digits. Raises `SchemaError` for a series that comes twice.
    """
    assets = [_asset(frames, index) for index in range(len(frames.universe))]
    whose = {asset.name: [index] for index, asset in enumerate(frames.universe)}
    if len(assets) > 1:
        whose[ALL] = list(range(len(assets)))
    rows: dict[tuple[str, str, str, int], dict[str, str | float]] = {}
    for group in _together(series):
        places = [_placed(asset, index, group[0]) for index, asset in enumerate(assets)]
        for name, numbers in whose.items():
            for one, h, found in _relations(group, assets, numbers, places, frames.cadence_ms):
                key = (one.kind, one.name, name, h)
                if key in rows:
                    raise SchemaError(f"series {one.kind} {one.name} comes twice", "every series once")
                rows[key] = _numbers(found, taker_fee_bps)
    keys = sorted(rows)
    return _table([dict(zip(SANITY_TABLE.key, key, strict=True)) | rows[key] for key in keys])


def forward_move_bps(index: NDArray[np.int64], mid2: NDArray[np.int64], life: NDArray[np.int64], steps: int) -> Floats:
    """Return the mid's move in bps from each frame to the frame `steps` later, f8 [n].

    `index` i8 [n] rising frame numbers, `mid2` 0 without a quote, `life` i8 [n]. NaN where that frame is missing, in
    another life, or one of both has no quote.
    """
    to = np.minimum(np.searchsorted(index, index + steps), max(len(index) - 1, 0))
    usable = (index[to] == index + steps) & (life[to] == life) & (mid2 > 0) & (mid2[to] > 0)
    out = np.full(len(index), np.nan)
    out[usable] = forward_return_bps(mid2[usable], mid2[to[usable]])
    return out


def _asset(frames: FrameBatch, asset: int) -> _Asset:
    rows = np.flatnonzero(frames.ints[:, f.I_ASSET] == asset)
    index, mid2 = frames.ints[rows, f.I_FRAME], frames.ints[rows, f.I_MID2]
    follows = np.diff(index, prepend=index[:1] - 1) == 1
    life = np.cumsum(~follows | (frames.floats[rows, f.C_GAP] > 0.0))
    steps = {h: -(-1_000 * h // frames.cadence_ms) for h in HORIZONS_S}
    moves = {h: forward_move_bps(index, mid2, life, k) for h, k in steps.items()}
    return _Asset(index, frames.floats[rows, f.C_SPREAD], moves)


def _together(series: Iterable[Series]) -> Iterable[list[Series]]:
    """Return the series in groups that stand at the same frames: what is made of the moves there serves all of one."""
    groups: dict[tuple[int, int, bytes], list[Series]] = {}
    for one in series:
        finite = np.packbits(np.isfinite(one.x)).tobytes()
        groups.setdefault((id(one.asset), id(one.frame_idx), finite), []).append(one)
    return groups.values()


def _placed(asset: _Asset, number: int, series: Series) -> tuple[Ints, Ints]:
    """Return the rows of the series that stand in the asset's frames, i8 [m], at most MAX_ROWS, and which frames."""
    own_rows = series.asset == number
    step = max(1, -(-int(np.count_nonzero(own_rows)) // MAX_ROWS))
    own_rows &= (series.frame_idx % step == 0) & np.isfinite(series.x)
    picks = np.flatnonzero(own_rows)
    wanted = series.frame_idx[picks]
    places = np.searchsorted(asset.frame_idx, wanted)
    inside = places < len(asset.frame_idx)
    inside[inside] = asset.frame_idx[places[inside]] == wanted[inside]
    return picks[inside], places[inside]


def _relations(
    group: Sequence[Series],
    assets: Sequence[_Asset],
    numbers: Sequence[int],
    placed: Sequence[tuple[Ints, Ints]],
    cadence_ms: int,
) -> Iterator[tuple[Series, int, Relation]]:
    """Yield the relation of every series of a group to the moves of some assets, at every horizon."""
    picks = np.concatenate([placed[k][0] for k in numbers])
    moves = {h: _moves(assets, numbers, placed, h, cadence_ms) for h in HORIZONS_S}
    room = Room.of(len(picks), (there for _, there in moves.values()))
    for one in group:
        x = one.x[picks]
        order = np.argsort(x)
        for h, (rows, there) in moves.items():
            yield one, h, relation(x, order, rows, there, room)


def _moves(
    assets: Sequence[_Asset],
    numbers: Sequence[int],
    placed: Sequence[tuple[Ints, Ints]],
    horizon_s: int,
    cadence_ms: int,
) -> tuple[Ints, Moves]:
    """Return the rows whose move is known, and their moves."""
    chosen = [(assets[k], placed[k][1]) for k in numbers]
    y = np.concatenate([asset.moves[horizon_s][at] for asset, at in chosen])
    rows = np.flatnonzero(np.isfinite(y))
    seconds = np.concatenate([asset.frame_idx[at] for asset, at in chosen])[rows] * cadence_ms // 1_000
    whose = np.repeat(np.arange(len(chosen)), [len(at) for _, at in chosen])[rows]
    slot = seconds // horizon_s
    slot += whose * (np.ptp(slot) + 1 if len(slot) else 1)
    spread = np.concatenate([asset.spread[at] for asset, at in chosen])
    block = seconds // max(BLOCK_HORIZONS * horizon_s, BLOCK_MIN_S)
    return rows, moves_of(y[rows], block, slot, spread[rows])


def _numbers(relations: Relation, fee: float) -> dict[str, str | float]:
    cost = relations.spread + 2.0 * fee if relations.spoken else np.nan
    return {
        "n": relations.n,
        "spoken": relations.spoken,
        "blocks": relations.blocks,
        "n_eff": relations.n_eff,
        "pearson": relations.pearson.value,
        "pearson_low": relations.pearson.low,
        "pearson_high": relations.pearson.high,
        "pearson_sign": relations.pearson_sign,
        "spearman": relations.spearman,
        "mean_bps": relations.mean.value,
        "mean_low_bps": relations.mean.low,
        "mean_high_bps": relations.mean.high,
        "hit": relations.hit.value,
        "hit_low": max(relations.hit.low, 0.0),
        "hit_high": min(relations.hit.high, 1.0),
        "cost_bps": cost,
        "net_bps": relations.mean.value - cost,
        "verdict": verdict(relations, cost),
    }


def verdict(measured: Relation, cost_bps: float) -> str:
    """Return what the interval of the mean signed move says, one row at a time (no correction for many rows)."""
    if measured.mean.low > cost_bps:
        return EARNS
    if measured.mean.low > 0.0:
        return BELOW_COST
    return WRONG if measured.mean.high < 0.0 else NOTHING_SHOWN


def _table(rows: Sequence[Mapping[str, object]]) -> Columns:
    out: Columns = {}
    for column in SANITY_TABLE.columns:
        values = np.array([row[column.name] for row in rows], dtype=SANITY_TABLE.numpy_dtype(column.name))
        out[column.name] = round_learned(values) if column.dtype == "f8" else values
    return out
