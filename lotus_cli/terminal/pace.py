"""How long a piece of work still takes, from the steps of it that were really done. No clock: times are arguments."""

from collections import deque

RECENT_S, RECENT_SHARE = 5.0, 1 / 3  # steps count for the pace that are as young as this, or within the last third,
LEAST_STEPS = 4  # and this many however old they are
SOONEST_S = 2.0  # nothing is estimated before


class PaceMeter:
    """Times at which so much was done; the newest give the pace, so that steps skipped at first are soon forgotten."""

    def __init__(self, now_s: float, done: float = 0.0) -> None:
        self._began_s = now_s
        self._steps = deque([(now_s, done)], maxlen=1000)

    def feed(self, done: float, now_s: float) -> None:
        """Note that `done` is done now, if that is more than before."""
        steps = self._steps
        if done <= steps[-1][1]:
            return
        steps.append((now_s, done))
        recent_s = max(RECENT_S, (now_s - self._began_s) * RECENT_SHARE)
        while len(steps) > LEAST_STEPS + 1 and now_s - steps[1][0] > recent_s:
            steps.popleft()

    def left_s(self, total: float, now_s: float) -> float | None:
        """Return the seconds that are left, None while nothing can be said of them.

        >>> pace = PaceMeter(100.0)
        >>> pace.feed(1, 104.0)
        >>> pace.left_s(5, 106.0)
        14.0
        """
        (first_s, first), (last_s, last) = self._steps[0], self._steps[-1]
        if len(self._steps) == 1 or last_s <= first_s or now_s - self._began_s < SOONEST_S:
            return None
        left_s = (total - last) * (last_s - first_s) / (last - first) - (now_s - last_s)
        return left_s if left_s > 0.0 else None


def left_words(seconds: float | None) -> str:
    """Return an estimate as it is told, no finer than it is true; nothing for none.

    >>> [left_words(seconds) for seconds in (None, 3.2, 42, 100, 4000)]
    ['', 'about 4 s left', 'about 45 s left', 'about 2 min left', 'about 1 h 7 min left']
    """
    if seconds is None:
        return ""
    if seconds < 10:
        return f"about {int(seconds) + 1} s left"
    if seconds < 90:
        return f"about {5 * -(-seconds // 5):.0f} s left"
    minutes = -(-int(seconds) // 60)
    return f"about {minutes} min left" if minutes < 60 else f"about {minutes // 60} h {minutes % 60} min left"
