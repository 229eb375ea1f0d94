"""Frames against a second implementation in pandas and plain Python, written from the definitions."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from lotus.manifest import Asset, Manifest
from lotus.microtape.events import EventBatch, EventKind, book_levels, trade_rows
from lotus.microtape.frame_machine import build_frames
from lotus.microtape.frame_samples import sample_events

GAP_MS, CADENCE_MS = 10_000, 200


def oracle(batch: EventBatch) -> pd.DataFrame:
    """One asset, slowly: a list of frame dictionaries, then pandas for everything that rolls."""
    rows: list[dict[str, Any]] = []
    life, clock = 0, None
    now: dict[str, Any] = {}
    for i in range(len(batch)):
        kind, t, values = EventKind(int(batch.kind[i])), int(batch.time_ms[i]), batch.payload(i)
        if kind is EventKind.CTX:
            continue
        replayed = clock is not None and kind is EventKind.TRADES and t - clock > GAP_MS
        if clock is None or (t - clock > GAP_MS and not replayed):
            life, clock, now = life + 1, t, {"top_ms": 0, "near_ms": 0, "deep_ms": 0, "trades": []}
            born = t // CADENCE_MS * CADENCE_MS
        while not replayed and t // CADENCE_MS > clock // CADENCE_MS:
            rows.append(close(now, life, clock // CADENCE_MS + 1))
            clock = (clock // CADENCE_MS + 1) * CADENCE_MS
            now["trades"] = []
        clock = clock if replayed else max(clock, t)
        take(now, kind, t, values, born)
    return roll(pd.DataFrame(rows))


def take(now: dict[str, Any], kind: EventKind, t: int, values: np.ndarray, born: int) -> None:
    if kind is EventKind.TRADES:
        now["trades"] += [row for row in trade_rows(values).tolist() if row[3] >= born]
        return
    if kind is EventKind.BBO:
        bids, asks = [values[:2].tolist()] * int(values[0] > 0), [values[3:5].tolist()] * int(values[3] > 0)
    else:
        sides = book_levels(values)
        bids, asks = sides[0][:, :2].tolist(), sides[1][:, :2].tolist()
    if bids and asks and bids[0][0] >= asks[0][0]:
        return
    if kind is not EventKind.BBO and t >= now["near_ms"]:
        now.update(near_ms=t, near=(bids, asks))
    if kind is EventKind.BOOK and t >= now["deep_ms"]:
        now.update(deep_ms=t, deep=(bids, asks))
    if t >= now["top_ms"]:
        now.update(top_ms=t, top=(bids[0], asks[0]) if bids and asks else None)


def lean(sides: tuple[list[list[int]], list[list[int]]] | None, levels: int) -> float:
    if not sides or not sides[0] or not sides[1]:
        return np.nan
    bid, ask = (sum(row[1] for row in side[:levels]) for side in sides)
    return (bid - ask) / (bid + ask)


def slope(sides: tuple[list[list[int]], list[list[int]]] | None) -> float:
    if not sides or not sides[0] or not sides[1]:
        return np.nan
    mid = (sides[0][0][0] + sides[1][0][0]) / 2
    x = [abs(px / mid - 1) * 1e4 for side in sides for px, _ in side]
    y = [np.log(c) for side in sides for c in np.cumsum([row[1] for row in side])]
    return float(np.polyfit(x, y, 1)[0]) if len(x) >= 3 and np.ptp(x) > 1e-6 else np.nan


def close(now: dict[str, Any], life: int, frame_idx: int) -> dict[str, Any]:
    row: dict[str, Any] = {"life": life, "frame_idx": frame_idx, "mid": np.nan}
    if now.get("top"):
        (b, bs), (a, sz) = now["top"]
        mid, micro = (a + b) / 2, (a * bs + b * sz) / (bs + sz)
        row |= {"mid": mid, "spread_bps": (a / mid - b / mid) * 1e4, "imb_1": (bs - sz) / (bs + sz)}
        row["micro_drift_bps"] = (micro / mid - 1) * 1e4
    row |= {
        "imb_5": lean(now.get("near"), 5),
        "imb_10": lean(now.get("deep"), 10),
        "depth_slope": slope(now.get("deep")),
    }
    usd = [px * sz * 1e-6 for px, sz, *_ in now["trades"]]
    sides = [row[2] for row in now["trades"]]
    row |= {"trade_n": len(usd), "volume_usd": sum(usd)}
    row["aggr_imb"] = np.dot(usd, sides) / sum(usd) if usd else np.nan
    return row


def roll(frame: pd.DataFrame) -> pd.DataFrame:
    lives = []
    for _, part in frame.groupby("life"):
        ret = (part["mid"] / part["mid"].shift() - 1) * 1e4
        mean = (ret**2).ewm(halflife=150, adjust=True, ignore_na=False).mean()
        lives.append(part.assign(ret_bps=ret, rv_bps=np.sqrt(300 * mean)))
    return pd.concat(lives)


@pytest.mark.parametrize("seed", [21, 22])
def test_frames_agree_with_the_oracle(seed: int) -> None:
    batch = sample_events(seed, 6_000, n_assets=1)
    columns = build_frames(batch, Manifest(), (Asset("SOL", 2),)).columns()
    expected = oracle(batch)
    assert np.array_equal(columns["frame_idx"], expected["frame_idx"])
    for name in expected.columns.drop(["life", "frame_idx"]):
        mine, theirs = columns[name], expected[name].to_numpy(float)
        assert np.array_equal(np.isnan(mine), np.isnan(theirs)), name
        np.testing.assert_allclose(mine, theirs, rtol=1e-6, atol=1e-7, err_msg=name)
