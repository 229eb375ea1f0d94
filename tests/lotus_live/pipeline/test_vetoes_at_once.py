"""`lotus/curation/at_once.py` in a pipeline: from its line on, over midnight, beside trials, as batch has it."""

from pathlib import Path

import numpy as np
import pytest
from tapes import MANIFEST, UNIVERSE, in_order, market, numbered, trial_text, write

from lotus.curation.at_once import VetoAtOnce, barred, veto_lists
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.scored import Columns, columns_of
from lotus.detectors.scoring.signal_spec import PERSON
from lotus.microtape.wire.decode import decode_lines
from lotus.timebase import next_day
from lotus_live.feed.recorder import SwapRecord
from lotus_live.parity import events_hash, neutral_beliefs, verify_parity
from lotus_live.pipeline.batch import score_tape
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_live.pipeline.lines import Pipeline

DAY = "2026-03-04"
SPEC = LaneSpec(MANIFEST, UNIVERSE, shipped_detectors(), "main")
COIN, NAME = UNIVERSE[0].name, SPEC.detectors[1].detector_id
Lines = list[tuple[int, bytes]]


def record(*targets: str, until: str = "9000-01-01", branch: str = "main", texts: tuple[str, ...] = ()) -> bytes:
    """Return a control record whose whole list these targets are."""
    vetoes = tuple(VetoAtOnce(f"{k:032x}", branch, target, until) for k, target in enumerate(targets))
    return SwapRecord(0, "", "", "", "", DAY, texts, vetoes).frame()


def with_records(lines: Lines, at: dict[int, bytes]) -> Lines:
    """Return the lines with a record after each named one, under its stamp."""
    return [x for k, line in enumerate(lines) for x in ([line, (line[0], at[k])] if k in at else [line])]


def run(lines: Lines) -> Columns:
    """Return the events of a pipeline over lines."""
    pipeline = Pipeline(SPEC, neutral_beliefs(SPEC))
    return columns_of([e for a in numbered(lines) for e in pipeline.feed(a.recv_ns, a.seq, a.raw).scored])


@pytest.fixture(scope="module")
def lines() -> Lines:
    """Six minutes of three assets."""
    return in_order(market(DAY, "09:00", 360, step_ms=500, seed=11))


def test_rows_are_barred_from_the_record_to_the_one_that_ends_it(lines: Lines) -> None:
    n = len(lines)
    events = run(with_records(lines, {n // 3: record(f"@{COIN}", NAME), 2 * n // 3: record()}))
    other = run(with_records(lines, {n // 3: record("nobody"), 2 * n // 3: record()}))
    hit = events["veto"] & PERSON != 0
    about = (events["asset"] == COIN) | (events["detector_id"] == NAME)
    within = (events["close_recv_ns"] > lines[n // 3][0]) & (events["close_recv_ns"] <= lines[2 * n // 3][0])
    assert hit.any()
    assert np.array_equal(hit, about & within)
    assert not (events["published"] & hit).any()
    assert other["published"][hit].any()
    for name in ("draw", "ln_sigma_tilde", "s", "u"):
        assert np.array_equal(events[name], other[name], equal_nan=True), name
    assert np.array_equal(events["pi"][~hit], other["pi"][~hit])


@pytest.mark.parametrize("given", [record(f"@{COIN}", branch="other"), record(f"@{COIN}", until=DAY)])
def test_a_list_of_another_branch_or_of_the_past_bars_nothing(lines: Lines, given: bytes) -> None:
    events = run(with_records(lines, {20: given}))
    assert not (events["veto"] & PERSON).any()


@pytest.mark.process("two whole days live and in batch")
@pytest.mark.parametrize("until", [next_day(DAY), next_day(DAY, 2)])
def test_live_is_batch_over_midnight_beside_a_trial(tmp_path: Path, until: str) -> None:
    night = in_order(market(DAY, "21:57", 2 * 3600 + 8 * 60, step_ms=6000, seed=3))
    text = trial_text("slow", 150)
    at = {20: record(f"@{COIN}", until=until, texts=(text,)), 400: record(f"@{COIN}", NAME, until=until, texts=(text,))}
    lines = with_records(night, at)
    report = verify_parity(write(tmp_path / "night.txt", lines), MANIFEST)
    assert report.parity, report.difference
    days = score_tape(numbered(lines), SPEC, neutral_beliefs(SPEC))
    hits = [int((d.events["veto"] & PERSON != 0).sum()) for d in days]
    assert hits[0] > 0
    assert (hits[1] > 0) == (until > next_day(DAY))
    joined = {name: np.concatenate([d.events[name] for d in days]) for name in days[0].events}
    assert events_hash(joined) == events_hash(run(lines))


def test_what_a_record_says_reads_back_from_the_tape_as_the_pipeline_obeyed_it(lines: Lines) -> None:
    few = with_records(lines[:60], {20: record(NAME), 40: b'{"channel":"lotus.control","data":{"vetoes":7}}'})
    pipeline = Pipeline(SPEC, neutral_beliefs(SPEC))
    for a in numbered(few):
        pipeline.feed(a.recv_ns, a.seq, a.raw)
    _, report = decode_lines(b"".join(b"%d %b\n" % line for line in few), UNIVERSE)
    (one,) = veto_lists(report.controls)
    assert one.vetoes == pipeline.vetoes
    plain = run(lines[:60])
    assert events_hash(barred(plain, [], "main", DAY)) == events_hash(plain)
