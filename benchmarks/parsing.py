"""Parsing one 20-level book message to integers: the byte parser in a run of lines, and one frame at a time (live).

Reference of the same run: msgspec's typed decoding of the same frames, which leaves prices and sizes as text.
"""

from benchmarks.harness import Figure, Sizes, in_turn
from benchmarks.material import Tape
from lotus.microtape.wire.decode import Decoder
from lotus.microtape.wire.frame import decode_frame

_MICRO = 1e6


def run(tape: Tape, sizes: Sizes) -> list[Figure]:
    """Measure `parse.book_us` and `parse.book_live_us`: CPU microseconds a message."""
    lines = tape.whole_books(sizes.books)
    stamped = [(int(stamp), raw) for stamp, _, raw in (line.partition(b" ") for line in lines)]
    text = b"".join(line + b"\n" for line in lines)

    def live() -> None:
        decoder = Decoder(tape.universe)
        for seq, (recv_ns, raw) in enumerate(stamped):
            decoder.decode_line(recv_ns, raw, seq)

    def typed() -> None:
        for _, raw in stamped:
            decode_frame(raw)

    batch, single, msgspec = in_turn(sizes.repeats, lambda: Decoder(tape.universe).decode_chunk(text, 0), live, typed)
    scale, reference = _MICRO / len(lines), "msgspec typed decode"
    note = f"{len(lines)} books of {len(text) // len(lines)} bytes, checks of the gate included"
    base = msgspec.typical * scale
    return [
        Figure("parse.book_us", batch.typical * scale, "us", reference, base, batch.worst * scale, note),
        Figure("parse.book_live_us", single.typical * scale, "us", reference, base, single.worst * scale, "one call"),
    ]
