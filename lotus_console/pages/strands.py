"""The strand loupe: sample windows of a braid with their frames and outcomes; one window in full."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from lotus.priors.trace import describe_braid
from lotus.weave.braid import Braid
from lotus_console.charts import Strip, strips, two_lines, up_and_down
from lotus_console.pictures import line_chart
from lotus_console.reading import HomeReading
from lotus_console.views import Facts, PageView
from lotus_store.facts.frames import Around, FrameReader
from lotus_store.facts.raw_lines import tape_lines
from lotus_store.facts.words import clock
from lotus_store.ledger.bodies import from_body
from lotus_store.ledger.signals.events import read_eval, read_event

SAMPLE = 20
EXPERTS = 3  # rows of a card's strip, and names in its line
EXPERTS_OF_WINDOW = 10  # of one window's page


def strands_facts(reading: HomeReading, given: Mapping[str, str]) -> Facts:
    """Return the sample windows of a braid; raises `LookupError` for an unknown braid."""
    found = reading.rows("sig", "braids_named", braids=[given["braid_id"]])
    if not found:
        raise LookupError(f"there is no braid {given['braid_id'][:40]!r}")
    braid = from_body(found[0]["body"], Braid)
    names = list(braid.members_sample[:SAMPLE])
    windows = reading.rows("sig", "sample_windows", events=names)
    paid = [row["payoff_y"] for row in windows if row["payoff_y"] is not None and row["payoff_y"] == row["payoff_y"]]
    mean = f", {sum(paid) / len(paid):+.2f} bps on average" if paid else ""
    return {
        "title": f"{len(windows)} windows that taught this belief{mean}",
        "braid_id": braid.braid_id,
        "detector_id": braid.detector_id,
        "rule": describe_braid(braid.active(), reading.words),
        "lesson_id": braid.lesson_id,
        "missing": len(names) - len(windows),
        "windows": [_card(reading, row) for row in windows],
    }


def around_of(reading: HomeReading, row: Mapping[str, Any]) -> Around:
    """Return the frames around a window; pictures of one reading are remembered."""
    frames = reading.memory.of("frames", "", lambda: FrameReader(reading.settings))
    return frames.around(row["asset"], row["window_start_ms"], row["window_end_ms"], row["horizon_s"])


def named_window(reading: HomeReading, event_id: str) -> dict[str, Any]:
    """Return a window's row; raises `LookupError` for an unknown one."""
    found = reading.rows("sig", "sample_windows", events=[event_id])
    if not found:
        raise LookupError(f"there is no window {event_id[:40]!r}")
    return found[0]


def called(row: Mapping[str, Any]) -> str:
    """Return the words that name a window: coin, end and detector."""
    return f"{row['asset']} on {_when(row)}, {row['detector_id'].replace('_', ' ')}"


def _when(row: Mapping[str, Any]) -> str:
    return clock(row["window_end_ms"])[:19].replace("T", " ")


def _card(reading: HomeReading, row: Mapping[str, Any]) -> dict[str, Any]:
    around = around_of(reading, row)
    names = ("event_id", "asset", "s", "pi", "published", "payoff_y", "payoff_p", "status")
    return {
        **{name: row[name] for name in names},
        "when": _when(row),
        "side": "buy" if row["s"] > 0 else "sell",
        "charts": charts(around, row, EXPERTS),
        "experts": _words(around.calls.at(row["window_end_ms"])[:EXPERTS]),
        "note": around.note,
    }


def _words(calls: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{c['expert_id'].replace('_', ' ')} {c['calls']} {abs(c['z']):.2f}" for c in calls if c["z"])


def charts(around: Around, row: Mapping[str, Any], experts: int) -> list[Markup]:
    """Return the pictures of a window, with marks where it began and closed: market, book, trades, experts."""
    if not around.series:
        return []
    marks = [around.place(row["window_start_ms"]), around.place(row["window_end_ms"])]
    series = {name: values.tolist() for name, values in around.series.items()}
    stretch_s = (around.until_ms - around.from_ms) / 1000 / len(series["mid"])
    window = (row["window_end_ms"] - row["window_start_ms"]) / (around.until_ms - around.from_ms)
    return [
        line_chart(series["mid"], "price", "", marks),
        line_chart(series["spread_bps"], "spread", "bps", marks, 40),
        two_lines(series["depth_bid_usd"], series["depth_ask_usd"], "book: bids, asks dashed", "USD", marks),
        line_chart(series["imb_5"], "imbalance of 5 levels, above 0 more bids", "", marks, 40),
        up_and_down(series["buy_usd"], series["sell_usd"], "trades: buys up, sells down", f"USD in {stretch_s:.1f} s",
                    marks),
        strips(_strips(around, row["window_end_ms"], experts), "experts: up and down", "nat", window, marks),
    ]  # fmt: skip


def _strips(around: Around, end_ms: int, most: int) -> list[Strip]:
    """Return the calls over the picture of the experts that speak loudest at the window's end, then over all of it."""
    heights: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for call in around.calls.all():
        if call["z"] and np.isfinite(call["z"]):
            heights[call["expert_id"]].append((around.place(call["time_ms"]), call["z"]))
    first = [call["expert_id"] for call in around.calls.at(end_ms) if call["expert_id"] in heights and call["z"]]
    rest = sorted(set(heights) - set(first), key=lambda name: (-sum(abs(z) for _, z in heights[name]), name))
    return [Strip(name.replace("_", " "), heights[name]) for name in [*first, *rest][:most]]


STRANDS = PageView(
    "/braids/{braid_id}/windows", "Strand loupe", "Which windows are the evidence?", strands_facts, "strands.html"
)


def window_facts(reading: HomeReading, given: Mapping[str, str]) -> Facts:
    """Return one window with its frames, outcome and raw lines; raises `LookupError` for an unknown one."""
    row = named_window(reading, given["event_id"])
    with reading.databases.connect("sig") as sig:
        event, outcome = read_event(sig, row["event_id"]), read_eval(sig, row["event_id"])
    around = around_of(reading, row)
    horizons = sorted((outcome or {}).get("horizons", ()), key=lambda h: int(h["horizon_s"]))
    wanted = ("horizon_s", "fwd_ret_bps", "payoff_p", "mfe", "mae")
    return {
        "title": called(row),
        "event": {**row, "side": "buy" if row["s"] > 0 else "sell"},
        "charts": charts(around, row, EXPERTS_OF_WINDOW),
        "calls": around.calls.at(row["window_end_ms"]),
        "note": around.note,
        "horizons": [{name: h[name] for name in wanted} for h in horizons],
        "lines": tape_lines(reading.settings, reading.lake, reading.settings.branch, event),
    }


WINDOW = PageView("/windows/{event_id}", "Window", "What happened in this window?", window_facts, "window.html")
