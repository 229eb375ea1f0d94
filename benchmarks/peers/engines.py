"""The same tape through other people's engines, each in the environment that `make bench-peers` makes for them.

Each does as much of this project's work as it can: `worker.py` does it and says what. An engine runs in a process of
its own and is asked for one run between two of ours; both tell the processor time of their own process. An engine that
is absent is said to be "not installed", one that cannot take the tape says why.
"""

import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.harness import Figure, Sizes
from benchmarks.material import Tape
from lotus.microtape.events import TRADE_WIDTH, EventKind
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.wire.decode import decode_lines

NOT_INSTALLED = "not installed (make bench-peers)"
PYTHON = Path(__file__).resolve().parents[2] / ".venv-peers/bin/python"
_WORKER = Path(__file__).with_name("worker.py")


@dataclass(frozen=True, slots=True)
class Peer:
    """What an engine counts, what it does with it, and what of ours stands beside it."""

    counted: str
    work: str
    reference: str
    ours: Callable[[Tape], object]


def _frames(tape: Tape) -> object:
    return build_frames(tape.events, tape.manifest, tape.universe)


def _from_text(tape: Tape) -> object:
    return build_frames(decode_lines(tape.lines, tape.universe)[0], tape.manifest, tape.universe)


_FRAMES = "lotus: decoded events to frames with all columns, events/s"
_TEXT = "lotus: text to frames with all columns, messages/s"
PEERS = {
    "hftbacktest": Peer("msgs", "ready quotes and trades of 3 assets; 5 features every 200 ms", _FRAMES, _frames),
    "nautilus_trader": Peer("msgs", "ready quotes and trades of 3 assets; 3 features a quote", _FRAMES, _frames),
    "ccxt": Peer("msgs", "text to caches of books, trades and tickers (ccxt.pro); no features", _TEXT, _from_text),
}


def run(tape: Tape, sizes: Sizes, python: Path = PYTHON) -> tuple[list[Figure], dict[str, str]]:
    """Return a figure per peer that is there, and for each of the others why there is none."""
    if not python.exists():
        return [], dict.fromkeys(PEERS, NOT_INSTALLED)
    figures, skipped = [], {}
    with tempfile.TemporaryDirectory(prefix="lotus-peers-") as folder:
        arrays, lines = _written(tape, Path(folder))
        for name, peer in PEERS.items():
            command = [str(python), "-P", str(_WORKER), name, str(arrays), str(lines)]
            try:
                figures.append(_measured(name, peer, command, tape, sizes))
            except RuntimeError as error:
                skipped[name] = f"does not run here ({error})"[:300]
    return figures, skipped


def _measured(name: str, peer: Peer, command: list[str], tape: Tape, sizes: Sizes) -> Figure:
    theirs, ours = [], []
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        _, version, units = _answer(process).split()
        peer.ours(tape)
        for _ in range(sizes.repeats):
            assert process.stdin is not None
            process.stdin.write("run\n")
            process.stdin.flush()
            theirs.append(float(_answer(process)))
            began = time.process_time()
            peer.ours(tape)
            ours.append(time.process_time() - began)
        process.communicate()
    count = int(units)
    key, note = f"peer.{name}.{peer.counted}_per_s", f"{name} {version}: {peer.work}"
    reference = len(tape.events) / median(ours)
    return Figure(
        key, count / median(theirs), f"{peer.counted}/s", peer.reference, reference, count / max(theirs), note
    )


def _answer(process: "subprocess.Popen[str]") -> str:
    """Return the next line of an engine; raise `RuntimeError` with its last words when it has ended."""
    assert process.stdout is not None
    if line := process.stdout.readline():
        return line
    with suppress(BrokenPipeError):
        _, errors = process.communicate()
        raise RuntimeError((errors.strip().splitlines() or ["it said nothing"])[-1])
    raise RuntimeError("it ended")


def _written(tape: Tape, folder: Path) -> tuple[Path, Path]:
    """Write quotes, trades and lines in the worker's form."""
    np.savez(folder / "tape.npz", quotes=tape.frames.quotes[:, [2, 0, 4, 5, 6, 7]], trades=_trades(tape))
    lines = b"".join(line.partition(b" ")[2] + b"\n" for line in tape.lines.splitlines())
    (folder / "lines.txt").write_bytes(lines)
    return folder / "tape.npz", folder / "lines.txt"


def _trades(tape: Tape) -> Any:
    """Return i8[n, 5]: stamp in ns, asset, price, size, side of every trade."""
    events = tape.events
    chosen = np.flatnonzero(events.kind == EventKind.TRADES)
    counts = (events.off[chosen + 1] - events.off[chosen]) // TRADE_WIDTH
    pieces = [events.payload(int(i)).reshape(-1, TRADE_WIDTH)[:, :3] for i in chosen]
    rows = np.concatenate(pieces) if pieces else np.zeros((0, 3), np.int64)
    stamps, assets = (np.repeat(column[chosen], counts) for column in (events.recv_ns, events.asset.astype(np.int64)))
    return np.column_stack([stamps, assets, rows])
