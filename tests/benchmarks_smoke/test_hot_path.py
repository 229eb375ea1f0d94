"""Every benchmark runs, on tiny sizes, and says what the page of targets asks for. No time is asserted here."""

import json
from pathlib import Path

import pytest

from benchmarks import hot_path
from benchmarks.harness import Figure, Sizes
from benchmarks.peers.engines import NOT_INSTALLED, PEERS, PYTHON
from benchmarks.report import BEGIN, END, Report, write_into
from benchmarks.targets import HOT_KEYS, TARGETS

pytestmark = pytest.mark.process("the benchmarks at their smallest, servers and all")

TINY = Sizes(
    minutes=3, repeats=1, books=20, frames=60, pause_us=100, messages=1_500,
    days=2, day_minutes=20, starts=1, feed_minutes=4, coins=5, universe_s=12,
)  # fmt: skip
KEYS = {*HOT_KEYS, "learning.night_s", "scoring.rows_per_s", "live.day_rss_mb", "peak_rss_mb"}
NOWHERE = Path("no", "such", "recording.gz")


@pytest.fixture(scope="module")
def report() -> Report:
    """One tiny run of everything, without the recording."""
    return hot_path.measure(hot_path.NAMES, TINY, recording=NOWHERE)


def test_every_figure_is_there_and_positive(report: Report) -> None:
    figures = {f.key: f for f in report.simulated}
    assert set(figures) >= KEYS
    assert all(f.value > 0 for f in figures.values() if f.key != "live.universe.late_lines")


def test_throughput_and_latency_name_a_reference_of_the_same_run(report: Report) -> None:
    alone = {"live.handler_us.p50", "detectors.hundred_more_ratio", "live.universe.late_lines"}  # or in its note
    without = [f.key for f in report.simulated if not (f.reference and f.ratio > 0)]
    assert set(without) == alone


def test_the_missing_recording_is_skipped_with_its_reason(report: Report) -> None:
    assert report.recorded == ()
    assert "beside the checkout" in report.skipped["recorded"]
    assert report.skipped["recorded"] in report.as_markdown()


def test_json_has_exactly_the_hot_path_under_its_keys_each_with_a_reference(report: Report) -> None:
    plain = json.loads(json.dumps(report.as_json()))
    assert set(plain) == {*HOT_KEYS, "details", "skipped", "machine"}
    assert all(isinstance(plain[key], float) for key in HOT_KEYS)
    assert all(plain["details"][key]["reference"] for key in HOT_KEYS)
    assert all(plain["details"][key]["value"] > 0 for key in KEYS)
    assert all(isinstance(plain["details"][key]["met"], bool) for key in TARGETS)


def test_peers_are_measured_or_said_to_be_absent(report: Report) -> None:
    measured = {f.key.split(".")[1] for f in report.simulated if f.key.startswith("peer.")}
    assert measured | {name for name in PEERS if name in report.skipped} == set(PEERS)
    absent = [] if PYTHON.exists() else list(PEERS)
    assert all(report.skipped[name] == NOT_INSTALLED for name in absent)


def test_only_one_benchmark_runs_when_one_is_named() -> None:
    report = hot_path.measure(["parsing"], TINY, light=True, recording=NOWHERE)
    assert {f.key for f in report.simulated} == {"parse.book_us", "parse.book_live_us"}


@pytest.mark.recordings
@pytest.mark.skipif(not hot_path.RECORDING.is_file(), reason="the recording does not lie beside the checkout")
def test_the_recording_is_measured_where_it_is() -> None:
    report = hot_path.measure(["parsing"], TINY)
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
