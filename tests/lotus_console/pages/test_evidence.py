"""The numbers behind a window's charts: of the window that is named, else of the newest; hostile lines stay text."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lotus.experts.annotation_spec import EXPERTS
from lotus_console.pages import evidence
from lotus_console.pages.evidence import CALLS, FRAMES, LINES
from lotus_console.reading import HomeReading
from lotus_console.render import cell
from lotus_console.tables import Table
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.facts.frames import Around, WindowCalls
from lotus_store.facts.raw_lines import WindowLines

HOSTILE = b'1700000000000000000 {"channel":"<script>alert(1)</script>\xff"}'
WINDOW = {"event_id": "e1", "detector_id": "basis_shock", "asset": "BTC", "window_start_ms": 5_000,
          "window_end_ms": 10_000, "horizon_s": 30}  # fmt: skip


class Windows(HomeReading):
    """A reading with one published window, or none at all."""

    there: bool = True

    def rows(self, module: str, name: str, /, **given: Any) -> list[dict[str, Any]]:
        """Return the window by its name, or the newest."""
        if name == "newest_published":
            return [{"event_id": "e1"}] if self.there else []
        return [WINDOW] if given["events"] == ["e1"] and self.there else []


def reading(path: Path, there: bool = True) -> HomeReading:
    settings = Settings(path)
    made = Windows(settings, Databases(settings))
    object.__setattr__(made, "there", there)
    return made


@pytest.fixture
def pictured(monkeypatch: pytest.MonkeyPatch) -> None:
    """The window has two frames, one expert's call, and 700 lines of which all are hostile."""
    z, conf, stands = np.zeros((1, len(EXPERTS))), np.zeros((1, len(EXPERTS))), np.zeros((1, len(EXPERTS)), bool)
    z[0, 2], conf[0, 2] = -0.5, 0.25
    calls = WindowCalls(np.array([10_000]), z, conf, stands)
    names = ("mid", "spread_bps", "imb_5", "depth_bid_usd", "depth_ask_usd", "buy_usd", "sell_usd", "trade_n")
    around = Around(0, 40_000, {name: np.array([1.0, 2.0]) for name in names}, calls)
    found = WindowLines("t", "1970-01-01", 25, 40, 739, [HOSTILE] * 700)
    monkeypatch.setattr(evidence, "around_of", lambda *_: around)
    monkeypatch.setattr(evidence, "window_lines", lambda *_: found)


@pytest.mark.usefixtures("pictured")
@pytest.mark.parametrize(("table", "rows"), [(FRAMES, 2), (CALLS, 1), (LINES, 50)])
def test_the_newest_window_is_shown_where_none_is_named(tmp_path: Path, table: Table, rows: int) -> None:
    home = reading(tmp_path)
    newest, named = (table.source(home, table.asked(given)) for given in ({}, {"event_id": "e1"}))
    assert newest == named
    assert len(named.rows) == rows
    assert named.has_more == (table is LINES)
    assert {row["event_id"] for row in named.rows} == {"e1"}
    assert {column.name for column in table.columns} <= set(named.rows[0])
    assert "BTC on 1970-01-01 00:00:10, basis shock" in named.title
    with pytest.raises(LookupError, match="no window"):
        table.source(home, table.asked({"event_id": "' OR 1=1"}))
    assert table.source(reading(tmp_path, there=False), table.asked({})).rows == []


@pytest.mark.usefixtures("pictured")
def test_calls_are_filtered_and_lines_are_paged_and_escaped(tmp_path: Path) -> None:
    home = reading(tmp_path)
    assert CALLS.source(home, CALLS.asked({"calls": "up"})).rows == []
    (call,) = CALLS.source(home, CALLS.asked({"calls": "down", "expert_id": EXPERTS[2]})).rows
    assert (call["z"], call["right"], call["stands"]) == (-0.5, 0.625, False)
    last = LINES.source(home, LINES.asked({"page": "14"}))
    assert ([row["seq"] for row in last.rows], last.has_more) == (list(range(690, 740)), False)
    text = next(column for column in LINES.columns if column.name == "text")
    shown = cell(text, last.rows[0])
    assert "&lt;script&gt;" in shown
    assert "<script>" not in shown
