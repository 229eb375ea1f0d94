"""A type that several threads read at once for the first time: each gets its value, and the process lives."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys, threading
from dataclasses import make_dataclass
from lotus.plain import value_of
sys.setswitchinterval(1e-6)
for n in range(12):
    parts = [make_dataclass(f"Part{n}_{k}", [(f"x{j}", int) for j in range(20)]) for k in range(15)]
    whole = make_dataclass(f"Whole{n}", [(f"f{k}", part) for k, part in enumerate(parts)])
    body = {f"f{k}": {f"x{j}": j for j in range(20)} for k in range(15)}
    together, found = threading.Barrier(4), []
    def read():
        together.wait()
        found.append(value_of(body, whole))
    threads = [threading.Thread(target=read) for _ in range(4)]
    [thread.start() for thread in threads], [thread.join() for thread in threads]
    assert len(found) == 4 and all(one == found[0] and one.f14.x19 == 19 for one in found)
"""


def test_threads_that_read_a_type_for_the_first_time_all_get_its_value() -> None:
    """With `msgspec.convert` in place of `value_of` this ends in a segmentation fault nearly every time."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
