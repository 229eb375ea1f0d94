"""A second implementation of the frames, slow and plain: lists, dictionaries and pandas, written from `frames.spec`.

`oracle` gives every column of one asset and, beside them, the facts that the null rules speak of (columns `has_*`).
It shares no code with the kernels: bins are searched among their edges, old mass fades by multiplying, and everything
that rolls is pandas over one life (birth to gap).
"""

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lotus.microtape.events import BOOK_HEADER, LEVEL_WIDTH, NULL, EventBatch, EventKind, trade_rows
from lotus.microtape.frames.spec import CROSSED, GAP_BEFORE, LATE, NO_QUOTE, STALE_BOOK, STALE_CTX, WARMUP

Row = dict[str, Any]
Side = list[list[int]]
GAP_MS = 10_000
FADE_MS = 1_200_000


def book_levels(payload: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the bid and ask levels of a BOOK or FAST payload, each int64[n, 3] of (px, sz, n), best first."""
    n_bids, n_asks = int(payload[0]), int(payload[1])
    levels = payload[BOOK_HEADER:].reshape(n_bids + n_asks, LEVEL_WIDTH)
    return levels[:n_bids], levels[n_bids:]


class Histogram:
    """Quarter-octave bins from 2**low on, their mass halved every 20 minutes."""

    def __init__(self, low: int, cadence_ms: int) -> None:
        self.edges = 2.0 ** (low + np.arange(65) / 4)
        self.mass = np.zeros(64)
        self.fade = 0.5 ** (cadence_ms / FADE_MS)

    def bin(self, x: float) -> int:
        return int(np.clip(np.searchsorted(self.edges, x, side="right") - 1, 0, 63))

    def quantile(self, q: float) -> float:
        below = np.concatenate([[0.0], np.cumsum(self.mass)])
        held = np.flatnonzero(self.mass > 0)
        k = next(k for k in held if below[k + 1] >= q * below[-1] * (1 - 1e-12))
        share = (q * below[-1] - below[k]) / self.mass[k]
        return float(self.edges[k] + share * (self.edges[k + 1] - self.edges[k]))

    def rank(self, x: float) -> float:
        k = self.bin(x)
        return float((self.mass[:k].sum() + self.mass[k] / 2) / self.mass.sum())


class Life:
    """One asset from birth to gap."""

    def __init__(self, number: int, time_ms: int, cadence_ms: int, after_gap: bool) -> None:
        self.number, self.cadence, self.clock = number, cadence_ms, time_ms
        self.index = time_ms // cadence_ms  # of the open frame
        self.born_ms = self.index * cadence_ms
        self.top: tuple[int, int, int, int] = (0, 0, 0, 0)  # bid px, bid lots, ask px, ask lots
        self.times = {"top": -1, "deep": -1, "fast": -1, "ctx": -1}
        self.books: dict[str, tuple[Side, Side]] = {}
        self.ctx: tuple[int, int, int] = (NULL, NULL, NULL)
        self.volumes, self.bursts = Histogram(0, cadence_ms), Histogram(3, cadence_ms)
        self.traded = self.burst_n = self.run = 0
        self.rows: list[Row] = []
        self.flags = GAP_BEFORE if after_gap else 0
        self.crossed = 0
        self.open_frame()

    def open_frame(self) -> None:
        self.prints: list[list[int]] = []
        self.swept = 0
        self.left, self.shown = 0, self.top[1] + self.top[3]
        self.mids = [self.top[0] + self.top[2]] if self.top[0] and self.top[2] else []

    def set_top(self, t: int, top: tuple[int, int, int, int]) -> None:
        if t < self.times["top"]:
            return
        for side, worse in ((0, -1), (2, 1)):
            (px0, sz0), (px1, sz1) = self.top[side : side + 2], top[side : side + 2]
            if px0 == px1:
                self.left += max(sz0 - sz1, 0)
                self.shown += max(sz1 - sz0, 0)
            else:
                self.left += sz0 if px1 == 0 or (px1 - px0) * worse > 0 else 0
                self.shown += sz1
        self.top, self.times["top"] = top, t
        if top[0] and top[2]:
            self.mids.append(top[0] + top[2])

    def take_book(self, t: int, form: str, bids: Side, asks: Side) -> None:
        if t >= max(self.times["deep"], self.times["fast"]):
            self.books["near"] = (bids, asks)
        if form == "deep" and t >= self.times["deep"]:
            self.books["deep"] = (bids, asks)
        self.times[form] = max(self.times[form], t)

    def take_trades(self, rows: list[list[int]]) -> None:
        groups: list[list[list[int]]] = []
        for row in (r for r in rows if r[3] >= self.born_ms):
            self.flags |= LATE if row[3] < self.index * self.cadence else 0
            self.run = self.run + row[2] if self.run * row[2] > 0 else row[2]
            self.prints.append(row)
            if groups and groups[-1][-1][2:4] == row[2:4]:
                groups[-1].append(row)
            else:
                groups.append([row])
        for burst in groups:
            levels = 1 + sum(a[0] != b[0] for a, b in pairwise(burst))
            usd = sum(px * sz for px, sz, *_ in burst) * 1e-6
            if levels >= 3 or (self.burst_n >= 100 and usd >= self.bursts.quantile(0.99)):
                self.swept += sum(r[1] * r[2] for r in burst)
            self.bursts.mass[self.bursts.bin(usd)] += 1
            self.burst_n += 1

    def close_frame(self, lot: float) -> None:
        end = (self.index + 1) * self.cadence
        row: Row = {"life": self.number, "frame_idx": self.index + 1, "end_ms": end}
        row |= self.quote_columns() | self.book_columns(end) | self.ctx_columns(end, lot) | self.trade_columns(lot)
        young = len(self.rows) < 60_000 // self.cadence
        row["gap_flag"] = float(self.flags & GAP_BEFORE > 0)
        row["quality"] = (
            self.flags
            | STALE_BOOK * (not row["book_age_ms"] <= 12_000)
            | STALE_CTX * (not row["ctx_age_ms"] <= 5_000)
            | NO_QUOTE * (row["mid2"] == 0)
            | WARMUP * young
        )
        self.rows.append(row)
        for histogram in (self.volumes, self.bursts):
            histogram.mass *= histogram.fade
        self.index, self.flags = self.index + 1, CROSSED if self.crossed else 0
        self.open_frame()

    def quote_columns(self) -> Row:
        b, bs, a, sz = self.top
        both = b > 0 and a > 0
        known = both and bs + sz > 0
        mid = (a + b) / 2 if both else np.nan
        lots = sum(row[1] for row in self.prints)
        return {
            "has_quote": both, "has_size": known, "has_shown": self.shown > 0,
            "mid2": a + b if both else 0, "mid": mid,
            "spread_bps": (a / mid - b / mid) * 1e4 if both else np.nan,
            "imb_1": (bs - sz) / (bs + sz) if known else np.nan,
            "micro_drift_bps": ((a * bs + b * sz) / (bs + sz) / mid - 1) * 1e4 if known else np.nan,
            "cancel_rate": np.clip((self.left - lots) / self.shown, 0, 1) if self.shown > 0 else np.nan,
            "high": max(self.mids, default=np.nan), "low": min(self.mids, default=np.nan),
        }  # fmt: skip

    def book_columns(self, end: int) -> Row:
        near, deep = self.books.get("near"), self.books.get("deep")
        x, y = slope_points(deep)
        bent = len(x) >= 3 and np.ptp(x) > 1e-6
        usd = [sum(px * sz for px, sz in side) * 1e-6 for side in deep] if deep else [np.nan] * 2
        return {
            "has_near": not np.isnan(lean(near, 5)), "has_deep_sides": not np.isnan(lean(deep, 10)),
            "has_deep": deep is not None, "has_slope": bent, "has_fast": self.times["fast"] >= 0,
            "imb_5": lean(near, 5), "imb_10": lean(deep, 10), "depth_bid_usd": usd[0], "depth_ask_usd": usd[1],
            "depth_slope": float(np.polyfit(x, y, 1)[0]) if bent else np.nan,
            "book_age_ms": self.age("deep", end), "fast_age_ms": self.age("fast", end),
        }  # fmt: skip

    def ctx_columns(self, end: int, lot: float) -> Row:
        rate, oi, oracle = self.ctx
        seen = self.times["ctx"] >= 0
        both = self.top[0] > 0 and self.top[2] > 0
        priced = seen and oracle != NULL and oracle > 0
        return {
            "has_ctx": seen, "has_oi": seen and oi != NULL, "has_funding": seen and rate != NULL,
            "has_basis": priced and both,
            "funding_bps_h": rate / 1e12 * 1e4 if seen and rate != NULL else np.nan,
            "oi": oi * lot if seen and oi != NULL else np.nan,
            "basis_bps": ((self.top[0] + self.top[2]) / 2 / oracle - 1) * 1e4 if priced and both else np.nan,
            "ctx_age_ms": self.age("ctx", end),
        }  # fmt: skip

    def trade_columns(self, lot: float) -> Row:
        usd = [px * sz * 1e-6 for px, sz, *_ in self.prints]
        total, lots = sum(usd), sum(sz for _, sz, *_ in self.prints)
        b, _, a, _ = self.top
        quoted = b > 0 and a > 0 and total > 0
        mean = sum(px * sz for px, sz, *_ in self.prints) / lots if total > 0 else np.nan
        row: Row = {
            "has_vwap": quoted, "volume_base": lots * lot,
            "vwap_bps": (mean / ((a + b) / 2) - 1) * 1e4 if quoted else np.nan,
            "has_volume": total > 0, "has_median": self.traded >= 32,
            "trade_n": len(usd), "volume_usd": total, "runlen_aggr": self.run, "sweep": np.sign(self.swept),
            "aggr_imb": np.dot(usd, [r[2] for r in self.prints]) / total if total > 0 else np.nan,
            "vol_rel": 0.0,
        }  # fmt: skip
        if total > 0:
            row["vol_rel"] = total / self.volumes.quantile(0.5) if self.traded >= 32 else np.nan
            self.volumes.mass[self.volumes.bin(total)] += 1
            self.traded += 1
        return row

    def age(self, what: str, end: int) -> float:
        return end - self.times[what] if self.times[what] >= 0 else np.nan


def lean(sides: tuple[Side, Side] | None, levels: int) -> float:
    if not sides or not sides[0] or not sides[1]:
        return np.nan
    bid, ask = (sum(row[1] for row in side[:levels]) for side in sides)
    return (bid - ask) / (bid + ask) if bid + ask else np.nan


def slope_points(sides: tuple[Side, Side] | None) -> tuple[list[float], list[float]]:
    if not sides or not sides[0] or not sides[1]:
        return [], []
    mid = (sides[0][0][0] + sides[1][0][0]) / 2
    points = []
    for side in sides:
        cumulated = np.cumsum([sz for _, sz in side])
        points += [(abs(px / mid - 1) * 1e4, np.log(c)) for (px, _), c in zip(side, cumulated, strict=True) if c]
    return [x for x, _ in points], [y for _, y in points]


def oracle(batch: EventBatch, asset: int, sz_decimals: int, cadence_ms: int = 200) -> pd.DataFrame:
    """Every column of one asset's frames, with the facts of the null rules."""
    lives: list[Life] = []
    quoted, lot = False, 10.0**-sz_decimals
    for i in np.flatnonzero(batch.asset == asset):
        kind, t, values = EventKind(int(batch.kind[i])), int(batch.time_ms[i]), batch.payload(int(i))
        now = lives[-1] if lives else None
        if kind is EventKind.CTX:
            if now:
                now.ctx, now.times["ctx"] = (int(values[0]), int(values[1]), int(values[2])), now.clock
            continue
        if kind is EventKind.CROSSED:
            if now:
                now.flags, now.crossed = now.flags | CROSSED, now.index + 1
            continue
        jump = now is not None and t - now.clock > GAP_MS
        replayed = jump and kind is EventKind.TRADES and quoted
        if now is None or (jump and not replayed):
            after_gap = now is not None and (quoted or kind is EventKind.TRADES)
            now = Life(len(lives), t, cadence_ms, after_gap)
            lives.append(now)
        if not replayed:
            while t >= (now.index + 1) * cadence_ms:
                now.close_frame(lot)
            now.clock = max(now.clock, t)
        quoted = quoted or kind is not EventKind.TRADES
        now.flags |= LATE if t < now.index * cadence_ms else 0
        take(now, kind, t, values)
    return roll(pd.DataFrame([row for life in lives for row in life.rows]), cadence_ms)


def take(now: Life, kind: EventKind, t: int, values: np.ndarray) -> None:
    if kind is EventKind.TRADES:
        now.take_trades(trade_rows(values).tolist())
        return
    if now.crossed and now.crossed <= now.index:
        now.flags &= ~CROSSED
    now.crossed = 0
    if kind is EventKind.BBO:
        bids, asks = [values[:2].tolist()] * int(values[0] > 0), [values[3:5].tolist()] * int(values[3] > 0)
    else:
        sides = book_levels(values)
        bids, asks = sides[0][:, :2].tolist(), sides[1][:, :2].tolist()
    if kind is not EventKind.BBO:
        now.take_book(t, "deep" if kind is EventKind.BOOK else "fast", bids, asks)
    now.set_top(t, (*(bids[0] if bids else (0, 0)), *(asks[0] if asks else (0, 0))))


def roll(frame: pd.DataFrame, cadence_ms: int) -> pd.DataFrame:
    """Add what rolls over a life."""
    return pd.concat([roll_life(part, cadence_ms) for _, part in frame.groupby("life")], ignore_index=True)


def roll_life(part: pd.DataFrame, cadence_ms: int) -> pd.DataFrame:
    n = 60_000 // cadence_ms
    ret = (part["mid"] / part["mid"].shift() - 1) * 1e4
    mean = (ret**2).ewm(halflife=30_000 / cadence_ms, adjust=True, ignore_na=False).mean()
    o, c = part["mid"].shift(n), part["mid"]
    h, low = (part["high"] / 2).rolling(n, min_periods=1).max(), (part["low"] / 2).rolling(n, min_periods=1).min()
    whole = o.notna() & c.notna()
    top, bottom = np.maximum(o, c), np.minimum(o, c)
    location = ((c - low) / (h - low)).where(h > low, 0.5)
    out = part.assign(
        ret_bps=ret,
        rv_bps=np.sqrt(60_000 / cadence_ms * mean),
        oi_delta=((part["oi"] / part["oi"].shift() - 1) * 1e4).where(part["oi"].shift() > 0),
        wick_up_bps=((h - top) / c * 1e4).where(whole),
        wick_dn_bps=((bottom - low) / c * 1e4).where(whole),
        body_bps=((c - o) / c * 1e4).where(whole),
        close_loc=location.where(whole),
        has_return=ret.notna(),
        has_any_return=ret.notna().cummax(),
        has_oi_twice=part["has_oi"] & (part["oi"].shift() > 0),
        has_bar=whole,
        has_ranks=whole & (whole.cumsum() > 300),
    )
    return out.assign(range_pctl=ranks(((h - low) / c * 1e4).where(whole).to_numpy(), cadence_ms))


def ranks(spans: np.ndarray, cadence_ms: int) -> np.ndarray:
    histogram, seen, out = Histogram(-4, cadence_ms), 0, np.full(len(spans), np.nan)
    for k, span in enumerate(spans):
        if not np.isnan(span):
            out[k] = histogram.rank(span) if seen >= 300 else np.nan
            histogram.mass[histogram.bin(span)] += 1
            seen += 1
        histogram.mass *= histogram.fade
    return out
