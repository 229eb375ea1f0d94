"""The regime of a window: how much its coin moved before it, in the words under which calibration keeps outcomes.

Known at the window's close: the bin of the volatility context (fifths whose edges were frozen before the day), the same
in SIGNAL_EVENTS as live. Both what is learned and what is promised must use this one function.
"""

from typing import Final

from lotus.decision.alphas import ANY_REGIME
from lotus.errors import BeliefError
from lotus.priors.context import context_bins
from lotus.priors.vocabulary import FEATURES

VOLATILITY_BIN: Final = "b_vol"  # column of SIGNAL_EVENTS and of the daemon's rows
CALM, USUAL, WILD = "calm", "usual", "wild"
VOLATILITY: Final = next(k for k, feature in enumerate(FEATURES) if feature.name == "vol")
REGIMES: Final = (CALM, CALM, USUAL, USUAL, WILD)  # by fifth of volatility


def regime_of(volatility_bin: int) -> str:
    """Return the regime of a window from its `b_vol`; `ANY_REGIME` where the bin is null (255).

    >>> [regime_of(k) for k in (0, 2, 4, 255)]
    ['calm', 'usual', 'wild', 'all']
    """
    return REGIMES[volatility_bin] if 0 <= volatility_bin < len(REGIMES) else ANY_REGIME


def regime_in(context: str) -> str:
    """Return the regime of a window from its context as text; `ANY_REGIME` for one that is null or cannot be read.

    >>> regime_in("4" + 11 * "-"), regime_in(""), regime_in("none")
    ('wild', 'all', 'all')
    """
    try:
        return regime_of(context_bins(context)[VOLATILITY])
    except BeliefError:
        return ANY_REGIME
