"""Attacks on the kernel cache: whatever fills, ends, copies, mixes or damages it, the next process counts right.

`tests/chaos/kernel_cache.py --rounds 60 --seed 1` does each attack so often, on a small package of kernels over
records, where short ones are copied and long ones are called by their name. Every process makes another number of
kinds of records first, as processes with other work do. (Literature: crash-only software, torn writes.)
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

LINES = "\n".join(f"        total = total * {k}.5 + row.value / (total + {k}.0)" for k in range(1, 90))
CONSTANT = "SCALE = 1.5\n"
PROBE = f"""
import numpy as np
from lotus.jit import kernel
from lotus.probe_scale import SCALE

def of_power(power):
    @kernel
    def raised(row):
        return row.value ** power
    return raised

squared, cubed = of_power(2), of_power(3)

@kernel
def long_one(row, k):
    total = row.value
    for i in range(k):
{LINES}
    return total * SCALE

@kernel
def short_one(row, k):
    return long_one(row, k) + squared(row)

@kernel
def outer(rows, others):
    return short_one(rows[0], 1) + short_one(others[0], 2) + cubed(rows[0])
"""
RUN = """
import sys
import numpy as np
from numba import from_dtype
import lotus
lotus.__path__.append(sys.argv[1])
for k in range(int(sys.argv[2])):
    from_dtype(np.dtype([(f"field_{k}", "f8")]))
from lotus import jit, probe
rows = np.array([(1.25,)], [("value", "f8")])
others = np.array([(2, 0.75)], [("k", "i8"), ("value", "f8")])
print(float(probe.outer(rows, others)).hex(), jit.compiled_here())
"""


class Bench:
    """A checkout with the probe's package, its caches, and the result that every process must come to."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root, self.dice = root, random.Random(seed)
        self.package = self.checkout("first")
        self.first, self.second = root / "filled-1", root / "filled-2"
        self.expected = self.result(self.first, kinds=0)
        if self.result(self.second, kinds=7) != self.expected:
            raise AssertionError("two whole caches count differently")

    def checkout(self, name: str) -> Path:
        """Return a new place of the probe's package."""
        package = self.root / name
        package.mkdir()
        (package / "probe.py").write_text(PROBE)
        (package / "probe_scale.py").write_text(CONSTANT)
        return package

    def start(self, cache: Path, kinds: int, package: Path | None = None) -> "subprocess.Popen[str]":
        """Start a process that counts, after it has made so many kinds of records."""
        command = [sys.executable, "-c", RUN, str(package or self.package), str(kinds)]
        environment = os.environ | {"LOTUS_KERNEL_CACHE": str(cache)}
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    def result(self, cache: Path, kinds: int, package: Path | None = None, compiles: bool = True) -> str:
        """Return what a process counts; unless it `compiles`, all must be stored."""
        return self.read(self.start(cache, kinds, package), compiles)

    def read(self, process: "subprocess.Popen[str]", compiles: bool = True) -> str:
        """Return what a started process counts."""
        output, _ = process.communicate()
        if process.returncode or not output:
            raise AssertionError(f"ended with {process.returncode}")
        value, compiled = output.split()
        if not compiles and compiled != "0":
            raise AssertionError(f"compiled {compiled} kernels that were stored")
        return value

    def kinds(self) -> int:
        """Return another number of kinds of records."""
        return self.dice.randrange(60)

    def new(self) -> Path:
        """Return a cache that is not there yet."""
        return Path(tempfile.mkdtemp(dir=self.root)) / "cache"


def together(bench: Bench) -> str:
    """Two processes fill one cache at once."""
    cache = bench.new()
    both = [bench.start(cache, bench.kinds()) for _ in range(2)]
    found = {bench.read(process) for process in both}
    return (found | {bench.result(cache, bench.kinds(), compiles=False)}).pop() if len(found) == 1 else "differ"


def killed(bench: Bench) -> str:
    """A process is killed while it fills; the next fills the rest, and the one after finds all."""
    cache = bench.new()
    process = bench.start(cache, bench.kinds())
    time.sleep(bench.dice.uniform(0.3, 4.0))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    bench.result(cache, bench.kinds())
    return bench.result(cache, bench.kinds(), compiles=False)


def mixed(bench: Bench) -> str:
    """Of each file, the one of one of two caches: all that two writers may leave behind."""
    cache = bench.new()
    for file in bench.first.rglob("*.nbc"):
        place = file.relative_to(bench.first)
        (cache / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(bench.dice.choice((bench.first, bench.second)) / place, cache / place)
    return bench.result(cache, bench.kinds(), compiles=False)


def copied(bench: Bench) -> str:
    """A cache is used at another path and from another checkout."""
    cache = bench.new()
    shutil.copytree(bench.first, cache)
    package = bench.checkout(cache.parent.name + "-checkout")
    return bench.result(cache, bench.kinds(), package, compiles=False)


def damaged(bench: Bench) -> str:
    """A file is cut short, garbled or gone."""
    cache = bench.new()
    shutil.copytree(bench.first, cache)
    file = bench.dice.choice(sorted(cache.rglob("*.nbc")))
    whole = file.read_bytes()
    at = bench.dice.randrange(len(whole))
    file.write_bytes(bench.dice.choice((whole[:at], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :], b"")))
    bench.result(cache, bench.kinds())
    return bench.result(cache, bench.kinds(), compiles=False)


def edited(bench: Bench) -> str:
    """A constant two modules away is another; the first sources find all of theirs again."""
    cache = bench.new()
    shutil.copytree(bench.first, cache)
    package = bench.checkout(cache.parent.name + "-edited")
    (package / "probe_scale.py").write_text("SCALE = 2.5\n")
    if bench.result(cache, bench.kinds(), package) == bench.expected:
        raise AssertionError("an edited constant changed nothing")
    return bench.result(cache, bench.kinds(), compiles=False)


ATTACKS: tuple[Callable[[Bench], str], ...] = (together, killed, mixed, copied, damaged, edited)


def main() -> None:
    """Do every attack so often; tell of each that did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="lotus-cache-") as root:
        bench = Bench(Path(root), given.seed)
        for attack in ATTACKS * given.rounds:
            try:
                held = attack(bench) == bench.expected
            except AssertionError as error:
                held = False
                print(f"{attack.__name__}: {error}", flush=True)
            failed += not held
    print(f"{len(ATTACKS) * given.rounds} attacks, {failed} not held")
    raise SystemExit(failed > 0)


if __name__ == "__main__":
    main()
