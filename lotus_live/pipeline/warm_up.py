"""Warming up: every kernel of the pipeline runs once on made-up frames, so that nothing compiles in the live loop."""

import json

from lotus.microtape.wire.frame import CONTROL_PREFIX
from lotus_live.parity import neutral_beliefs
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_live.pipeline.lines import Pipeline

_TRIAL = """
detector_id: warm_up
family: warm_up
version: 1
idea: A column, so that a swap of specifications has run once.
horizon: 30s
band: 20s..160s
best_phase_deg: 0
signal: flow * 1.0
"""


def warm_up(spec: LaneSpec) -> int:
    """Feed a few made-up seconds of the first asset; return the number of windows scored (at least 1)."""
    pipeline = Pipeline(spec, neutral_beliefs(spec))
    coin, windows = spec.universe[0].name, 0
    level = {"px": "1000", "sz": "1", "n": 1}
    context = {"funding": "0", "openInterest": "1", "prevDayPx": "1", "dayNtlVlm": "1", "premium": None}
    context |= {"oraclePx": "1", "markPx": "1", "midPx": None, "impactPxs": None, "dayBaseVlm": "1"}
    swap = CONTROL_PREFIX + b',"data":' + json.dumps({"detectors": [_TRIAL]}).encode() + b"}"
    for k in range(60):
        time_ms = 1_000_000_000 + 200 * k
        sides = [level, level | {"px": "1001"}]
        book = {"coin": coin, "time": time_ms, "levels": [[one] for one in sides]}
        trade = {"coin": coin, "side": "B", "px": "1001", "sz": "1", "time": time_ms, "hash": "0x0", "tid": k}
        frames = (
            ("bbo", {"coin": coin, "time": time_ms, "bbo": sides}),
            ("l2Book", book),
            ("l2Book", book | {"fast": True}),
            ("trades", [trade]),
            ("activeAssetCtx", {"coin": coin, "ctx": context}),
        )
        if k == 30:
            pipeline.feed(time_ms * 1_000_000, k, swap)
        for channel, data in frames:
            raw = json.dumps({"channel": channel, "data": data}, separators=(",", ":")).encode()
            windows += len(pipeline.feed(time_ms * 1_000_000, k, raw).scored)
    return windows
