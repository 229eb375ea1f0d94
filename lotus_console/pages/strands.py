"""The strand loupe: sample windows of a braid with their frames and outcomes; one window with its raw lines."""

from collections.abc import Mapping, Sequence
from typing import Any

from lotus.priors.trace import describe_braid
from lotus.weave.braid import Braid
from lotus_console.pictures import line_chart
from lotus_console.reading import HomeReading
from lotus_console.views import Facts, PageView
from lotus_store.facts.event import tape_lines
from lotus_store.facts.frames import FLAGS, SERIES, Around, FrameReader
from lotus_store.facts.words import clock
from lotus_store.ledger.bodies import from_body
from lotus_store.ledger.signals.events import read_eval, read_event

SAMPLE = 20
UNITS = {"mid": "", "spread_bps": "bps", "imb_5": "", "depth_bid_usd": "USD", "depth_ask_usd": "USD", "aggr_imb": "",
         "trade_n": "", FLAGS: ""}  # fmt: skip
LABELS = {"mid": "price", "spread_bps": "spread", "imb_5": "book imbalance, 5 levels", "depth_bid_usd": "bids",
          "depth_ask_usd": "asks", "aggr_imb": "taker imbalance", "trade_n": "trades",
          FLAGS: "experts that speak"}  # fmt: skip


def strands_facts(reading: HomeReading, given: Mapping[str, str]) -> Facts:
    """Return the sample windows of a braid; raises `LookupError` for an unknown braid."""
    found = reading.rows("sig", "braids_named", braids=[given["braid_id"]])
    if not found:
        raise LookupError(f"there is no braid {given['braid_id'][:40]!r}")
    braid = from_body(found[0]["body"], Braid)
    names = list(braid.members_sample[:SAMPLE])
    windows = reading.rows("sig", "sample_windows", events=names)
    frames = FrameReader(reading.settings, ("mid", "spread_bps"))
    cards = [_card(row, frames) for row in windows]
    paid = [row["payoff_y"] for row in windows if row["payoff_y"] is not None and row["payoff_y"] == row["payoff_y"]]
    mean = f", {sum(paid) / len(paid):+.2f} bps on average" if paid else ""
    return {
        "title": f"{len(windows)} windows that taught this belief{mean}",
        "braid_id": braid.braid_id,
        "detector_id": braid.detector_id,
        "rule": describe_braid(braid.active(), reading.words),
        "lesson_id": braid.lesson_id,
        "missing": len(names) - len(windows),
        "windows": cards,
    }


def _card(row: Mapping[str, Any], frames: FrameReader) -> dict[str, Any]:
    around = frames.around(row["asset"], row["window_start_ms"], row["window_end_ms"], row["horizon_s"])
    return {
        **{name: row[name] for name in ("event_id", "asset", "s", "pi", "published", "payoff_y", "payoff_p", "status")},
        "when": clock(row["window_end_ms"])[:19].replace("T", " "),
        "side": "buy" if row["s"] > 0 else "sell",
        "charts": charts(around, row, ("mid", "spread_bps")),
        "note": around.note,
    }


def charts(around: Around, row: Mapping[str, Any], names: Sequence[str]) -> list[Any]:
    """Return a picture of each series, with marks where the window began and closed."""
    marks = [around.place(row["window_start_ms"]), around.place(row["window_end_ms"])]
    series = {n: around.series[n] / (around.ticks if n == "mid" else 1.0) for n in names if n in around.series}
    return [line_chart(values.tolist(), LABELS[n], UNITS[n], marks) for n, values in series.items()]


STRANDS = PageView(
    "/braids/{braid_id}/windows", "Strand loupe", "Which windows are the evidence?", strands_facts, "strands.html"
)


def window_facts(reading: HomeReading, given: Mapping[str, str]) -> Facts:
    """Return one window with its frames, outcome and raw lines; raises `LookupError` for an unknown one."""
    found = reading.rows("sig", "sample_windows", events=[given["event_id"]])
    if not found:
        raise LookupError(f"there is no window {given['event_id'][:40]!r}")
    row = found[0]
    with reading.databases.connect("sig") as sig:
        event, outcome = read_event(sig, row["event_id"]), read_eval(sig, row["event_id"])
    names = (*SERIES, FLAGS)
    around = FrameReader(reading.settings, SERIES, with_flags=True).around(
        row["asset"], row["window_start_ms"], row["window_end_ms"], row["horizon_s"]
    )
    horizons = sorted((outcome or {}).get("horizons", ()), key=lambda h: int(h["horizon_s"]))
    wanted = ("horizon_s", "fwd_ret_bps", "payoff_p", "mfe", "mae")
    return {
        "title": f"{row['asset']} on {clock(row['window_end_ms'])[:19].replace('T', ' ')}, "
        f"{row['detector_id'].replace('_', ' ')}",
        "event": {**row, "side": "buy" if row["s"] > 0 else "sell"},
        "charts": charts(around, row, names),
        "note": around.note,
        "horizons": [{name: h[name] for name in wanted} for h in horizons],
        "lines": tape_lines(reading.settings, reading.lake, reading.settings.branch, event),
    }


WINDOW = PageView("/windows/{event_id}", "Window", "What happened in this window?", window_facts, "window.html")
