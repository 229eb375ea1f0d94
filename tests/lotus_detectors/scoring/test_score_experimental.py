"""The switch of `lotus/detectors/registry.py`: experimental specifications are scored, at the floor.

What the active ones say keeps its bits. Their propensity does not: crowding counts every detector that is scored.
"""

from dataclasses import replace

import numpy as np

from lotus.detectors.daily.make import day_tables
from lotus.detectors.registry import known_detectors, scored_detectors, shipped_detectors
from lotus.detectors.scoring.scorer import score_windows
from lotus.detectors.scoring.signal_spec import NO_CONFIRMATION
from lotus.detectors.windows.builder import build_windows
from lotus.manifest import DetectorDefaults, Manifest, ScoreDefaults
from lotus.priors.types import priors_0

ON = DetectorDefaults(score_experimental=True)
YOUNG = [d.detector_id for d in known_detectors() if d.status == "experimental"]
ASKING = [d.detector_id for d in known_detectors() if d.require]


def test_off_changes_no_hash_and_on_is_another_manifest() -> None:
    m = Manifest()
    assert replace(m, detectors=DetectorDefaults()).version == m.version
    assert replace(m, detectors=ON).version != m.version
    assert scored_detectors(m) == shipped_detectors()
    assert scored_detectors(replace(m, detectors=ON)) == known_detectors()


def test_experimental_ones_are_drawn_at_the_floor_and_need_their_confirmation(new_market, chain) -> None:
    lenient = ScoreDefaults(tau_kairos=0.0, tau_entrain=0.0, tau_uncert=1.0, epsilon=0.05)
    off = replace(chain.manifest, score=lenient)
    on, market = replace(off, detectors=ON), new_market(62)
    plain, told = (
        score_windows(
            build_windows(market.frames, market.annotations, m), m, m.universe,
            day_tables("2025-03-03", [], m, m.universe, scored_detectors(m)), [priors_0("main")], "main",
        )
        for m in (off, on)
    )  # fmt: skip
    young = np.isin(told["detector_id"].astype(str), YOUNG)
    assert young.sum() == len(YOUNG) * (~young).sum() / len(shipped_detectors())
    drawn = young & told["eligible"]
    assert set(told["pi"][drawn]) == {lenient.epsilon}
    np.testing.assert_array_equal(told["published"][young], told["eligible"][young] & (told["draw"][young] < 0.05))
    assert told["published"][young].any()
    asks = np.isin(told["detector_id"].astype(str), ASKING)
    np.testing.assert_array_equal((told["veto"] & NO_CONFIRMATION) != 0, asks & (told["mx_confirm"] != 1.0))
    assert (asks & (told["mx_confirm"] == 1.0)).any()
    for name in ("s", "kairos", "uncert", "kr_theta", "draw", "event_id"):
        np.testing.assert_array_equal(told[name][~young], plain[name])
