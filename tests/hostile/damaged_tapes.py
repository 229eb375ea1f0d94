"""Damaged recordings: live and batch agree on every one, every line is counted, and one wrong line costs one line.

`damaged_tapes.py --n N --seed S [--recording FILE]` damages stretches of a recording (a simulated one by default) in N
random ways: stamps and venue times ahead or back, lines shuffled, doubled, dropped, torn or with flipped bytes, numbers
that are none, other coins and types, deep nesting, other spelling. Each is read as `lotus import` reads it and goes
through both decoders and frame machines; every hundredth goes the whole way, over a websocket (`verify parity`). It
exits with 1 when the ways differ, a line is not counted, more lines are lost than were damaged, or anything but an
explained error is raised. Prints in no frame are counted, and none may be missing beside every gap. (Literature:
mutation-based fuzzing, differential testing.)
"""

import argparse
import importlib.util
import random
import re
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from lotus.errors import LotusError
from lotus.manifest import Manifest
from lotus.microtape.completeness import framed_prints, prints_of
from lotus.microtape.events import EventBatch
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.frames.spec import I_RECV
from lotus.microtape.line_machine import LineMachine
from lotus.microtape.wire.decode import decode_lines
from lotus.microtape.wire.reasons import DecodeReport
from lotus.timebase import DAY_MS
from lotus_live.feed.tape_file import TapeFile
from lotus_live.parity import verify_parity
from lotus_store.tape.source_lines import read_source_lines

PIECE, WHOLE_EVERY, MAX_BYTES = 1_500, 100, 2 * 2**30
SECOND_NS, MS_NS = 10**9, 10**6
Lines = list[bytes]
NUMBERS = (
    *(b'"NaN"', b'"Infinity"', b'"-1"', b'"0x10"', b'"1e999"', b'"' + b"9" * 400 + b'"', b'"1,5"', b'""', b'" 1"'),
    *(b"null", b"true", b"[]", b"{}", b"1.5", '"\u0661\u0662"'.encode(), b'"1e5"', b'"00012"', b'"-0"'),
    b'"1.23456789012345"',
)  # fmt: skip
COINS = (b"../../evil", b".", b"..", b"ETH ", b"A" * 300, b"PURR/USDC", b"", b"\\u0000", b"btc", b"BTC\\n")


def simulated(seconds: int = 60) -> Lines:
    """Return a recording of three coins, from the generator of the daemon's tests."""
    place = Path(__file__).parents[1] / "support" / "tapes.py"
    spec = importlib.util.spec_from_file_location("tapes_of_the_daemon", place)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    lines = made.in_order(made.market("2026-01-15", "10:00", seconds))
    return [b"%d %b" % line for line in lines]


class Damaged:
    """One campaign over a recording; `faults` says what went wrong, `figures` counts what was done."""

    def __init__(self, recording: Lines, folder: Path, seed: int) -> None:
        """Take the recording's lines; files of the campaign lie in `folder`."""
        self.recording, self.folder, self.rng = recording, folder, random.Random(seed)
        self.faults: list[str] = []
        self.figures: Counter[str] = Counter()

    def run(self, n: int) -> bool:
        """Damage n times; tell whether nothing went wrong."""
        for k in range(n):
            harm = HARMS[k % len(HARMS)]
            first = self.rng.randrange(max(1, len(self.recording) - PIECE))
            lines = self.recording[first : first + PIECE]
            touched = harm(lines, self.rng)
            path = self.folder / "damaged.txt"
            path.write_bytes(b"\n".join(lines) + b"\n")
            try:
                self._check(harm.__name__, path, len(list(read_source_lines(path))), touched, k)
            except LotusError as error:
                self.figures["refused whole"] += 1
                if not touched or "expected" not in str(error):
                    self.faults.append(f"{harm.__name__} {k}: {error}")
            except Exception as error:
                self.faults.append(f"{harm.__name__} {k}: {type(error).__name__}: {error}"[:300])
        return not self.faults

    def _check(self, name: str, path: Path, lines: int, touched: int, k: int) -> None:
        batch, report, told = in_batch(path)
        live, seen = lived(path)
        lost, stray, silent = sum(report.reasons.values()), strays(told, batch), framed_prints(prints_of(told), batch)
        self.figures += Counter({"tapes": 1, "lines": lines, "damaged": touched, "put aside": lost})
        self.figures += Counter(
            {"prints": sum(x.prints for x in silent), "in no frame": sum(x.unframed for x in silent)}
        )
        self.figures += Counter({f"  {reason}": count for reason, count in report.reasons.items()})
        for text, fault in (
            ("live and batch differ", not same(live, batch) or seen != report),
            (f"{report.lines} of {lines} lines counted", report.lines != lines or lines != sum(report.kinds.values())),
            (f"{lost} lines put aside for {touched} damaged", lost > touched),
            (f"{stray} lines under days without a frame, {touched} damaged", stray > touched),
            (f"prints in no frame beside every gap: {silent}", any(x.unexplained for x in silent)),
        ):
            if fault:
                self.faults.append(f"{name} {k}: {text}")
        if k % WHOLE_EVERY == 0:
            self.figures["over a websocket"] += 1
            if not verify_parity(path).parity:
                self.faults.append(f"{name} {k}: no parity over a websocket")


