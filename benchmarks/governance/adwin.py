"""ADWIN after its paper, for the rows of one series: a window that drops its older part where two parts differ.

A. Bifet, R. Gavalda, "Learning from time-changing data with adaptive windowing", SDM 2007: buckets of 2^k rows, at most
5 of a size, and the bound with variance. It assumes rows that are independent while nothing changes. Not a part of the
product: it stands beside the monitors.
"""

import math

import numpy as np
from numpy.typing import NDArray

DELTA = 0.002  # as in the paper's experiments and in river
MOST = 5  # buckets of one size
EVERY = 32  # rows between two looks at the cuts
FEWEST = 5  # rows of a part


class Adwin:
    """One detector: `buckets` from the newest to the oldest, (rows, sum, sum of squares)."""

    def __init__(self) -> None:
        """Start empty."""
        self.buckets: list[tuple[int, float, float]] = []
        self._seen = 0

    def feed(self, values: NDArray[np.float64]) -> int:
        """Take in rows and return how often the window was cut."""
        cuts = 0
        for value in values.tolist():
            self.buckets.insert(0, (1, value, value * value))
            self._merge()
            self._seen += 1
            if self._seen % EVERY == 0:
                cuts += self._cut()
        return cuts

    def _merge(self) -> None:
        size, k = 1, 0
        while True:
            end = k
            while end < len(self.buckets) and self.buckets[end][0] == size:
                end += 1
            if end - k <= MOST:
                return
            older, newer = self.buckets[end - 1], self.buckets[end - 2]
            self.buckets[end - 2 : end] = [(2 * size, older[1] + newer[1], older[2] + newer[2])]
            size, k = 2 * size, end - 2

    def _cut(self) -> int:
        """Drop the oldest buckets while some cut shows a difference; return 1 when any was dropped."""
        dropped = 0
        while len(self.buckets) > 1 and self._differs():
            self.buckets.pop()
            dropped = 1
        return dropped

    def _differs(self) -> bool:
        n, total, squares = (math.fsum(bucket[k] for bucket in self.buckets) for k in range(3))
        variance = max(squares / n - (total / n) ** 2, 0.0)
        word = math.log(2.0 * math.log(n) / DELTA)
        rows = part = 0.0
        for bucket in self.buckets[:-1]:
            rows, part = rows + bucket[0], part + bucket[1]
            if min(rows, n - rows) < FEWEST:
                continue
            harmonic = 1.0 / (1.0 / rows + 1.0 / (n - rows))
            bound = math.sqrt(2.0 / harmonic * variance * word) + 2.0 / (3.0 * harmonic) * word
            if abs(part / rows - (total - part) / (n - rows)) > bound:
                return True
        return False
