"""Days of events made by hand for the daily terms."""

import numpy as np

from lotus.detectors.daily.history import MAX_ASSETS
from lotus.detectors.daily.quality import Matured


def made(payoff, ret=None, s=None, key=None, day=None, bins=None) -> Matured:
    n = len(payoff)
    return Matured(
        key=np.arange(n) * MAX_ASSETS if key is None else key,
        s=np.ones(n) if s is None else s,
        ret=payoff if ret is None else ret,
        payoff=payoff,
        day=np.arange(n) * 12 // n if day is None else day,
        bins=np.zeros((n, 12), np.uint8) if bins is None else bins,
        published=np.zeros(n, bool),
        executed=np.full(n, np.nan),
    )
