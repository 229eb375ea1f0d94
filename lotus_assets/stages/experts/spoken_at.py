"""What the experts of a day said at the closes of windows: z, and whose pattern stood."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lotus.errors import SchemaError
from lotus.experts.annotation_spec import DSI_ANNOTATIONS, DSI_WINDOWS, EXPERTS
from lotus.experts.fusion import ExpertSet
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.experts.expert_set import lake_branch
from lotus_store.columns import concatenated
from lotus_store.lake import Lake

Ints = NDArray[np.int64]
Names = NDArray[np.generic]


def z_at(
    ctx: StageContext, experts: ExpertSet, day: str, assets: NDArray[np.generic], end_ms: Ints
) -> NDArray[np.float64]:
    """Return z f8[n, experts] at the ends of windows of a day, NaN where nothing was written."""
    table, rows, is_there = _rows(ctx, experts, day, assets, end_ms, DSI_WINDOWS.name, [f"z_{e}" for e in EXPERTS])
    z = np.column_stack([table[f"z_{e}"].astype(np.float64) for e in EXPERTS])
    return np.asarray(np.where(is_there[:, None], z[rows], np.nan))


def said(
    lake: Lake, name: str, branch: str, day: str, asset: str, columns: Sequence[str]
) -> dict[str, NDArray[np.generic]]:
    """Return columns of what experts said of a coin on a day; the z of one that came later is 0: it said nothing."""
    try:
        return lake.read(name, branch, day, asset, columns=tuple(columns))
    except SchemaError:
        table = lake.read(name, branch, day, asset)
        nothing = np.zeros(len(table["frame_idx"]))
        return {c: nothing if c.startswith("z_") and c not in table else table[c] for c in columns}


def fired_at(
    ctx: StageContext, experts: ExpertSet, day: str, assets: NDArray[np.generic], end_ms: Ints
) -> NDArray[np.uint64]:
    """Return the bits of the patterns that stood u8[n] at the ends of windows of a day, 0 where nothing was written."""
    table, rows, is_there = _rows(ctx, experts, day, assets, end_ms, DSI_ANNOTATIONS.name, ["fired"])
    return np.asarray(np.where(is_there, table["fired"].astype(np.uint64)[rows], np.uint64(0)))


def _rows(
    ctx: StageContext,
    experts: ExpertSet,
    day: str,
    assets: NDArray[np.generic],
    end_ms: Ints,
    name: str,
    wanted: list[str],
) -> tuple[dict[str, NDArray[np.generic]], Ints, NDArray[np.bool_]]:
    """Return columns of all coins, the row of each window in them, and whether it is the window's."""
    universe, columns = ctx.manifest.universe, ("asset", "frame_idx", *wanted)
    branch, places = lake_branch(ctx, experts), {asset.name: k for k, asset in enumerate(universe)}
    table = concatenated([said(ctx.lake, name, branch, day, a.name, columns) for a in universe])
    asked = _key(np.array([places[str(a)] for a in assets], np.int64), end_ms // ctx.manifest.kernel.cadence_ms)
    keys = _key(table["asset"].astype(np.int64), table["frame_idx"].astype(np.int64))
    order = np.argsort(keys, kind="stable")
    if not len(keys):
        table = {column: np.zeros(1, values.dtype) for column, values in table.items()}
        return table, np.zeros(len(asked), np.int64), np.zeros(len(asked), np.bool_)
    rows = order[np.minimum(np.searchsorted(keys, asked, sorter=order), len(keys) - 1)]
    return table, rows, np.asarray(keys[rows] == asked)


def _key(asset: Ints, frame_idx: Ints) -> Ints:
    return (asset << 44) | frame_idx
