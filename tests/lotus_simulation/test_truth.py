"""Truth and judgement: what was planted is what `gain_bps` says, and found rules get the verdict they deserve."""

import numpy as np
import pytest

from lotus.priors.types import Literal, Rule
from lotus.priors.vocabulary import FEATURE_NAMES
from lotus.simulation.lessons import planted_of
from lotus.simulation.spec import WorldSpec
from lotus.simulation.truth import LessonWindows, judge
from lotus.simulation.world import World

SPEC = WorldSpec("demo", 5, 1)
OI, VOL, FUNDING = (FEATURE_NAMES.index(name) for name in ("oi", "vol", "funding"))


def test_a_window_of_an_episode_gains_its_whole_effect() -> None:
    truth = World(SPEC).truth(0)
    assert truth.drift_bps.shape == (3, len(truth.end_ms))
    assert (np.diff(truth.end_ms) > 0).all()
    some = [e for e in truth.episodes if e.rule]
    assert len(some) > 50
    asset = np.array([e.asset for e in some])
    onset = np.array([e.onset_ms for e in some])
    direction = np.array([e.direction for e in some])
    wanted = np.array([e.effect_bps * e.direction for e in some])
    for late in (4_000, 14_000):
        gain = truth.gain_bps(asset, onset + late + 300, onset + late + 30_300, direction)
        assert np.abs(gain - wanted).max() < 0.2


@pytest.fixture(scope="module")
def windows() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    bins = rng.integers(0, 5, (4_000, 12)).astype(np.uint8)
    gain = np.where(bins[:, OI] <= 1, 18.0, 0.0)
    return bins, gain


@pytest.mark.parametrize(
    ("detector", "rule", "sign", "kind"),
    [
        ("imbalance_persistence", Rule((Literal(OI, 0, 1),)), 1, "recovered"),
        ("imbalance_persistence", Rule((Literal(OI, 0, 2),)), 1, "recovered"),
        ("imbalance_persistence", Rule((Literal(OI, 2, 4),)), -1, "echo"),
        ("imbalance_persistence", Rule((Literal(VOL, 3, 4),)), 1, "false"),
        ("micro_drift", Rule((Literal(OI, 0, 1),)), 1, "echo"),
        ("depth_vacuum_momentum", Rule((Literal(FUNDING, 3, 4),)), 1, "trap"),
    ],
)
def test_verdicts(windows: tuple[np.ndarray, np.ndarray], detector: str, rule: Rule, sign: int, kind: str) -> None:
    bins, gain = windows
    planted, traps = planted_of("demo")
    verdict = judge(detector, rule, sign, LessonWindows(bins, gain, np.ones(len(gain))), planted, traps)
    assert verdict.kind == kind
