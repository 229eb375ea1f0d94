"""The decoder: raw lines of tape to events, one line at a time (live) or a whole buffer (batch), identical events.

The byte parser does the regular work; what it declines goes through the typed decoder. Nothing a line contains can
raise: odd lines are counted and put aside with their reason. No files, no clocks.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lotus.manifest import Asset
from lotus.microtape.events import EventBatch, concat_batches
from lotus.microtape.parser.frame import coin_table
from lotus.microtape.wire import admit as gate
from lotus.microtape.wire import types as w
from lotus.microtape.wire.kernels import CROSSED_EVENT, DONE, EVENT_COLUMNS, SURPRISE, decode_one, decode_run
from lotus.microtape.wire.reasons import (
    TEXT_BYTES,
    AssetCounts,
    ControlRecord,
    DecodeReport,
    LineKind,
    Quarantined,
    QuarantineReason,
)
from lotus.microtape.wire.typed import TypedLine, typed_line

_LIVE_POOL: Final = 65_536  # values; a frame of 500 kB still fits
_SPARE: Final = 1_024
LIVE_BYTES: Final = 8 * (_LIVE_POOL - _SPARE)  # a frame shorter than this cannot yield more values than the pool holds
_NONE: Final = 0
_STAMP_DIGITS: Final = 19
PIECE_BYTES: Final = 4 * 2**20
_SHORTEST: Final = 40  # bytes of a line that gives an event, at least: the names of its channel and of its keys


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """Bounds of the gate: how far a quote may step back (ms), and the frame by which lateness is judged (ms)."""

    max_back_ms: int = 60_000
    cadence_ms: int = 200


class Decoded(NamedTuple):
    """One decoded frame. For an event `kind` is 1 to 6 and its values are `pool[0:end]` of the decoder, until the
    next call; otherwise `kind` is 0 and `line` says what it was (`message` holds acks, errors, controls ...)."""

    kind: int
    asset: int
    time_ms: int
    end: int
    line: LineKind
    reason: QuarantineReason | None
    message: w.WireMessage | None


def clean_frame(raw: bytes) -> bytes:
    """Return a frame as it can stand on one line of tape: a raw newline (only possible between tokens) is a space."""
    return raw.replace(b"\n", b" ") if b"\n" in raw else raw


class Decoder:
    """Decoder of one tape: holds the coin table, the replay memory and the counts; `pool` receives live events.

    `universe` gives the asset positions; `ignored` are coins of the tape whose frames are only to be counted.
    """

    def __init__(
        self, universe: Sequence[Asset], ignored: Sequence[Asset] = (), limits: DecodeLimits | None = None
    ) -> None:
        """Start blank."""
        limits = limits or DecodeLimits()
        self.universe = tuple(universe)
        self.pool: NDArray[np.int64] = np.zeros(_LIVE_POOL, dtype=np.int64)
        self.next_seq = 0  # number of the line after the last decoded chunk
        self._coins = coin_table(universe, ignored)
        self._limits = (limits.max_back_ms, limits.cadence_ms)
        self._state = gate.new_state(len(universe))
        self._kinds = np.zeros(len(LineKind), dtype=np.int64)
        self._reasons = np.zeros(len(QuarantineReason) + 1, dtype=np.int64)
        self._quarantine: list[Quarantined] = []
        self._controls: list[ControlRecord] = []

    @property
    def arrays(self) -> tuple[Any, ...]:
        """What a kernel needs to decode live: limits, coin table (slots, names, spec), gate, counts by kind, pool."""
        coins = self._coins
        return self._limits, coins.slots, coins.names, coins.spec, self._state, self._kinds, self.pool

    def decode_line(self, recv_ns: int, raw: bytes, seq: int) -> Decoded:
        """Decode one frame as received (without stamp); never raises for what the frame contains."""
        raw = clean_frame(raw)
        coins = self._coins
        code, asset, time_ms, end = SURPRISE, 0, 0, 0
        if len(raw) < LIVE_BYTES:
            line = np.frombuffer(bytearray(raw + b"\n"), dtype=np.uint8)
            code, asset, time_ms, end = decode_one(
                line, recv_ns, self._limits, coins.slots, coins.names, coins.spec, self._state, self.pool
            )
        if code > 0:
            self._kinds[code] += 1
            return Decoded(code if code <= 5 else 0, asset, time_ms, end, LineKind(code), None, None)
        if code != SURPRISE:
            return self._refused(code, (seq, recv_ns, asset, time_ms), raw)
        return self._decode_typed(recv_ns, raw, seq)

    def decode_chunk(self, lines: bytes | bytearray, first_seq: int) -> EventBatch:
        """Decode whole stamped lines `<recv_ns> <frame>\\n`; the first one has the number `first_seq`.

        A bytearray is read where it stands and may not change meanwhile; bytes are copied once.
        """
        if lines and not lines.endswith(b"\n"):
            lines = lines + b"\n"
        return self._decode_to(_Run(lines, first_seq, len(lines)), len(lines))

    def decode_pieces(self, lines: bytearray, first_seq: int) -> Iterator[EventBatch]:
        """Decode the same in pieces of about `PIECE_BYTES`, whose prices stay in the cache of the processor.

        `lines` end with a whole line. A batch is valid until the next one is asked for.
        """
        run = _Run(lines, first_seq, PIECE_BYTES)
        while run.at < len(lines):
            yield self._decode_to(run, run.next_stop())

    def _decode_to(self, run: "_Run", stop: int) -> EventBatch:
        coins, run.n = self._coins, 0
        while True:
            code, run.at, run.seq, run.n = decode_run(
                run.buf,
                run.at,
                stop,
                run.seq,
                self._limits,
                coins.slots,
                coins.names,
                coins.spec,
                self._state,
                self._kinds,
                run.events,
                run.offsets,
                run.n,
                run.pool,
            )
            if code == DONE:
                self.next_seq = run.seq
                return run.batch()
            self._odd_line(run, code)

    def put_aside(self, seq: int, recv_ns: int, reason: QuarantineReason, raw: bytes) -> Decoded:
        """Count a frame that the gate refused, and keep its first bytes."""
        self._kinds[LineKind.QUARANTINE] += 1
        self._reasons[reason] += 1
        text = raw[:TEXT_BYTES].decode("utf-8", "replace")
        self._quarantine.append(Quarantined(seq, recv_ns, reason, text))
        return Decoded(_NONE, 0, 0, 0, LineKind.QUARANTINE, reason, None)

    def _refused(self, code: int, place: tuple[int, int, int, int], raw: bytes) -> Decoded:
        """Put aside what the gate refused at (seq, recv_ns, asset, time_ms); a crossed quote is an event too."""
        seq, recv_ns, asset, time_ms = place
        aside = self.put_aside(seq, recv_ns, QuarantineReason(-code), raw)
        return aside._replace(kind=CROSSED_EVENT, asset=asset, time_ms=time_ms) if code == gate.CROSSED else aside

    def decides_as(self, other: "Decoder") -> bool:
        """Tell whether both, of one tape, let the same lines through from here on, whatever they counted before."""
        return gate.decides_as(self._state, other._state)

    def report(self) -> DecodeReport:
        """Return everything counted since the decoder was made (or since `clear_report`)."""
        names = [asset.name for asset in self.universe]
        return DecodeReport(
            lines=int(self._kinds.sum()),
            kinds={kind.name.lower(): int(self._kinds[kind]) for kind in LineKind if self._kinds[kind]},
            reasons={
                reason.name.lower(): int(self._reasons[reason]) for reason in QuarantineReason if self._reasons[reason]
            },
            assets={name: AssetCounts(*map(int, self._state[row, 1:6])) for row, name in enumerate(names)},
            quarantine=tuple(self._quarantine),
            controls=tuple(self._controls),
        )

    def clear_report(self) -> None:
        """Forget counts and rows put aside, not the replay memory or the clocks."""
        self._kinds[:] = 0
        self._reasons[:] = 0
        self._state[:-1, 1:6] = 0
        self._quarantine.clear()
        self._controls.clear()

    def _decode_typed(self, recv_ns: int, raw: bytes, seq: int) -> Decoded:
        typed = typed_line(raw, self._coins)
        if typed.reason is not None:
            return self.put_aside(seq, recv_ns, typed.reason, raw)
        if typed.line > LineKind.CTX or not typed.values:
            return self._counted(typed, recv_ns, seq)
        if len(typed.values) > len(self.pool):
            self.pool = np.zeros(2 * len(typed.values), dtype=np.int64)
        code, time_ms, end = self._admit_typed(typed, recv_ns, self.pool, 0)
        if code < 0:
            return self._refused(code, (seq, recv_ns, typed.row, time_ms), raw)
        self._kinds[code] += 1
        return Decoded(code if code <= 5 else 0, typed.row, time_ms, end, LineKind(code), None, None)

    def _admit_typed(self, typed: TypedLine, recv_ns: int, pool: NDArray[np.int64], off: int) -> tuple[int, int, int]:
        end = off + len(typed.values)
        pool[off:end] = typed.values
        return gate.admit(int(typed.line), typed.row, typed.time_ms, recv_ns, self._limits, self._state, pool, off, end)

    def _counted(self, typed: TypedLine, recv_ns: int, seq: int) -> Decoded:
        self._kinds[typed.line] += 1
        if isinstance(typed.message, w.DaemonFrame):
            self._controls.append(ControlRecord(seq, recv_ns, typed.message.data))
        return Decoded(_NONE, 0, 0, 0, typed.line, None, typed.message)

    def _odd_line(self, run: "_Run", code: int) -> None:
        line = run.take_line()
        seq = run.seq - 1
        stamp, _, raw = line.partition(b" ")
        recv_ns = int(stamp) if stamp.isdigit() and len(stamp) <= _STAMP_DIGITS else -1
        if not line.strip():
            self._kinds[LineKind.BLANK] += 1
        elif not 0 <= recv_ns < 2**63 or len(stamp) == len(line):
            self.put_aside(seq, 0, QuarantineReason.BAD_LINE, line)
        elif code != SURPRISE:
            self.put_aside(seq, recv_ns, QuarantineReason(-code), raw)
        else:
            self._odd_frame(run, recv_ns, raw, seq)

    def _odd_frame(self, run: "_Run", recv_ns: int, raw: bytes, seq: int) -> None:
        typed = typed_line(raw, self._coins)
        if typed.reason is not None:
            self.put_aside(seq, recv_ns, typed.reason, raw)
            return
        if typed.line > LineKind.CTX or not typed.values:
            self._counted(typed, recv_ns, seq)
            return
        code, time_ms, end = self._admit_typed(typed, recv_ns, run.pool, int(run.offsets[run.n]))
        if code < 0:
            self.put_aside(seq, recv_ns, QuarantineReason(-code), raw)
            if code == gate.CROSSED:
                run.append((recv_ns, time_ms, seq, CROSSED_EVENT, typed.row), end)
            return
        self._kinds[code] += 1
        if code <= 5:
            run.append((recv_ns, time_ms, seq, code, typed.row), end)


class _Run:
    """The lines of one run, and room for what `most` bytes of them give: a line yields at most an event and one pool
    value per 8 bytes. Room that is not written to costs nothing."""

    def __init__(self, lines: bytes | bytearray, first_seq: int, most: int) -> None:
        self.lines = lines if isinstance(lines, bytearray) and lines else bytearray(lines or b"\n")
        self.buf = np.frombuffer(self.lines, dtype=np.uint8)  # writable, as live: one compiled parser
        self.at, self.seq, self.n = 0, first_seq, 0
        self._make_room(most)

    def _make_room(self, most: int) -> None:
        rows = most // _SHORTEST
        self.events = np.empty((rows + 1, EVENT_COLUMNS), dtype=np.int64)
        self.offsets = np.zeros(rows + 2, dtype=np.int64)
        self.pool = np.empty(most // 8 + _SPARE, dtype=np.int64)

    def next_stop(self) -> int:
        """Return where the next piece ends: after the last whole line within `PIECE_BYTES`, or after a longer line."""
        most = self.at + PIECE_BYTES
        if most >= len(self.lines):
            return len(self.lines)
        stop = self.lines.rfind(b"\n", self.at, most) + 1
        if not stop:
            stop = self.lines.index(b"\n", most) + 1
            self._make_room(stop - self.at)
        return stop

    def take_line(self) -> bytes:
        end = self.lines.index(b"\n", self.at)
        line = bytes(self.lines[self.at : end])
        self.at = end + 1
        self.seq += 1
        return line

    def append(self, event: tuple[int, int, int, int, int], end: int) -> None:
        self.events[self.n] = event
        self.n += 1
        self.offsets[self.n] = end

    def batch(self) -> EventBatch:
        events, n = self.events, self.n
        return EventBatch(
            recv_ns=events[:n, 0].copy(),
            time_ms=events[:n, 1].copy(),
            seq=events[:n, 2].copy(),
            kind=events[:n, 3].astype(np.uint8),
            asset=events[:n, 4].astype(np.int16),
            off=self.offsets[: n + 1],
            pool=self.pool[: self.offsets[n]],
        )


def decode_lines(
    lines: bytes | Iterable[bytes | bytearray],
    universe: Sequence[Asset],
    *,
    first_seq: int = 0,
    ignored: Sequence[Asset] = (),
    limits: DecodeLimits | None = None,
) -> tuple[EventBatch, DecodeReport]:
    """Decode a tape given as stamped lines, in one buffer or in any pieces; return its events and what was seen."""
    decoder = Decoder(universe, ignored, limits)
    decoder.next_seq = first_seq
    parts = [
        decoder.decode_chunk(chunk, decoder.next_seq)
        for chunk in _whole_lines([lines] if isinstance(lines, bytes) else lines)
    ]
    return concat_batches(parts), decoder.report()


def _whole_lines(chunks: Iterable[bytes | bytearray]) -> Iterator[bytes | bytearray]:
    rest: bytes | bytearray = b""
    for chunk in chunks:
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            rest += chunk
            continue
        yield rest + chunk[:cut] if rest else chunk[:cut] if cut < len(chunk) else chunk
        rest = chunk[cut:]
    if rest:
        yield rest
