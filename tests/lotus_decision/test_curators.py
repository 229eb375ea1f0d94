"""The overlay of curators moves an expectation by at most a tenth."""

import numpy as np
import pytest
from states import decided, desk, view

from lotus.decision.curators import Nudge


def test_the_overlay_moves_an_expectation_by_at_most_a_tenth() -> None:
    calm = decided(desk(), [view("BTC", score=0.3)])
    wishes = (Nudge("ada", "BTC", 0.08, "scenario"), Nudge("bob", "BTC", 0.5, "hope"), Nudge("bob", "ETH", 0.5, "hope"))
    found = decided(desk(), [view("BTC", score=0.3)], [], *wishes)
    assert found.curation.nudges == (("BTC", 0.10),)
    assert found.targets[0].mu_bps == pytest.approx(calm.targets[0].mu_bps * np.exp(0.1))
