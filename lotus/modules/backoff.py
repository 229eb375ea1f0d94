"""How long a message waits before its next attempt: exponential backoff with jitter from a counter.

The jitter is a hash of the message's name and the attempt, so that the same history gives the same waits and messages
that failed together do not come back together. (Literature: truncated exponential backoff, equal jitter.)
"""

from lotus.hashing import natural_id

LONGEST_WAIT_S = 60.0


def wait_s(event_id: str, attempt: int, first_s: float, longest_s: float = LONGEST_WAIT_S) -> float:
    """Return the seconds before attempt `attempt` + 1: between one half and the whole of first_s * 2**attempt.

    >>> [round(wait_s("a", k, 0.5), 3) <= 0.5 * 2**k for k in range(4)]
    [True, True, True, True]
    """
    whole = min(first_s * 2.0 ** min(attempt, 60), longest_s)
    jitter = int(natural_id("backoff", event_id, attempt)[:8], 16) / 2**32
    return whole * (0.5 + 0.5 * jitter)
