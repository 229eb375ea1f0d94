"""The page of the recordings: its counts are those of the scores, one day proves nothing, and it names its inputs."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.lessons import recordings
from benchmarks.lessons.recordings import detectable, detectors_of, input_of, opened
from benchmarks.lessons.recordings_page import Branch, Input, Opened, Told, page
from lotus.learning.basis import KNOTS, placed
from lotus.learning.demean import demean
from lotus.manifest import LearningDefaults, Manifest
from lotus.simulation.learning_world import market, scores_of, track

SMALL = Manifest(learning=LearningDefaults(max_literals=1))


def test_a_detector_is_counted_as_its_scores_say() -> None:
    place = market(3, 1, 720)
    scores = scores_of(place, track(place, "conf"))
    (one,) = detectors_of(scores)
    (c,) = scores.values()
    taken, p, h = (np.asarray(c[name]) for name in ("published", "p", "h"))
    assert (one.windows, one.published, one.days, one.blocks) == (720, int(taken.sum()), 1, 4)
    assert one.ess == pytest.approx((1 - p[taken]).sum() ** 2 / ((1 - p[taken]) ** 2).sum())
    assert one.net_bps == pytest.approx(np.asarray(c["payoff_y"])[taken].mean())
    assert one.hours == pytest.approx(24.0 * 719 / 720)
    r = demean(placed(np.asarray(c["u0"]), KNOTS), h, np.asarray(c["f"]), np.zeros(720, dtype=np.int64), 1)
    end = np.asarray(c["window_end_ms"])
    sums = [r[end // 300_000 == piece].sum() for piece in sorted(set((end // 300_000).tolist()))]
    assert one.spread_bps == pytest.approx(np.sqrt(np.square(sums).sum() / h.sum()))


@pytest.mark.parametrize(("days", "patterns"), [(1, 1), (3, 4)])
def test_few_days_cannot_pass_even_with_every_gate_open(days: int, patterns: int) -> None:
    place = market(4, days, 720)
    found = opened(scores_of(place, track(place, "conf")), SMALL)
    assert (found.patterns, found.accepted) == (patterns, 0)
    assert found.as_good >= 0.5 / patterns if days > 1 else found.rest_nats == -np.inf
    assert found.rules > 10


def test_more_days_see_smaller_effects_and_longer_rules_larger_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.lessons.mde.world", lambda seed, days: (4.0, 13.0, 300.0))
    place = market(3, 1, 720)
    found = detectable(detectors_of(scores_of(place, track(place, "conf"))), [1])
    assert [one.days for one in found] == [0, *recordings.DAYS]
    assert all(a < b < c for one in found for a, b, c in [one.bps])
    ten, forty = (next(one for one in found if one.days == days) for days in (10, 40))
    np.testing.assert_allclose(np.array(ten.bps) / np.array(forty.bps), 2.0)


def test_without_recordings_it_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: object) -> None:
    assert recordings.CAPTURES[0] in recordings.missing(tmp_path)
    monkeypatch.setattr(recordings, "missing", lambda: "none here")
    assert recordings.main([]) == 0


def test_the_page_tells_gates_and_branches() -> None:
    place = market(3, 1, 720)
    detectors = detectors_of(scores_of(place, track(place, "conf")))
    rows = dict.fromkeys(recordings.STAGES, 5)
    short = Branch("short", (30, 300), rows, 1, 0, (), 0, False, detectors, ("no rule",))
    none = Branch("as-shipped", (30, 300, 3_600), rows | {"payoff_scores": 0}, 5, 0, (), 0, False, (), ())
    one = Input("x.gz", "ab" * 32, 10, 60.0)
    told = Told((one,), one, (none, short), Opened(40, 1.0, 2.0, -np.inf, 1.0, 1, 0), (), 9.0, "2026-01-01", "c0de")
    text = page(told)
    assert "| days | ≥ 10 | 1 | refuses every rule |" in text
    assert "no window is scored" in text
    assert "1 sign pattern up" in text


def test_the_page_was_made_of_the_recordings_that_lie_here() -> None:
    if recordings.missing():
        pytest.skip(recordings.missing())
    text = recordings.PAGE.read_text()
    for name in recordings.CAPTURES:
        assert f"`{input_of(name).sha256[:16]}`" in text
    assert str(recordings.DATA) not in text
