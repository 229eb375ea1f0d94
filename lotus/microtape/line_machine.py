"""One raw line of tape to closed frames in one compiled call: the live path from bytes to rows.

`take_line` is the byte parser, the gate and the frame step joined, all shared with the batch; what the byte parser
declines goes line by line through `Decoder.decode_line` and `FrameMachine.feed`, which are also the oracle of this
file; what the gate refuses is put aside. Nothing is computed here that they do not compute. (Literature: operator
fusion.)
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel
from lotus.jit_entry import entry_point
from lotus.manifest import Asset, Manifest
from lotus.microtape.frames.machine import FrameMachine
from lotus.microtape.frames.step import FRAMES, GAPS, QUOTES, step
from lotus.microtape.parser.frame import parse_frame
from lotus.microtape.wire.admit import CROSSED, admit
from lotus.microtape.wire.decode import LIVE_BYTES, Decoder, clean_frame
from lotus.microtape.wire.kernels import CROSSED_EVENT, LAST_EVENT_KIND, SURPRISE
from lotus.microtape.wire.reasons import QuarantineReason

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_NEWLINE: Final = 10
Taken = tuple[int, int, int, int, int]


@kernel
def take_line(
    raw: bytes, recv_ns: int, seq: int,
    line: NDArray[np.uint8], limits: tuple[int, int], slots: Ints, names: NDArray[np.uint8], spec: Ints,
    gate: Ints, kinds: Ints, pool: Ints,
    state: Any, blank: Any, params: Any, ints: Ints, floats: Floats, quotes: Ints, gaps: Ints, counts: Ints,
) -> Taken:  # fmt: skip
    """Take one frame as received; return (line kind, asset, end of its values in `pool`, frames closed, gaps ended).

    A negative kind: SURPRISE that it is for the general path, else minus the reason why it is put aside.
    `line` u1[*] is room for the frame and the newline that the parser needs; the rest as in `decode_one` and `step`,
    whose rows begin anew with every call.
    """
    counts[FRAMES], counts[QUOTES], counts[GAPS] = 0, 0, 0
    n = len(raw)
    if n >= line.size:
        return SURPRISE, 0, 0, 0, 0
    for k in range(n):
        line[k] = raw[k]
    line[n] = _NEWLINE
    kind, asset, time_ms, end, newline = parse_frame(line, 0, slots, names, spec, pool, 0)
    if kind < 0 or newline != n:
        return SURPRISE, 0, 0, 0, 0
    what, time_ms, end = admit(kind, asset, time_ms, recv_ns, limits, gate, pool, 0, end)
    if what < 0 and what != CROSSED:
        return what, 0, 0, 0, 0
    if what <= LAST_EVENT_KIND:
        step(
            state, blank, params,
            recv_ns, time_ms, seq, CROSSED_EVENT if what == CROSSED else what, asset, pool, 0, end,
            ints, floats, quotes, gaps, counts,
        )  # fmt: skip
    if what >= 0:
        kinds[what] += 1
    return what, asset, end, counts[FRAMES], counts[GAPS]


class LineMachine:
    """Decoder and frame machine of one universe, fed one raw line at a time.

    After `feed`: `kind` (an `EventKind`, 0 for a line that is no event), `asset`, `end` (its values are
    `decoder.pool[:end]`) and `gaps`; `rows[k]` is the pair of row views (ints, floats) of the k-th frame it closed,
    `frames.quotes` and `frames.gaps` its quote and gap. All are valid until the next call.
    """

    __slots__ = ("_arrays", "_line", "_take", "asset", "decoder", "end", "frames", "gaps", "kind", "rows")

    def __init__(self, manifest: Manifest, universe: Sequence[Asset], ignored: Sequence[Asset] = ()) -> None:
        """Start blank; raises `ConfigError` for a cadence or gap limit outside its range."""
        self.decoder = Decoder(universe, ignored)
        self.frames = FrameMachine(manifest, universe)
        self.rows = self.frames.row_views()
        self.kind = self.asset = self.end = self.gaps = 0
        self._line = np.zeros(LIVE_BYTES, np.uint8)
        self._arrays = (self._line, *self.decoder.arrays, *self.frames.arrays)
        self._take = entry_point(take_line, b"", 0, 0, *self._arrays)

    def feed(self, recv_ns: int, seq: int, raw: bytes) -> int:
        """Take one line; return the number of frames it closed. Never raises for what the line contains."""
        kind, self.asset, self.end, closed, self.gaps = self._take(raw, recv_ns, seq, *self._arrays)
        if kind == SURPRISE:
            return self._feed_odd(recv_ns, seq, raw)
        if kind < 0:  # the gate has judged it, and judges a line once
            self.decoder.put_aside(seq, recv_ns, QuarantineReason(-kind), clean_frame(raw))
            self.kind = CROSSED_EVENT if kind == CROSSED else 0
            return closed
        self.kind = kind if kind <= LAST_EVENT_KIND else 0
        return closed

    def _feed_odd(self, recv_ns: int, seq: int, raw: bytes) -> int:
        decoded = self.decoder.decode_line(recv_ns, raw, seq)
        self._arrays = (self._line, *self.decoder.arrays, *self.frames.arrays)  # the pool may have grown
        self.kind, self.asset, self.end = decoded.kind, decoded.asset, decoded.end
        if not decoded.kind:
            return 0
        payload = self.decoder.pool[: decoded.end]
        closed = self.frames.feed(recv_ns, decoded.time_ms, seq, decoded.kind, decoded.asset, payload)
        self.gaps = len(self.frames.gaps)
        return closed
