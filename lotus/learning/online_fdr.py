"""Online control of the false discovery rate as the alternative to slots: LORD++ on the p values of the nights.

Level of test t: alpha_t = gamma_t W0 + (alpha - W0) gamma_(t - tau_1) + alpha sum_(j >= 2) gamma_(t - tau_j), tau_j the
tests that rejected. Proven for independent p values; nights share most of their days, so here it is an alternative for
those who count discoveries, not the default. Reference: Ramdas, Yang, Wainwright, Jordan 2017 (LORD++); gamma of
Javanmard and Montanari 2018.
"""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lotus.learning.slots import Look, SlotState

START_SHARE = 0.5  # W0 / alpha: wealth before the first discovery
SCALE = 0.07720838  # C as published


def level(test: int, rejected: tuple[int, ...], alpha: float) -> float:
    """Return alpha_t of test `test` (from 1) after rejections at the tests `rejected` (rising, all before it)."""
    start = START_SHARE * alpha
    earned = [(alpha - start if j == 0 else alpha) * gamma(test - tau) for j, tau in enumerate(rejected)]
    return start * gamma(test) + math.fsum(earned)


def gamma(j: int) -> float:
    """Return gamma_j = C ln(max(j, 2)) / (j exp(sqrt(ln j))); they sum to less than one."""
    return SCALE * math.log(max(j, 2)) / (j * math.exp(math.sqrt(math.log(j))))


def fdr_look(state: SlotState, real: float, maxima: NDArray[np.float64], alpha: float) -> Look:
    """Test one night: a rule needs an M whose sign-flip p value is at most the night's level.

    p = (1 + draws at least as large) / (J + 1); beyond the largest draw it falls by exp(M - M_max): T^2 / 2.
    """
    tonight, draws = state.tested + 1, len(maxima)
    allowed = level(tonight, state.rejected, alpha)
    rank = math.floor(allowed * (draws + 1) + 1e-9)
    if rank >= 1:
        critical = float(np.sort(maxima)[draws - rank])
    else:
        critical = float(maxima.max()) - math.log(allowed * (draws + 1))
    rejected = (*state.rejected, tonight) if real > critical else state.rejected
    return Look(0, critical, replace(state, tested=tonight, rejected=rejected))
