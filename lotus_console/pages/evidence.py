"""The numbers behind a window's charts: its frames, what experts called, and the raw lines of tape, as tables.

Without a window named they are of the last published one.
"""

from collections.abc import Mapping
from typing import Any

from lotus_console.pages.strands import around_of, called, named_window
from lotus_console.reading import HomeReading
from lotus_console.tables import Answer, Filter, Question, ShownColumn, Table, ValueKind, of_list
from lotus_store.facts.raw_lines import window_lines

SHOWN_BYTES = 4_000  # of a line: the longest book has some three thousand
EMPTY = "nothing is stored of this window: name one of the table of windows, whose tape is still there"


def _window(reading: HomeReading, question: Question) -> Mapping[str, Any] | None:
    """Return the window that is asked for, None where none was ever published."""
    if event_id := question.filters.get("event_id"):
        return named_window(reading, event_id)
    newest = reading.rows("sig", "newest_published")
    return named_window(reading, newest[0]["event_id"]) if newest else None


def _rows(question: Question, row: Mapping[str, Any], rows: list[dict[str, Any]], title: str) -> Answer:
    """Return a page of rows that all belong to one window."""
    for each in rows:
        each["event_id"] = row["event_id"]
    return of_list(rows, question, title)


def _frames(reading: HomeReading, question: Question) -> Answer:
    if (row := _window(reading, question)) is None:
        return Answer([], False, "No window was published yet")
    around = around_of(reading, row)
    return _rows(question, row, around.rows(), f"Frames around {called(row)}")


def _calls(reading: HomeReading, question: Question) -> Answer:
    if (row := _window(reading, question)) is None:
        return Answer([], False, "No window was published yet")
    rows = around_of(reading, row).calls.all()
    spoke = len({call["expert_id"] for call in rows})
    return _rows(question, row, rows, f"{spoke} experts spoke around {called(row)}")


def _lines(reading: HomeReading, question: Question) -> Answer:
    if (row := _window(reading, question)) is None:
        return Answer([], False, "No window was published yet")
    found = window_lines(reading.settings, reading.lake, reading.settings.branch, row)
    rows = [
        {"seq": found.first_seq + k, "recv_ns": line.partition(b" ")[0].decode(errors="replace"),
         "text": line.partition(b" ")[2][:SHOWN_BYTES].decode(errors="replace"), "bytes": len(line)}
        for k, line in enumerate(found.lines)
    ]  # fmt: skip
    words = f"{len(rows)} lines of tape {found.tape} stand behind {called(row)}" if rows else found.note
    return _rows(question, row, rows, words)


EVENT = ShownColumn("event_id", "window", ValueKind.CODE, is_shown=False)
OF_WINDOW = Filter("event_id", "window")
FRAMES = Table(
    "frames", "Frames", "What did the market do around a window? One row a stretch of the charts.",
    (
        ShownColumn("time_ms", "end of the stretch", ValueKind.TIME, link="/windows/{event_id}", is_ordered=True),
        ShownColumn("mid", "price", ValueKind.PRICE),
        ShownColumn("spread_bps", "spread", ValueKind.NUMBER, "bps", is_ordered=True),
        ShownColumn("depth_bid_usd", "bids", ValueKind.NUMBER, "USD", "of the 20 levels shown", is_ordered=True),
        ShownColumn("depth_ask_usd", "asks", ValueKind.NUMBER, "USD", "of the 20 levels shown", is_ordered=True),
        ShownColumn("imb_5", "imbalance", ValueKind.NUMBER, "", "of 5 levels, -1 to 1, above 0 more bids",
                    is_ordered=True),
        ShownColumn("buy_usd", "buys", ValueKind.NUMBER, "USD", "takers bought in the stretch", is_ordered=True),
        ShownColumn("sell_usd", "sells", ValueKind.NUMBER, "USD", "takers sold in the stretch", is_ordered=True),
        ShownColumn("trade_n", "trades", ValueKind.COUNT, is_ordered=True), EVENT,
    ),
    _frames, (OF_WINDOW,), empty=EMPTY,
)  # fmt: skip
CALLS = Table(
    "expert_calls", "Experts' calls", "Which experts spoke around a window, which way, and how loudly?",
    (
        ShownColumn("time_ms", "a window's end", ValueKind.TIME, link="/windows/{event_id}", is_ordered=True),
        ShownColumn("expert_id", "expert", is_ordered=True), ShownColumn("calls", "calls"),
        ShownColumn("z", "evidence for up", ValueKind.BPS, "nat", "log-likelihood ratio, its sign the direction",
                    is_ordered=True),
        ShownColumn("right", "right with", ValueKind.SHARE, "", "calibrated on days before", is_ordered=True),
        ShownColumn("stands", "pattern stands", ValueKind.FLAG), EVENT,
    ),
    _calls,
    (OF_WINDOW, Filter("expert_id", "expert"), Filter("calls", "calls", ("up", "down", "neither"))),
    empty=EMPTY,
)  # fmt: skip
LINES = Table(
    "tape_lines", "Raw lines", "What did the venue send in a window? From the line that closed its first frame to the "
    "one that closed its last, of all coins.",
    (
        ShownColumn("seq", "line", ValueKind.COUNT, link="/windows/{event_id}"),
        ShownColumn("recv_ns", "received", ValueKind.CODE, "ns UTC"),
        ShownColumn("text", "as it came", ValueKind.CODE, about="the first 4,000 bytes", is_wide=True),
        ShownColumn("bytes", "bytes", ValueKind.COUNT, is_shown=False), EVENT,
    ),
    _lines, (OF_WINDOW,), empty=EMPTY,
)  # fmt: skip
