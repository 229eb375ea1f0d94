"""Every benchmark runs, on tiny sizes, and says what the page of targets asks for. No time is asserted here."""

import json
from pathlib import Path

import pytest

from benchmarks import spine
from benchmarks.harness import Figure, Sizes
from benchmarks.report import BEGIN, END, Report, write_into
from benchmarks.targets import TARGETS

TINY = Sizes(minutes=3, repeats=1, books=20, frames=60, pause_us=100, messages=1_500, days=2, day_minutes=20, starts=1)
KEYS = {
    "batch.everything.events_per_s",
    "batch.everything.frames_per_s",
    "batch.features_only.events_per_s",
    "parse.book_us",
    "live.wire_to_score_us.p50",
    "live.wire_to_score_us.p99",
    "live.wire_to_score_us.floor_p50",
    "live.saturated_msgs_per_s",
    "startup_s",
    "learning.night_s",
    "scoring.rows_per_s",
    "peak_rss_mb",
}
NOWHERE = Path("no", "such", "recording.gz")


@pytest.fixture(scope="module")
def report() -> Report:
    """One tiny run of everything, without the recording."""
    return spine.measure(spine.NAMES, TINY, recording=NOWHERE)


def test_every_figure_is_there_and_positive(report: Report) -> None:
    figures = {f.key: f for f in report.simulated}
    assert set(figures) >= KEYS
    assert all(f.value > 0 for f in figures.values())


def test_throughput_and_latency_name_a_reference_of_the_same_run(report: Report) -> None:
    alone = {"live.wire_to_score_us.floor_p50", "live.handler_us.p50"}
    without = [f.key for f in report.simulated if not (f.reference and f.ratio > 0)]
    assert set(without) == alone


def test_the_missing_recording_is_skipped_with_its_reason(report: Report) -> None:
    assert report.recorded == ()
    assert "beside the checkout" in report.skipped["recorded"]
    assert report.skipped["recorded"] in report.as_markdown()


def test_json_has_every_figure_under_its_key_and_its_verdict(report: Report) -> None:
    plain = json.loads(json.dumps(report.as_json()))
    assert all(isinstance(plain[key], float) for key in KEYS)
    assert all(isinstance(plain["details"][key]["met"], bool) for key in TARGETS)


def test_only_one_benchmark_runs_when_one_is_named() -> None:
    report = spine.measure(["parsing"], TINY, light=True, recording=NOWHERE)
    assert {f.key for f in report.simulated} == {"parse.book_us", "parse.book_live_us"}


@pytest.mark.recordings
@pytest.mark.skipif(not spine.RECORDING.is_file(), reason="the recording does not lie beside the checkout")
def test_the_recording_is_measured_where_it_is() -> None:
    report = spine.measure(["parsing"], TINY)
    assert {f.key for f in report.recorded} == {"parse.book_us", "parse.book_live_us"}


def test_below_target_is_said_plainly() -> None:
    slow = Figure("parse.book_us", 3.0, "us", "msgspec typed decode", 6.0)
    floor = Figure("live.wire_to_score_us.floor_p50", 30.0, "us")
    near = Figure("live.wire_to_score_us.p50", 39.0, "us", "blocking-socket floor", 30.0)
    text = Report((slow, near, floor), (), {}, {}).as_markdown()
    assert "| 3 us | ≤ 2 | **below target** | msgspec typed decode: 6 | × 0.50 |" in text
    assert "| 39 us | ≤ floor + 10 | met |" in text


def test_the_table_replaces_what_stood_between_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}old\n{END}after\n")
    write_into(page, "new\n")
    assert page.read_text() == f"before\n{BEGIN}\nnew\n\n{END}after\n"
