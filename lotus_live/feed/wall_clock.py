"""The machine's clock as the feed uses it: it goes on by the monotonic clock, and a step of the system's is reported.

While both agree within two seconds the stamp is the system's time. When the system's clock steps, the stamps go on as
they did; a step ahead that stands for a minute is followed, a step back never is, for stamps do not go back. Nothing
here waits or schedules. In the literature: clock discipline, step threshold (RFC 5905).
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from lotus.microtape.wire.decode import clean_frame
from lotus.microtape.wire.frame import CONTROL_PREFIX
from lotus.timebase import NS_PER_MS
from lotus_live.feed.clocks import Arrival

STEP_NS = 2_000_000_000  # a difference beyond it is a step of the system's clock
SETTLE_NS = 60_000_000_000  # a step ahead is followed, and opening held, for so long after it


@dataclass(slots=True)
class WallClock:
    """The machine's clock, never stepping back; every frame received is a line of tape.

    `steps` are those that the system's clock made, in ms, oldest first, its returns included.
    """

    time_ns: Callable[[], int] = time.time_ns
    monotonic_ns: Callable[[], int] = time.monotonic_ns
    last_ns: int = 0
    steps: list[int] = field(default_factory=list)
    _offset_ns: int = 0  # this clock less the monotonic one
    _apart_ns: int = 0  # the system's clock less this one, where a step back was taken as it is
    _step_ns: int = 0  # a step that is not decided yet
    _stepped_ns: int | None = None  # when the last step was seen, monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def accept(self, raw: bytes) -> tuple[Arrival, ...]:
        """Stamp with the present time. What came off the wire is no record of a daemon: a blank in front says so."""
        if b"\n" in raw:
            raw = clean_frame(raw)
        return (Arrival(self.now_ns(), -1, b" " + raw if raw.startswith(CONTROL_PREFIX) else raw),)

    def now_ns(self) -> int:
        """Return the present time, at least the one returned before."""
        with self._lock:
            own_ns, apart_ns = self._measured()
            if abs(apart_ns) > STEP_NS:  # once more: this thread may have slept between the two clocks
                own_ns, apart_ns = self._measured()
            if abs(apart_ns) > STEP_NS:
                self._stepped(apart_ns, own_ns)
            else:
                self._offset_ns += apart_ns
                if self._step_ns:
                    self._tell(0, own_ns)
            self.last_ns = max(self.last_ns, own_ns + self._offset_ns)
            return self.last_ns

    def hold(self) -> str:
        """Tell why nothing may be opened: the system's clock stepped within the last minute; empty when it did not."""
        self.now_ns()
        if self._stepped_ns is None or self.monotonic_ns() - self._stepped_ns >= SETTLE_NS:
            return ""
        return step_text(self.steps[-1])

    @property
    def exhausted(self) -> bool:
        """Never."""
        return False

    def _measured(self) -> tuple[int, int]:
        """Return the monotonic time and by how much the system's clock is ahead of what is expected, in ns."""
        own_ns, wall_ns = self.monotonic_ns(), self.time_ns()
        if not self.last_ns:
            self._offset_ns = wall_ns - own_ns
        return own_ns, wall_ns - own_ns - self._offset_ns - self._apart_ns

    def _stepped(self, apart_ns: int, own_ns: int) -> None:
        """Tell a step that is new, and take one that has stood for long enough."""
        if abs(apart_ns - self._step_ns) > STEP_NS:
            self._tell(apart_ns, own_ns)
        elif self._stepped_ns is not None and own_ns - self._stepped_ns >= SETTLE_NS:
            whole_ns, self._step_ns = apart_ns + self._apart_ns, 0
            self._apart_ns = min(whole_ns, 0)
            self._offset_ns += max(whole_ns, 0)

    def _tell(self, apart_ns: int, own_ns: int) -> None:
        self.steps.append((apart_ns - self._step_ns) // NS_PER_MS)
        self._step_ns, self._stepped_ns = apart_ns, own_ns


def step_text(moved_ms: int) -> str:
    """Return the words for a step.

    >>> step_text(-3_600_000)
    "the machine's clock stepped by -3600.0 s"
    """
    return f"the machine's clock stepped by {moved_ms / 1000:+.1f} s"
