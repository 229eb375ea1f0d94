"""Machines that give too little: file handles, address space, room for a file, under commands of a small home.

`faults.py --n N --seed S` runs N commands, each under one limit; every fifth imports into a home of its own, needing
a database. A fault is a traceback, a code that no command has, another tape afterwards, a half-written file, a command
not done with 64 handles or on a full disk, or one that takes longer than `LIMIT_S`.
(Literature: fault injection, resource exhaustion.)
"""

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from lotus_store.tape.import_recording import import_recording
from lotus_store.tape.store import TapeStore
from lotus_store.tape.writer import WriterRules

T0_NS = 1_767_225_600_000_000_000
LIMIT_S, LINES, DAY = 30.0, 3_000, "2026-01-01"
CODES = (0, 1, 2, 3)


class Campaign:
    """Commands under limits, on a home in `folder`."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.rng = folder, random.Random(seed)
        self.figures: Counter[str] = Counter()
        self.faults: list[str] = []
        self.recording = folder / "recording.txt"
        lines = (f'{T0_NS + k * 10**8} {{"channel":"bbo","data":{_bbo(k)}}}\n' for k in range(LINES))
        self.recording.write_text("".join(lines))

    def run(self, n: int) -> None:
        """Run `n` commands on one home, each under the next limit, and look at its tape after each."""
        home = self.folder / "home"
        import_recording(TapeStore(home, "t"), [self.recording], rules=WriterRules(reserve_bytes=0))
        for number in range(n):
            if number % 5 == 4:
                self.an_import(number)
            else:
                self.one(home, number)

    def an_import(self, number: int) -> None:
        """Import under a limit on the size of a file; without it the same home takes the same recording whole."""
        home, limit = self.folder / f"home-{number}", (resource.RLIMIT_FSIZE, self.rng.choice((1, 4, 20, 100)) << 10)
        code, told = self._lotus(["import", str(self.recording)], home, limit)
        self.figures[f"import: {'done' if code == 0 else 'refused'}"] += 1
        where = f"file size {limit[1]}, import"
        if "Traceback" in told or code != 3:
            self.faults.append(f"{where}: {code} {told[-600:]}")
        if left := list(home.rglob("*.tmp")):
            self.faults.append(f"{where}: half-written {left}")
        import_recording(TapeStore(home, "live"), [self.recording], rules=WriterRules(reserve_bytes=0))
        if len(TapeStore(home, "live").decode_day(DAY)[0].asset) != LINES:
            self.faults.append(f"{where}: another tape")

    def one(self, home: Path, number: int) -> None:
        """Run one command under a limit."""
        what, limit = (
            ("handles", (resource.RLIMIT_NOFILE, self.rng.randint(6, 63))),
            ("64 handles", (resource.RLIMIT_NOFILE, 64)),
            ("address space", (resource.RLIMIT_AS, self.rng.randint(150, 2_000) << 20)),
            ("file size", (resource.RLIMIT_FSIZE, 0)),
        )[number % 5]
        words = self.rng.choice((["verify", "tape", "--tape", "t"], ["tape", "list"], ["kill"], ["kill", "--lift"]))
        code, told = self._lotus(words, home, limit)
        self.figures[f"{what}: {'done' if code == 0 else 'refused'}"] += 1
        where = f"{what} {limit[1]}, {' '.join(words)}"
        if "Traceback" in told or code not in CODES:
            self.faults.append(f"{where}: {code} {told[-600:]}")
        if what in ("64 handles", "file size") and code:
            self.faults.append(f"{where}: not done: {told[-300:]}")
        if len(TapeStore(home, "t").decode_day(DAY)[0].asset) != LINES:
            self.faults.append(f"{where}: another tape")
        if left := [path.name for path in home.rglob("*.tmp")]:
            self.faults.append(f"{where}: half-written {left}")

    def _lotus(self, words: list[str], home: Path, limit: tuple[int, int]) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "lotus_cli", *words, "--home", str(home)],
            cwd=self.folder, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"}, capture_output=True, text=True,
            timeout=LIMIT_S, check=False, preexec_fn=_limited(limit),
        )  # fmt: skip
        return done.returncode, done.stderr + done.stdout


def _limited(limit: tuple[int, int]) -> Callable[[], None]:
    def set_limit() -> None:
        resource.setrlimit(limit[0], (limit[1], limit[1]))

    return set_limit


def _bbo(k: int) -> str:
    level = '{"px":"%d.0","sz":"1.0","n":1}'
    return f'{{"coin":"BTC","time":{T0_NS // 10**6 + 100 * k},"bbo":[{level % 100},{level % 101}]}}'


def main_of(words: list[str] | None = None) -> int:
    """Run the campaign of the command line and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(words)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lotus-faults-") as folder:
        campaign = Campaign(Path(folder), asked.seed)
        campaign.run(asked.n)
    for what, count in sorted(campaign.figures.items()):
        print(f"{what:<28} {count:>8}")
    for fault in campaign.faults[:20]:
        print(fault)
    print(f"{asked.n} commands of seed {asked.seed} in {time.monotonic() - began:.0f} s: {len(campaign.faults)} faults")
    return 1 if campaign.faults else 0


if __name__ == "__main__":
    sys.exit(main_of())
