"""The path of the market from entry to exit: which quotes a probe meets, and the extremes in between.

Reads quotes of one asset only, never signals or costs. Entry and exit are the first quotes at or after their target
times, so nothing here can look back; the extremes come from a sliding-window minimum and maximum (monotone queues).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.jit import allocating_kernel


@dataclass(frozen=True, slots=True)
class QuotePath:
    """Quotes of one asset in order of arrival: int64 arrays [n]; prices and sizes in the tape's integer units,
    `time_ms` is the venue's time.
    """

    recv_ns: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    bid_px: NDArray[np.int64]
    bid_sz: NDArray[np.int64]
    ask_px: NDArray[np.int64]
    ask_sz: NDArray[np.int64]

    @property
    def mid2(self) -> NDArray[np.int64]:
        """Twice the mid price."""
        return self.bid_px + self.ask_px


def first_quote(recv_ns: NDArray[np.int64], target_ns: NDArray[np.int64], limit_ns: int) -> NDArray[np.int64]:
    """Return the index of the first quote at or after each target, -1 when none comes within `limit_ns`."""
    if len(recv_ns) == 0:
        return np.full(len(target_ns), -1, dtype=np.int64)
    places = np.searchsorted(recv_ns, target_ns, side="left")
    first = np.minimum(places, len(recv_ns) - 1)
    late = (places == len(recv_ns)) | (recv_ns[first] - target_ns > limit_ns)
    return np.where(late, -1, first).astype(np.int64)


@allocating_kernel
def extremes(
    values: NDArray[np.int64], first: NDArray[np.int64], last: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the maximum and minimum of `values[first[i] : last[i] + 1]`; both bounds must not fall from i to i + 1."""
    n = len(first)
    high = np.zeros(n, dtype=np.int64)
    low = np.zeros(n, dtype=np.int64)
    up = np.zeros(len(values), dtype=np.int64)
    down = np.zeros(len(values), dtype=np.int64)
    up_head = up_tail = down_head = down_tail = 0
    seen = 0
    for i in range(n):
        if seen < first[i]:
            seen = first[i]
        while seen <= last[i]:
            while up_tail > up_head and values[up[up_tail - 1]] <= values[seen]:
                up_tail -= 1
            up[up_tail] = seen
            up_tail += 1
            while down_tail > down_head and values[down[down_tail - 1]] >= values[seen]:
                down_tail -= 1
            down[down_tail] = seen
            down_tail += 1
            seen += 1
        while up[up_head] < first[i]:
            up_head += 1
        while down[down_head] < first[i]:
            down_head += 1
        high[i] = values[up[up_head]]
        low[i] = values[down[down_head]]
    return high, low
