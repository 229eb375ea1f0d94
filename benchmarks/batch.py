"""Batch throughput of one core: decoded events to frames, and on to scored windows.

References of the same run: a Python strategy that does nothing but receive each event, and a vectorised pandas
version of three features on the same quotes, handed to it as ready columns.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.harness import Figure, Sizes, in_turn, rate
from benchmarks.material import BRANCH, Tape
from lotus.detectors.scoring.scored import Columns
from lotus.detectors.scoring.scorer import Scorer
from lotus.detectors.windows.builder import build_windows
from lotus.experts.machine import annotate
from lotus.microtape.events import EventBatch
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.wire.decode import decode_lines
from lotus.priors.types import priors_0

_FRAME_MS = 200


def run(tape: Tape, sizes: Sizes) -> list[Figure]:
    """Measure `batch.everything.*`, `batch.features_only.*` and `batch.from_text.*`."""
    n_events, n_frames = len(tape.events), len(tape.frames)
    quotes = pd.DataFrame(tape.frames.quote_columns())
    everything, idle, features, pandas, text = in_turn(
        sizes.repeats,
        lambda: everything_of(tape, tape.events),
        lambda: do_nothing(tape.events),
        lambda: build_frames(tape.events, tape.manifest, tape.universe),
        lambda: pandas_features(quotes),
        lambda: everything_of(tape, decode_lines(tape.lines, tape.universe)[0]),
    )
    loop, vectorised = "do-nothing Python strategy", "pandas, 3 features, ready quotes a second"
    mix = f"{n_events / n_frames:.2f} events a frame"
    return [
        rate("batch.everything.events_per_s", "events/s", n_events, everything, loop, idle, mix),
        rate("batch.everything.frames_per_s", "frames/s", n_frames, everything, loop, idle, mix),
        replace(
            rate("batch.features_only.events_per_s", "events/s", n_events, features, vectorised, pandas, "all columns"),
            reference_value=len(quotes) / pandas.typical,
        ),
        rate("batch.from_text.events_per_s", "events/s", n_events, text, loop, idle, "decoding included"),
    ]


def everything_of(tape: Tape, events: EventBatch) -> Columns:
    """Take events through frames, experts, detectors and the score."""
    frames = build_frames(events, tape.manifest, tape.universe)
    windows = build_windows(frames, annotate(frames), tape.manifest)
    scorer = Scorer(tape.manifest, tape.universe, windows.detectors, tape.tables, [priors_0(BRANCH)], BRANCH)
    return scorer.feed_all(windows)


def do_nothing(events: EventBatch) -> int:
    """Hand every event to a strategy that only counts it, the least that an event loop in Python can do."""
    strategy = _Idle()
    for stamp, kind, asset in zip(events.recv_ns.tolist(), events.kind.tolist(), events.asset.tolist(), strict=True):
        strategy.on_event(stamp, kind, asset)
    return strategy.seen


class _Idle:
    def __init__(self) -> None:
        self.seen = 0

    def on_event(self, stamp_ns: int, kind: int, asset: int) -> None:
        self.seen += 1


def pandas_features(quotes: "pd.DataFrame") -> Any:
    """Return mid, imbalance and the deviation of 25 frame returns per asset and 200 ms frame."""
    total = (quotes["bid_sz"] + quotes["ask_sz"]).clip(lower=1)
    made = pd.DataFrame(
        {
            "asset": quotes["asset"],
            "frame": quotes["time_ms"] // _FRAME_MS,
            "mid": (quotes["bid_px"] + quotes["ask_px"]) * 0.5,
            "imbalance": (quotes["bid_sz"] - quotes["ask_sz"]) / total,
        }
    )
    last = made.groupby(["asset", "frame"], sort=True).last()
    moves = np.log(last["mid"]).groupby(level="asset").diff()
    last["deviation"] = moves.groupby(level="asset").rolling(25).std().to_numpy()
    return last
