"""Who stamps a received frame: the wall clock, or the recorded stamps of the tape that is being replayed.

A clock is a port with two forms, so that the daemon's code is the same live and in replay. The replayed form also
tells frames of the tape from those that the session itself caused (acknowledgements, pongs), by their content: the
n-th frame of the tape is the next frame that reads as the tape says. Nothing here waits or schedules. The machine's
clock is in `wall_clock`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from lotus.microtape.wire.frame import CONTROL_PREFIX
from lotus.timebase import DAY_MS, NS_PER_MS

_DAY_NS = DAY_MS * 1_000_000


class Arrival(NamedTuple):
    """A line of tape: receive stamp, number within its UTC day (-1: the recorder numbers it), raw frame."""

    recv_ns: int
    seq: int
    raw: bytes


class Clock(Protocol):
    """Stamps frames and tells the present time, both in nanoseconds (UTC)."""

    def accept(self, raw: bytes) -> tuple[Arrival, ...]:
        """Return the tape lines that a received frame stands for: usually one, none for the session's own frames."""

    def now_ns(self) -> int:
        """Return the present time."""

    @property
    def exhausted(self) -> bool:
        """Return whether no further frame can come."""


@dataclass(slots=True)
class ReplayClock:
    """The stamps of a recorded tape, given out in order. Control records of a daemon come along with the next frame.

    `along` tells which lines do so: those that the server of the replay does not send. `strangers` counts frames that
    neither belong to the tape nor to any session: there should be none.
    """

    lines: Iterable[Arrival]
    along: Callable[[bytes], bool] = field(default_factory=lambda: is_control)
    last_ns: int = 0
    strangers: int = 0
    _rest: Iterator[Arrival] = field(init=False, default_factory=lambda: iter(()))
    _next: Arrival | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Look at the first line."""
        self._rest = iter(self.lines)
        self._next = next(self._rest, None)

    def accept(self, raw: bytes) -> tuple[Arrival, ...]:
        """Give out the stamps up to the line that reads as `raw`, if it is the next frame of the tape."""
        expected = self._next
        if expected is not None and expected.raw == raw:
            self.last_ns = expected.recv_ns
            self._next = following = next(self._rest, None)
            if following is not None and self.along(following.raw):
                return (expected, *self.controls())
            return (expected,)
        controls = self.controls()
        if controls:
            return controls + self.accept(raw)
        self.strangers += not is_session_frame(raw)
        return ()

    def controls(self) -> tuple[Arrival, ...]:
        """Give out the control records that stand next on the tape."""
        controls = []
        while self._next is not None and self.along(self._next.raw):
            controls.append(self._next)
            self.last_ns = self._next.recv_ns
            self._next = next(self._rest, None)
        return tuple(controls)

    def now_ns(self) -> int:
        """Return the stamp given out last."""
        return self.last_ns

    def has_given(self, until_ns: int) -> bool:
        """Tell whether every line stamped before `until_ns` was given out."""
        return self._next is None or self._next.recv_ns >= until_ns

    @property
    def exhausted(self) -> bool:
        """Return whether every line was given out."""
        return self._next is None


@dataclass(slots=True)
class LineCounter:
    """Numbers of lines within the UTC day of their receive stamp, days never stepping back (as the recorder counts)."""

    day: int = -1
    count: int = 0

    def number(self, recv_ns: int) -> int:
        """Return the number of the next line."""
        day = max(recv_ns // _DAY_NS, self.day)
        if day != self.day:
            self.day, self.count = day, 0
        self.count += 1
        return self.count - 1


def in_ms(clock: Clock) -> Callable[[], int]:
    """Return the present time of a clock in milliseconds, as a question that may be asked again and again."""
    return lambda: clock.now_ns() // NS_PER_MS


def is_control(raw: bytes) -> bool:
    """Tell whether a line is a control record of a daemon."""
    return raw.startswith(CONTROL_PREFIX)


def is_no_market(raw: bytes) -> bool:
    """Tell whether a line is a control record or a frame of the session that was recorded, no market message."""
    return is_control(raw) or is_session_frame(raw)


def is_session_frame(raw: bytes) -> bool:
    """Tell whether a frame is one that a session causes: acknowledgement, pong, error text or greeting."""
    heads = (b'{"channel":"subscriptionResponse"', b'{"channel":"pong"', b'{"channel":"error"')
    return raw.startswith(heads) or not raw.startswith(b"{")
