"""Day tables: nothing of the day itself, neutral when they begin, and the share that is published."""

import numpy as np
import pytest

from lotus.detectors.daily.make import day_tables
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.scorer import score_windows
from lotus.errors import LookAheadError
from lotus.priors.types import priors_0

DETECTORS = shipped_detectors()
SLOW = ("sq_score", "kr_coherence", "kr_phi", "theta0", "kr_emergence", "kr_novelty")


def test_a_day_never_enters_its_own_tables(chain) -> None:
    m = chain.manifest
    again = day_tables(chain.tables[9].day, chain.history[:9], m, m.universe, DETECTORS)
    assert again == chain.tables[9]
    with pytest.raises(LookAheadError):
        day_tables(chain.history[8].day, chain.history[:9], m, m.universe, DETECTORS)
    with pytest.raises(LookAheadError):
        day_tables("2025-12-01", chain.history[:9][::-1], m, m.universe, DETECTORS)


def test_cold_start_is_neutral_and_flagged(chain) -> None:
    first, warm, full = chain.tables[0], chain.tables[5], chain.tables[12]
    assert all(edges == () for features in first.edges for edges in features)
    assert first.hbar_m == (None, None, None)
    assert first.temperature == (0.12,) * 6
    for tables in (first, warm):
        for name in SLOW:
            assert getattr(tables, name) == (0.5,) * 6
            assert all(name in flags for flags in tables.neutral)
    assert all("tau_pub" in flags for flags in first.neutral)
    assert not any("tau_pub" in flags for flags in warm.neutral)
    assert not any(set(flags) & {"sq_score", "kr_coherence", "kr_phi", "theta0"} for flags in full.neutral)
    assert all("kr_emergence" in flags for flags in full.neutral)


def test_publication_share_is_thirteen_percent(chain) -> None:
    m = chain.manifest
    assert np.mean([e["pi"][e["eligible"]].mean() for e in chain.events[3:]]) == pytest.approx(0.13, abs=0.03)
    pooled = []
    for day in range(5, 12):
        events = score_windows(chain.windows[day], m, m.universe, chain.tables[12], [priors_0("main")], "main")
        pooled.append(events["pi"][events["eligible"]])
    assert np.concatenate(pooled).mean() == pytest.approx(0.13, abs=0.005)
