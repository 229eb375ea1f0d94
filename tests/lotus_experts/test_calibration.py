"""The kernel that calibrates says what the fit says."""

import numpy as np

from lotus.experts.calibration import confidences
from lotus.experts.confidence import confidence, fit_confidences
from lotus.experts.fusion import default_experts
from lotus.experts.weekly.learned import LearnedSettings, experts_with

from .confident_world import world


def test_the_kernel_says_what_the_fit_says() -> None:
    (fit,) = fit_confidences(world(2, 0.3), ["loud"], [()])
    experts = experts_with(LearnedSettings(default_experts().version, confidence=(("impulse", fit.knots),)))
    z = np.zeros((200, len(experts.names)))
    k = experts.names.index("impulse")
    z[:, k] = np.linspace(-2.0, 2.0, 200)
    z[:, k - 1] = z[:, k]
    found = confidences(z, experts)
    np.testing.assert_allclose(found[:, k], confidence(np.abs(z[:, k]), fit.knots), rtol=1e-12)
    np.testing.assert_allclose(found[:, k - 1], confidence(np.abs(z[:, k]), ()), rtol=1e-9, atol=1e-15)
