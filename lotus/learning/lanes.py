"""Two lanes: every rule is judged against its whole day (S) and against the rest of its day (F); both must agree.

The same day holds more to compare with, but payoffs that came before a window may have made its features; the rest of
the day is clean of that, but a desk that stops after losses chooses it. A rule is evidence only where both lanes cross
their own critical value with one sign. What a lane is worth is `demean` and `forward`.
"""

import math
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Both(NamedTuple, Generic[T]):
    """Something of lane S (the same day) and of lane F (the rest of the day)."""

    day: T
    rest: T


NO_SLOT = Both(math.inf, math.inf)  # the bars of a night that may not promote
NAMES = Both("same day", "rest of the day")
