"""The panel: blocks by maturity, no look-ahead in what is taken out, scales of what moves."""

import numpy as np

from lotus.coprocessor.panel import DAY_MS, PanelDay, panel_of
from lotus.detectors.windows.row_spec import T_VALUES
from lotus.manifest import Asset, Manifest
from tests.lotus_coprocessor.breeding_bed import small_panel

MANIFEST = Manifest(universe=(Asset("A", 2),))


def a_day(day: int, rng: np.random.Generator, pays: float = 0.0) -> PanelDay:
    """Return a day of 500 windows whose moves at every horizon hold `pays` times one known signal."""
    n = 500
    known = np.sign(rng.standard_normal((n, 1)))
    moves = pays * known + rng.standard_normal((n, 3))
    end = day * DAY_MS + 36_000_000 + 5_000 * np.arange(1, n + 1)
    return PanelDay(np.zeros((n, T_VALUES)), np.zeros(n, np.int64), np.arange(n) == 0, end, moves, known)


def test_what_is_known_is_taken_out_by_the_days_before_alone() -> None:
    rng = np.random.Generator(np.random.Philox(3))
    days = [a_day(d, rng, pays=2.0) for d in range(8)]
    panel = panel_of(days, (30, 300, 3600), MANIFEST, (300,))
    gains = [float(np.mean(d.known[:, 0] * left[:, 1])) for d, left in zip(panel.days, panel.left, strict=True)]
    assert gains[0] > 1.5
    assert max(abs(g) for g in gains[1:]) < 0.3
    later = panel_of([*days[:-1], a_day(7, rng, pays=-9.0)], (30, 300, 3600), MANIFEST, (300,))
    assert all(np.array_equal(a, b) for a, b in zip(panel.left[:-1], later.left[:-1], strict=True))
    assert panel.profiles.shape == (1, 8)
    assert np.all(panel.profiles > 0.0)


def test_a_window_of_the_last_hour_counts_for_the_day_on_which_it_matures() -> None:
    rng = np.random.Generator(np.random.Philox(3))
    days = [a_day(d, rng) for d in range(3)]
    late = days[0].end_ms + 13 * 3_600_000 - 1_200_000  # around 23:00
    moved = PanelDay(days[0].table, days[0].asset, days[0].birth, late, days[0].moves, days[0].known)
    panel = panel_of([moved, *days[1:]], (30, 300, 3600), MANIFEST, (300,))
    assert set(np.unique(panel.places[0]).tolist()) <= {0, 1}
    assert len(panel) == 3


def test_twenty_days_are_scored_and_still_columns_have_no_scale() -> None:
    rng = np.random.Generator(np.random.Philox(3))
    panel = panel_of([a_day(d, rng) for d in range(25)], (30, 300, 3600), MANIFEST, (300,))
    assert len(panel) == 20
    assert panel.blocks == tuple(range(5, 25))
    assert not panel.scales
    assert small_panel().scales["imb_5"] > 0.0
    assert "mid" not in small_panel().scales
