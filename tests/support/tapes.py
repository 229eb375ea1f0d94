"""Small synthetic tapes for the daemon's tests: frames as the venue spells them, from a seed."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

from lotus.manifest import Asset, Manifest
from lotus.timebase import day_start_ms
from lotus_live.feed.clocks import Arrival
from lotus_live.feed.tape_file import LineCounter

UNIVERSE = (Asset("BTC", 5), Asset("ETH", 4), Asset("SOL", 2))
MANIFEST = Manifest(universe=UNIVERSE)
START = {"BTC": 1_000_000, "ETH": 400_000, "SOL": 200_000}  # prices in units
DECIMALS = {a.name: a.px_decimals for a in UNIVERSE}


def spell(name: str, px: int) -> str:
    """Return a price in units as text."""
    digits = DECIMALS[name]
    return f"{px // 10**digits}.{px % 10**digits:0{digits}d}" if digits else str(px)


def frame(channel: str, data: object) -> bytes:
    """Return a frame of the venue."""
    return json.dumps({"channel": channel, "data": data}, separators=(",", ":")).encode()


def market(day: str, start: str, seconds: float, step_ms: int = 100, seed: int = 1) -> Iterator[tuple[int, bytes]]:
    """Yield (receive ns, frame): of every asset a change of the top each step, and books, trades, contexts between."""
    rng = random.Random(seed)
    hours, minutes = start.split(":")
    first = day_start_ms(day) + (int(hours) * 60 + int(minutes)) * 60_000
    mids, tid = dict(START), 0
    for k in range(int(seconds * 1000 / step_ms)):
        for name in mids:
            time_ms = first + k * step_ms + rng.randrange(step_ms // 2)
            recv_ns = (first + k * step_ms + 3 * step_ms // 4) * 1_000_000 + rng.randrange(1000)
            mids[name] += rng.choice((-3, -2, -1, 0, 1, 2, 3))
            bid, ask = mids[name] - 1, mids[name] + 1
            level = [{"px": spell(name, p), "sz": f"{rng.randint(1, 90)}.5", "n": 2} for p in (bid, ask)]
            yield recv_ns, frame("bbo", {"coin": name, "time": time_ms, "bbo": level})
            if k % 5 == 0:
                yield recv_ns + 1000, frame("l2Book", book(name, time_ms, bid, ask, 5, rng) | {"fast": True})
            if k % 50 == 0:
                yield recv_ns + 2000, frame("l2Book", book(name, time_ms, bid, ask, 20, rng))
            if k % 10 == 0:
                yield recv_ns + 3000, frame("activeAssetCtx", context(name, bid, ask))
            if rng.random() < 0.4:
                tid += 1
                one = {"coin": name, "side": rng.choice("AB"), "px": spell(name, bid), "sz": f"{rng.randint(1, 9)}.5"}
                rest = {"time": time_ms - rng.choice((0, 0, 40, 700)), "hash": "0x0", "tid": tid, "users": ["a", "b"]}
                yield recv_ns + 4000, frame("trades", [one | rest])


def book(name: str, time_ms: int, bid: int, ask: int, depth: int, rng: random.Random) -> dict[str, object]:
    """Return the data of a book frame."""
    sides = [
        [{"px": spell(name, px + sign * i), "sz": f"{rng.randint(1, 99)}.5", "n": 1 + i} for i in range(depth)]
        for px, sign in ((bid, -1), (ask, 1))
    ]
    return {"coin": name, "time": time_ms, "levels": sides}


def context(name: str, bid: int, ask: int) -> dict[str, object]:
    """Return the data of a context frame."""
    px = spell(name, bid)
    rest = {
        "prevDayPx": px,
        "dayNtlVlm": "4000000000.0",
        "premium": "0.0001",
        "oraclePx": px,
        "markPx": px,
        "midPx": px,
    }
    ctx = {"funding": "0.0000125", "openInterest": "1000.5"} | rest | {"impactPxs": [px, spell(name, ask)]}
    return {"coin": name, "ctx": ctx | {"dayBaseVlm": "2.0"}}


def in_order(lines: Iterator[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Return lines in order of their stamps."""
    return sorted(lines, key=lambda line: line[0])


def numbered(lines: list[tuple[int, bytes]]) -> list[Arrival]:
    """Return lines with their numbers within the day."""
    counter = LineCounter()
    return [Arrival(ns, counter.number(ns), raw) for ns, raw in lines]


def write(path: Path, lines: list[tuple[int, bytes]]) -> Path:
    """Write a recording of lines and return its path."""
    path.write_bytes(b"".join(b"%d %b\n" % line for line in lines))
    return path


def trial_text(name: str, seconds: int) -> str:
    """Return the specification of a detector that needs so many seconds of windows and is then seldom silent."""
    return f"""
detector_id: trial_{name}
family: trial
version: 1
idea: Flow against its mean.
horizon: 30s
band: 20s..160s
best_phase_deg: 0
signal: flow - mean(flow, {seconds}s)
"""
