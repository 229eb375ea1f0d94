"""What a day's share of the leakage audits finds: leaks of several kinds, over the days of weeks."""

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pytest
from audit_signals import DETECTORS, LEAKY, SEED, Signal, _closes, imbalance, market, scorer
from numpy.typing import NDArray

from lotus.detectors.audits import leakage, sample
from lotus.detectors.daily.tables import DayTables
from lotus.microtape.frames import spec as c
from lotus.microtape.frames.batch import FrameBatch

FRAMES = market()
DAYS = tuple((date(2026, 1, 5) + timedelta(days=k)).isoformat() for k in range(28))
NO_TABLES = DayTables("2026-01-05", (), (), (), (), (), (), *(((),) * 8), (), ())


def future(frames: FrameBatch, asset: int) -> NDArray[np.float64]:
    """The return of the next minute."""
    end = frames.ints[_closes(frames, asset), c.I_END]
    ahead = sample.forward_returns(frames, np.full(len(end), asset), end, end + 60_000)
    return np.clip(np.where(np.isfinite(ahead), ahead, 0.0) / 20.0, -1.0, 1.0)


def one_frame_ahead(frames: FrameBatch, asset: int) -> NDArray[np.float64]:
    """The imbalance of the frame after the close."""
    own_rows = np.flatnonzero(frames.ints[:, c.I_ASSET] == asset)
    after = np.minimum(np.searchsorted(own_rows, _closes(frames, asset)) + 1, len(own_rows) - 1)
    return frames.floats[own_rows[after], c.C_IMB_5]


def whole_day_scale(frames: FrameBatch, asset: int) -> NDArray[np.float64]:
    """The imbalance in units of its mean size over the whole stretch."""
    value = imbalance(frames, asset)
    scaled: NDArray[np.float64] = value / (8.0 * np.mean(np.abs(value)))
    return scaled


def rare(leak: Signal, share: float) -> Signal:
    """A detector that leaks, and signals in a share of its windows only."""

    def signal(frames: FrameBatch, asset: int) -> NDArray[np.float64]:
        end = frames.ints[_closes(frames, asset), c.I_END]
        fires = sample.uniforms(int(end.max()) // 5_000 % 100_000 + 1, "fires", asset)[end // 5_000 % 100_000] < share
        return np.where(fires, leak(frames, asset), 0.0)

    return signal


def days_found(leak: Signal, audits: tuple[str, ...] = leakage.AUDITS) -> NDArray[np.bool_]:
    """Return on which of DAYS some of `audits` finds the leak."""
    under = scorer(leak)

    def score(frames: FrameBatch) -> sample.Columns:
        return under(frames, [NO_TABLES])[0]

    whole = score(FRAMES)
    findings = [leakage.leakage_audits(FRAMES, whole, score, DETECTORS, SEED, day) for day in DAYS]
    return np.array(
        [any(x.detector_id == LEAKY and not x.passed and x.audit in audits for x in day) for day in findings]
    )


def weeks(found: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which seven days in a row have a finding."""
    return np.array([found[k : k + 7].any() for k in range(len(found) - 6)])


@pytest.mark.parametrize("leak", [future, one_frame_ahead, whole_day_scale])
def test_a_leak_in_every_window_is_found_on_every_day(leak: Callable[[FrameBatch, int], NDArray[np.float64]]) -> None:
    assert days_found(leak).all()


@pytest.mark.parametrize(("share", "in_a_day"), [(0.5, 0.5), (0.2, 0.2)])
def test_of_a_leak_in_a_share_of_windows_a_day_finds_at_least_that_share(share: float, in_a_day: float) -> None:
    found = days_found(rare(one_frame_ahead, share), ("truncation",))
    assert found.mean() >= in_a_day
    assert weeks(found).mean() >= 1.0 - (1.0 - in_a_day) ** 7


def test_prices_are_shuffled_with_the_stated_probability_and_in_every_week() -> None:
    many = [(date(2026, 1, 1) + timedelta(days=k)).isoformat() for k in range(3_000)]
    drawn = np.array([leakage.is_shuffled(SEED, day) for day in many])
    assert drawn.mean() == pytest.approx(1.0 / leakage.SHUFFLE_DAYS, abs=1e-3)
    assert all(drawn[k : k + 7].any() for k in range(len(drawn) - 6))
    assert [leakage.is_shuffled(SEED + 1, day) for day in many] != drawn.tolist()
    shares = {leakage.share_seen(SEED, day, suspected=False) for day in many}
    assert shares == {1 / 4, 2 / 4}
    assert leakage.share_seen(SEED, many[0], suspected=True) == 1.0


def test_a_leak_that_only_the_shuffle_sees_is_found_in_every_week() -> None:
    assert weeks(days_found(future, ("label_shuffle",))).all()
