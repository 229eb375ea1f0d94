"""Windows of a tape in every style of entry: what they would pay, and what it costs to find out.

Windows and signals are the product's on the shipped detectors, with the tables of a day without a past. The table takes
every window in which a detector spoke, published or not: what tape alone decides needs no draw.
Intervals are of means over blocks of five minutes, by Student's t: windows inside a block are not independent.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from benchmarks.harness import in_turn
from benchmarks.trading.passive_orders import RawTape
from lotus.detectors.daily.make import day_tables
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.scorer import score_windows
from lotus.detectors.windows.builder import build_windows
from lotus.experts.machine import annotate
from lotus.manifest import Manifest
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.prints import print_columns, prints_in
from lotus.microtape.wire.decode import decode_lines
from lotus.outcomes.evaluate import Columns, Table, evaluate
from lotus.outcomes.style_table import style_payoffs
from lotus.outcomes.styles import StyleTape
from lotus.priors.types import priors_0
from lotus.timebase import day_of

BRANCH, REPEATS = "styles", 5
HORIZONS_S = (30, 300)  # an hour's does not end in half an hour of tape
FOREVER_MS = 2**43
BLOCK_MS, LEAST_BLOCKS = 300_000, 3
STYLES = ("cross", "join_low", "join_high", "improve_low", "improve_high")


def scored(raw: RawTape) -> tuple[Columns, StyleTape, Manifest]:
    """Return the scored windows of a tape at the horizons that it is long enough for, and the tape of their probes."""
    base = Manifest(universe=raw.universe)
    manifest = replace(base, outcomes=replace(base.outcomes, horizons_s=HORIZONS_S))
    detectors = tuple(spec for spec in shipped_detectors() if spec.horizon_s in HORIZONS_S)
    events, _ = decode_lines((line + b"\n" for line in raw.lines), raw.universe)
    frames = build_frames(events, manifest, raw.universe)
    windows = build_windows(frames, annotate(frames), manifest, detectors)
    tables = day_tables(day_of(int(frames.ints[0, 2])), [], manifest, raw.universe, detectors)
    signals = score_windows(windows, manifest, raw.universe, tables, [priors_0(BRANCH)], BRANCH)
    tape = StyleTape(frames.quote_columns(), print_columns(prints_in(events)), frames.gap_columns())
    return signals, tape, manifest


def styles_of(raw: RawTape) -> Table:
    """Return STYLE_PAYOFFS of the windows of a tape in which a detector spoke."""
    signals, tape, manifest = scored(raw)
    outcomes = evaluate(signals, tape.quotes, tape.gaps, manifest)
    return style_payoffs(_spoken(signals), outcomes, tape, manifest, FOREVER_MS)


def table(captures: Sequence[RawTape]) -> list[dict[str, Any]]:
    """Return the mean payoff by style with its 95 % interval: all windows, then by coin and by horizon."""
    parts = [styles_of(raw) for raw in captures]
    rows = {name: np.concatenate([np.asarray(part[name]) for part in parts]) for name in parts[0]}
    paid = {name: np.asarray(rows[name], dtype=np.float64) for name in STYLES}
    whole = np.all([np.isfinite(values) for values in paid.values()], axis=0)
    groups = {"all": whole}
    groups |= {str(coin): whole & (rows["asset"] == coin) for coin in sorted(set(rows["asset"].tolist()))}
    groups |= {f"{h} s": whole & (rows["horizon_s"] == h) for h in HORIZONS_S}
    blocks = np.asarray(rows["window_end_ms"], dtype=np.int64) // BLOCK_MS
    return [_line(name, chosen, paid, rows, blocks) for name, chosen in groups.items() if chosen.any()]


def _line(
    name: str, chosen: NDArray[np.bool_], paid: Columns, rows: Columns, blocks: NDArray[np.int64]
) -> dict[str, Any]:
    own = {style: np.asarray(values, dtype=np.float64)[chosen] for style, values in paid.items()}
    out: dict[str, Any] = {"windows": name, "n": int(chosen.sum()), "blocks": len(set(blocks[chosen].tolist()))}
    for style, values in own.items():
        out[f"{style}_bps"] = interval(values, blocks[chosen])
        if style != "cross":
            out[f"{style}_minus_cross_bps"] = interval(values - own["cross"], blocks[chosen])
            out[f"{style}_rested"] = float(np.mean(np.asarray(rows[_rested(style)], dtype=np.float64)[chosen]))
    return out


def _rested(style: str) -> str:
    name, bound = style.split("_")
    return f"{name}_rested_{bound}"


def interval(values: NDArray[np.float64], blocks: NDArray[np.int64]) -> list[float]:
    """Return mean, low and high of the 95 % interval by blocks (infinite with fewer than three)."""
    mean = float(np.mean(values))
    sums = np.array([float(np.sum(values[blocks == b] - mean)) for b in np.unique(blocks)])
    n = len(sums)
    if n < LEAST_BLOCKS:
        return [mean, -math.inf, math.inf]
    half = float(student.ppf(0.975, n - 1)) * math.sqrt(n / (n - 1) * float(np.sum(sums**2))) / len(values)
    return [round(x, 3) for x in (mean, mean - half, mean + half)]


def cost(raw: RawTape, repeats: int = REPEATS) -> dict[str, float]:
    """Return CPU seconds of today's probes of all windows, and of both resting styles: published ones, all."""
    signals, tape, manifest = scored(raw)
    outcomes = evaluate(signals, tape.quotes, tape.gaps, manifest)
    today, published, every = in_turn(
        repeats,
        partial(evaluate, signals, tape.quotes, tape.gaps, manifest),
        partial(style_payoffs, signals, outcomes, tape, manifest, FOREVER_MS),
        partial(style_payoffs, _spoken(signals), outcomes, tape, manifest, FOREVER_MS),
    )
    seconds = {"probes_s": today.typical, "published_s": published.typical, "every_s": every.typical}
    ratios = {"ratio": published.typical / today.typical, "ratio_of_every": every.typical / today.typical}
    return {name: round(value, 4) for name, value in (seconds | ratios).items()}


def _spoken(signals: Columns) -> Columns:
    return {**signals, "published": np.asarray(signals["s"], dtype=np.float64) != 0.0}
