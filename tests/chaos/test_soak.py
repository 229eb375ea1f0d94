"""What a soak tells of its minutes: slopes within pieces, what grows, and the warnings of the log."""

import json
import os
from pathlib import Path

import pytest
from soak import WARM_MINUTES, process_now, report


def minute(piece: int, number: int, rss_mb: float, handles: int) -> str:
    """Return the line of a minute."""
    one = {
        "piece": piece, "minute": number, "at": 60.0 * number, "lines": 17_000 * number, "frames": 9_000 * number,
        "handles": handles, "threads": 20, "connections": 12, "children": 1, "latency_us": {"0.99": 500.0},
        "failures": {}, "cpu_pressure": 90.0 * (number % 2),
        "trading": {"alarms": 0, "fills": number}, "tape_bytes": 1000 * number, "tape_files": number,
        "lake_bytes": 0, "lake_files": 0, "bytes": {"sig": 2**20 * number}, "tables": {"sig.live_log": 60 * number},
    }  # fmt: skip
    return json.dumps(one | {"rss_mb": rss_mb})


@pytest.mark.parametrize(
    ("a_minute", "handles", "grows"), [(0.0, 60, []), (0.5, 60, ["rss_mb"]), (0.0, 0, ["handles"])]
)
def test_a_report_tells_what_grows(tmp_path: Path, a_minute: float, handles: int, grows: list[str]) -> None:
    lines = [
        minute(piece, k, 400.0 + 100 * piece + a_minute * k, handles or 60 + k)
        for piece in (0, 1) for k in range(WARM_MINUTES + 30)
    ]  # fmt: skip
    (tmp_path / "samples.jsonl").write_text("\n".join(lines))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "daemon.log").write_text(
        "2026-11-27T02:00:00Z WARNING lotus_live.feed silent for 12.5 s\n"
        "2026-11-27T02:00:01Z WARNING lotus_live.feed silent for 3 s\n2026-11-27T02:00:02Z INFO lotus_live fine\n"
    )
    found = report(tmp_path)
    assert (found["pieces"], found["grows"], found["whole"]) == (2, grows, not grows)
    assert found["rss_mb"]["an_hour"][0] == pytest.approx(60 * a_minute, abs=1e-6)
    assert found["rss_mb"]["median_by_half_hour"]["piece 1"]["0 h"] == pytest.approx(500.0 + 14.5 * a_minute, abs=0.06)
    assert {name: counts["minutes"] for name, counts in found["by_pressure"].items()} == {"quiet": 48, "pressed": 50}
    assert found["rows_an_hour"] == {"sig.live_log": 3600}
    assert found["log"] == {"WARNING lotus_live.feed silent for # s": 2}


def test_a_process_is_measured() -> None:
    found = process_now(os.getpid())
    assert found["rss_mb"] > found["anon_mb"] > 5
    assert found["handles"] >= 3
    assert found["threads"] >= 1
    assert found["cpu_s"] > 0
