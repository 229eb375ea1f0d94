"""The one null of the tape machine: the same NaN whatever was not finite. No operation on columns belongs here."""

import math
from typing import Final

import numpy as np

from lotus.jit import kernel

LARGEST: Final[float] = float(np.finfo(np.float64).max)


@kernel
def finite_or_null(x: float) -> float:
    """Return x, or the one null for a value that is not finite."""
    return x if abs(x) <= LARGEST else math.nan
