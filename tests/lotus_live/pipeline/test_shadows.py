"""Swap of specifications in a running pipeline: settled rows stay as they are, trials speak when warmed."""

from pathlib import Path

import numpy as np
import pytest
from tapes import MANIFEST, UNIVERSE, in_order, market, numbered, trial_text, write

from lotus.detectors.daemon_log import as_emitted, without_trials
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.scored import Columns, columns_of
from lotus.detectors.scoring.scorer import in_key_order
from lotus.errors import ConfigError
from lotus_live.feed.recorder import SwapRecord
from lotus_live.parity import events_hash, neutral_beliefs, verify_parity
from lotus_live.pipeline import shadows
from lotus_live.pipeline.batch import score_tape
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_live.pipeline.lines import Pipeline

DAY = "2026-03-04"
SPEC = LaneSpec(MANIFEST, UNIVERSE, shipped_detectors(), "main")
SETTLED = [d.detector_id for d in SPEC.detectors]
Lines = list[tuple[int, bytes]]


def control(*texts: str) -> bytes:
    """Return a control record that puts trials in force."""
    return SwapRecord(0, "", "", "", "", DAY, texts).frame()


def with_controls(lines: Lines, at: dict[int, bytes]) -> Lines:
    """Return the lines with a record after each named one, under its stamp."""
    out: Lines = []
    for k, line in enumerate(lines):
        out += [line, (line[0], at[k])] if k in at else [line]
    return out


def run(lines: Lines) -> Columns:
    """Return the events of a pipeline over lines."""
    pipeline = Pipeline(SPEC, neutral_beliefs(SPEC))
    return columns_of([e for a in numbered(lines) for e in pipeline.feed(a.recv_ns, a.seq, a.raw).scored])


def of(events: Columns, names: list[str]) -> Columns:
    """Return the events of some detectors."""
    kept = np.isin(events["detector_id"].astype(str), names)
    return {name: values[kept] for name, values in events.items()}


@pytest.fixture(scope="module")
def lines() -> Lines:
    """Twelve minutes of three assets."""
    return in_order(market(DAY, "09:00", 720, step_ms=500, seed=11))


@pytest.fixture(scope="module")
def swapped(lines: Lines) -> Lines:
    """The same with a trial after a third, another beside it after a half, and only the other in the last quarter."""
    one, two, n = trial_text("slow", 150), trial_text("quick", 10), len(lines)
    return with_controls(lines, {n // 3: control(one), n // 2: control(one, two), 3 * n // 4 + 1: control(two)})


def test_settled_rows_are_those_of_a_run_without_trials(lines: Lines, swapped: Lines) -> None:
    events, calm = run(swapped), run(lines)
    ours = of(events, SETTLED)
    for name in calm:
        if name != "close_seq":  # the records have numbers of their own
            assert np.array_equal(ours[name], calm[name], equal_nan=ours[name].dtype.kind == "f"), name
    assert set(events["detector_id"]) == {*SETTLED, "trial_slow", "trial_quick"}
    assert set(events["tables_ver"]) == set(calm["tables_ver"])


@pytest.mark.process("a day live and in batch")
def test_live_is_the_batch_that_cuts_its_frames_at_the_records(tmp_path: Path, swapped: Lines) -> None:
    report = verify_parity(write(tmp_path / "tape.txt", swapped), MANIFEST)
    assert report.parity, report.difference
    assert report.events > report.windows * len(SETTLED)
    (day,) = score_tape(numbered(swapped), SPEC, neutral_beliefs(SPEC))
    assert events_hash(day.events) == events_hash(run(swapped))


@pytest.mark.process("two whole days live and in batch")
def test_midnight_passes_with_a_trial_in_force(tmp_path: Path) -> None:
    night = in_order(market(DAY, "21:57", 2 * 3600 + 8 * 60, step_ms=6000, seed=3))
    lines = with_controls(night, {20: control(trial_text("slow", 150))})
    report = verify_parity(write(tmp_path / "night.txt", lines), MANIFEST)
    assert report.parity, report.difference
    after = [e for e in run(lines)["detector_id"][-len(SETTLED) - 1 :] if e not in SETTLED]
    assert after == ["trial_slow"]


def test_a_trial_says_nothing_before_it_is_warm_and_then_speaks(lines: Lines) -> None:
    text = trial_text("slow", 240)
    (warm_ms,) = shadows.warm_ups_ms(shadows.read_shadows([text], SPEC.detectors, MANIFEST), MANIFEST)
    assert 240_000 <= warm_ms <= 600_000
    for share, already in ((0.1, False), (0.9, True)):
        at = int(share * len(lines))
        events = of(run(with_controls(lines, {at: control(text)})), ["trial_slow"])
        spoke = events["window_end_ms"][events["s"] != 0.0]
        start_ms = lines[0][0] // 1_000_000
        assert len(spoke)
        assert spoke.min() >= start_ms + warm_ms - 5_000
        assert (spoke.min() <= lines[at][0] // 1_000_000 + 15_000) == already


def test_a_log_with_trials_is_compared_without_them(swapped: Lines) -> None:
    log = in_key_order(run(swapped))
    recomputed = of(log, SETTLED)
    assert as_emitted(recomputed, log).only_in_the_log > 0
    kept, others = without_trials(log, SETTLED)
    found = as_emitted(recomputed, kept, others)
    assert (found.first, found.equal, found.trials) == ("", len(recomputed["s"]), len(log["s"]) - len(recomputed["s"]))
    assert set(found.events["detector_id"]) == set(SETTLED)


@pytest.mark.parametrize("text", ["signal: [", trial_text("x", 10).replace("flow", "no_such_column")])
def test_what_cannot_be_read_is_refused_and_changes_nothing(lines: Lines, text: str) -> None:
    with pytest.raises(ConfigError):
        shadows.read_shadows([text], SPEC.detectors, MANIFEST)
    pipeline = Pipeline(SPEC, neutral_beliefs(SPEC))
    few = with_controls(
        lines[:60], {20: control(trial_text("x", 10)), 40: control(text), 50: b'{"channel":"lotus.control"'}
    )
    for a in numbered(few):
        pipeline.feed(a.recv_ns, a.seq, a.raw)
    assert [d.detector_id for d in pipeline.shadows] == ["trial_x"]
    assert len(pipeline.refused_shadows) == 1


def test_a_trial_needs_a_name_of_its_own() -> None:
    one = trial_text("x", 10)
    with pytest.raises(ConfigError, match="name of its own"):
        shadows.read_shadows([one, one.replace("10s", "12s")], SPEC.detectors, MANIFEST)
    with pytest.raises(ConfigError, match="name of its own"):
        shadows.read_shadows([one.replace("trial_x", SETTLED[0])], SPEC.detectors, MANIFEST)
    with pytest.raises(ConfigError, match="at most"):
        shadows.read_shadows([one] * 33, SPEC.detectors, MANIFEST)