def in_batch(path: Path) -> tuple[FrameBatch, DecodeReport, EventBatch]:
    """Return frames, report and events of the batch; raises `LotusError` for a file without market data."""
    tape = TapeFile((path,))
    text = b"".join(b"%d %b\n" % (line.recv_ns, line.raw) for line in tape.arrivals())
    events, report = decode_lines(text, tape.universe, first_seq=0)
    return build_frames(events, Manifest(), tape.universe), report, events


def strays(events: EventBatch, frames: FrameBatch) -> int:
    """Return how many lines were received on a day on which no frame closed, on a tape that has frames."""
    days, of_frames = events.recv_ns // (DAY_MS * MS_NS), frames.ints[:, I_RECV] // (DAY_MS * MS_NS)
    return int((~np.isin(days, of_frames)).sum()) if len(of_frames) else 0


def lived(path: Path) -> tuple[FrameBatch, DecodeReport]:
    """Return the same, one line at a time."""
    tape = TapeFile((path,))
    machine = LineMachine(Manifest(), tape.universe)
    ints, floats, quotes, gaps = [], [], [], []
    for seq, line in enumerate(tape.arrivals()):
        closed = machine.feed(line.recv_ns, seq, line.raw)
        for row in range(closed):
            ints.append(machine.rows[row][0].copy())
            floats.append(machine.rows[row][1].copy())
        quotes += machine.frames.quotes.tolist() if machine.kind else []
        gaps += machine.frames.gaps.tolist() if machine.kind else []
    blank = build_frames(decode_lines(b"", tape.universe)[0], Manifest(), tape.universe)
    made = [
        np.array(rows, dtype=like.dtype).reshape(-1, like.shape[1])
        for rows, like in ((ints, blank.ints), (floats, blank.floats), (quotes, blank.quotes), (gaps, blank.gaps))
    ]
    return FrameBatch(tape.universe, blank.cadence_ms, *made), machine.decoder.report()


def same(one: FrameBatch, other: FrameBatch) -> bool:
    """Tell whether two batches are equal to the bit."""
    names = ("ints", "floats", "quotes", "gaps")
    return all(getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in names)


def _some(lines: Lines, rng: random.Random, most: int = 20) -> list[int]:
    return rng.sample(range(len(lines)), min(len(lines), rng.randint(1, most)))


def _stamped(line: bytes, by_ns: int) -> bytes:
    stamp, _, frame = line.partition(b" ")
    return b"%d %b" % (max(0, min(int(stamp) + by_ns, 2**63 - 1)), frame)


def stamps_ahead(lines: Lines, rng: random.Random) -> int:
    """Set the stamps of some lines ahead, by seconds to centuries."""
    places = _some(lines, rng)
    for k in places:
        lines[k] = _stamped(lines[k], rng.choice((5, 60, 3_600, 3 * 86_400, 10**9)) * SECOND_NS)
    return len(places)


def stamps_back(lines: Lines, rng: random.Random) -> int:
    """Set the stamps of some lines back; the first line is left, everything after it would be ahead."""
    places = [k for k in _some(lines, rng) if k]
    for k in places:
        lines[k] = _stamped(lines[k], -rng.choice((1, 5, 600, 86_400)) * SECOND_NS)
    return len(places)


