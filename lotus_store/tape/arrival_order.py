"""The order in which foreign lines arrived, from stamps that cannot all be believed.

A capture may hold a stamp an hour or three centuries ahead, lines of two sockets a little out of turn, and lines that
stand in the wrong place. One wrong stamp must not cost the lines after it, for stamps on a tape never go back. A
line far ahead of those after it keeps its whole text under the stamp before it, so that the decoder puts it aside and
counts it (`QuarantineReason.STAMP_FAR`); what is out of turn by at most a second is put in order; what is further
behind stays where it stands and is counted there. Frames are not read. (Literature: watermarks, jitter buffer, outlier
rejection.)
"""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from lotus.timebase import DAY_MS, HOUR_MS, NS_PER_MS

TURN_NS: Final = 1_000 * NS_PER_MS  # out of turn by no more is put in order
LOOK: Final = 64  # lines after a jump that are asked about it
_HOUR_NS: Final = HOUR_MS * NS_PER_MS
_DAY_NS: Final = DAY_MS * NS_PER_MS
_HELD: Final = 4_096  # lines

Line = tuple[int, bytes]


def in_order(lines: Iterable[Line]) -> Iterator[Line]:
    """Yield (receive stamp ns, frame) as they are to stand on a tape; every line comes out once.

    In order, and the same as they came, where stamps never go back and do not jump ahead of what follows.
    """
    source, after = iter(lines), deque[Line]()
    held: deque[Line] = deque()
    last = -1
    after.extend(islice(source, LOOK + 1))
    while after:
        stamp, frame = after.popleft()
        after.extend(islice(source, 1))
        if (last < 0 or stamp - last > TURN_NS) and _is_far(stamp, last, after):
            frame = b"%d %b" % (stamp, frame)
            stamp = last if last >= 0 else min(one for one, _ in after)
        _put(held, (stamp, frame))
        last = max(last, stamp)
        while held and (held[0][0] < last - TURN_NS or len(held) > _HELD):
            yield held.popleft()
    yield from held


def _is_far(stamp: int, last: int, after: deque[Line]) -> bool:
    """Tell whether believing a jump would cost more of the lines after it than there are that confirm it.

    Those confirm it that stand among the ones it would cost: behind a wrong jump time catches up once, behind a true
    one wrong stamps are strewn. The first line is far too when all after it lie more than a day later.
    """
    if not after:
        return 0 <= last < stamp - _HOUR_NS  # the last line: nothing confirms it
    behind = [k for k, (one, _) in enumerate(after) if one < stamp - TURN_NS]
    confirming = behind[-1] + 1 - len(behind) if behind else 0
    if len(behind) > confirming + (last < 0 or stamp - last < _HOUR_NS):
        return True
    return last < 0 and len(after) > 2 and min(one for one, _ in after) > stamp + _DAY_NS


def _put(held: deque[Line], line: Line) -> None:
    place = len(held)
    while place and held[place - 1][0] > line[0]:
        place -= 1
    held.insert(place, line)