def stamps_shaken(lines: Lines, rng: random.Random) -> int:
    """Move every stamp by up to half a second: two sockets written by one recorder. Nothing is lost by it."""
    lines[:] = [_stamped(line, rng.randint(-SECOND_NS // 2, 0)) for line in lines]
    return 0


def lines_shuffled(lines: Lines, rng: random.Random) -> int:
    """Shuffle a hundredth of the lines among each other."""
    places = rng.sample(range(len(lines)), len(lines) // 100)
    moved = [lines[k] for k in places]
    rng.shuffle(moved)
    for k, line in zip(places, moved, strict=True):
        lines[k] = line
    return len(places)


def times_ahead(lines: Lines, rng: random.Random) -> int:
    """Set the venue times of some lines ahead, each by another time."""
    places = _some(lines, rng)
    for k, ahead in zip(places, rng.sample(range(5, 1_000), len(places)), strict=True):
        lines[k] = re.sub(
            rb'"time":(\d+)', lambda found, by=ahead: b'"time":%d' % (int(found[1]) + 1_000 * by), lines[k]
        )
    return len(places)


def times_ahead_together(lines: Lines, rng: random.Random) -> int:
    """Set the venue times of up to six lines in a row ahead by the same time."""
    first, n, by = rng.randrange(len(lines) - 6), rng.randint(2, 6), rng.randint(5, 280)
    for k in range(first, first + n):
        lines[k] = re.sub(rb'"time":(\d+)', lambda found: b'"time":%d' % (int(found[1]) + 1_000 * by), lines[k])
    return n


def times_back(lines: Lines, rng: random.Random) -> int:
    """Set the venue times of some lines back."""
    places = _some(lines, rng)
    for k in places:
        back_ms = rng.choice((1_000, 59_000, 3_600_000, 10**11))
        lines[k] = re.sub(
            rb'"time":(\d+)', lambda found, by=back_ms: b'"time":%d' % max(0, int(found[1]) - by), lines[k]
        )
    return len(places)


def lines_doubled(lines: Lines, rng: random.Random) -> int:
    """Write some lines twice. Prints known already are dropped; nothing is lost."""
    for k in sorted(_some(lines, rng), reverse=True):
        lines.insert(k, lines[k])
    return 0


def lines_dropped(lines: Lines, rng: random.Random) -> int:
    """Leave some lines out."""
    for k in sorted(_some(lines, rng, 200), reverse=True):
        del lines[k]
    return 0


def lines_torn(lines: Lines, rng: random.Random) -> int:
    """Cut some lines in their middle."""
    places = [k for k in _some(lines, rng) if k]
    for k in places:
        lines[k] = lines[k][: rng.randrange(21, len(lines[k]))]
    return len(places)


def bytes_flipped(lines: Lines, rng: random.Random) -> int:
    """Change bytes of frames to any other but a newline."""
    places = [k for k in _some(lines, rng) if k]
    for k in places:
        at = rng.randrange(20, len(lines[k]))
        lines[k] = lines[k][:at] + bytes([rng.choice([x for x in range(256) if x != 10])]) + lines[k][at + 1 :]
    return len(places)


def other_numbers(lines: Lines, rng: random.Random) -> int:
    """Put other numbers in the place of prices, sizes and times."""
    places = _some(lines, rng)
    for k in places:
        field = rng.choice((b"px", b"sz", b"n", b"time", b"tid"))
        lines[k] = re.sub(
            rb'"%b":("[^"]*"|\d+)' % field, lambda _, f=field: b'"%b":%b' % (f, rng.choice(NUMBERS)), lines[k]
        )
    return len(places)


def other_coins(lines: Lines, rng: random.Random) -> int:
    """Name other coins; what is no name is put aside, what is one becomes an asset."""
    places = _some(lines, rng)
    for k in places:
        lines[k] = re.sub(rb'"coin":"[^"]*"', b'"coin":"%b"' % rng.choice(COINS).replace(b"\\", b"\\\\"), lines[k])
    return len(places)


def other_forms(lines: Lines, rng: random.Random) -> int:
    """Put whole other things in the place of frames: nesting, binary, lists, empty levels, records of a daemon."""
    places = [k for k in _some(lines, rng) if k]
    for k in places:
        stamp = lines[k].partition(b" ")[0]
        lines[k] = stamp + rng.choice((
            b" " + b"[" * 5_000, b" {}", b" []", b" null", b' {"channel":"bbo"}', b' {"channel":"bbo","data":[]}',
            b' {"channel":"trades","data":[]}', b' {"channel":"l2Book","data":{"coin":"BTC","levels":[[],[]]}}',
            b' {"channel":"lotus","data":{"what":"trials"}}', b" \x00\xff\xfe", b" 4711 {}", b' {"channel":7,"data":7}',
        ))  # fmt: skip
    return len(places)


def other_spelling(lines: Lines, rng: random.Random) -> int:
    """Write lines with Windows line ends, blanks around colons, or the data before the channel. Nothing is lost."""
    ends, blanks, turned = (rng.random() < 0.5 for _ in range(3))
    for k, line in enumerate(lines):
        text = line.replace(b'":', b'" : ').replace(b',"', b', "') if blanks else line
        text = re.sub(rb' \{("channel" ?: ?"[^"]*"), ?("data".*)\}$', rb" {\2,\1}", text) if turned else text
        lines[k] = text + b"\r" if ends else text
    return 0


HARMS: Sequence[Callable[[Lines, random.Random], int]] = (
    stamps_ahead, stamps_back, stamps_shaken, lines_shuffled, times_ahead, times_ahead_together, times_back,
    lines_doubled, lines_dropped, lines_torn, bytes_flipped, other_numbers, other_coins, other_forms, other_spelling,
)  # fmt: skip


def main_of(words: list[str] | None = None) -> int:
    """Run the campaign of the command line and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--recording", type=Path, help="a capture: <receive ns> <frame> lines")
    asked = parser.parse_args(words)
    began = time.monotonic()
    lines = list(read_source_lines(asked.recording)) if asked.recording else simulated()
    with tempfile.TemporaryDirectory(prefix="lotus-tapes-") as folder:
        campaign = Damaged(lines, Path(folder), asked.seed)
        campaign.run(asked.n)
    for name, count in campaign.figures.items():
        print(f"{name}: {count:,}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"peak memory {peak / 2**20:.0f} MB, {time.monotonic() - began:.0f} s, faults {len(campaign.faults)}")
    for fault in campaign.faults[:20]:
        print(f"  {fault}")
    return int(bool(campaign.faults) or peak > MAX_BYTES)


if __name__ == "__main__":
    sys.exit(main_of())
