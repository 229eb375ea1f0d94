"""How kernels are compiled: once for all values, a long one called by its name, whichever process stored it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

LINES = "\n".join(f"        total = total * {k}.5 + values[{k} % 3] / (total + {k}.0)" for k in range(1, 90))
PROBE = f"""
from lotus.jit import kernel

@kernel
def long_one(values, k):
    total = values[0]
    for i in range(k):
{LINES}
    return total

@kernel
def short_one(values, k):
    return long_one(values, k) + 1.0

@kernel
def outer(values, small):
    return short_one(values, 1) + short_one(values, 2) + short_one(values, small[0])
"""

RUN = """
import sys
import numpy as np
import lotus
lotus.__path__.append(sys.argv[1])
from lotus import jit, probe
values = np.arange(1.0, 4.0)
found = eval(sys.argv[2])
loaded = [len(k.overloads) for k in (probe.long_one, probe.short_one, probe.outer)]
print(float(found).hex(), jit.compiled_here(), *loaded, "Literal" in str(probe.short_one.signatures))
"""
OUTER = "probe.outer(values, np.ones(1, np.uint32))"


def in_a_process(folder: Path, expression: str) -> list[str]:
    environment = os.environ | {"LOTUS_KERNEL_CACHE": str(folder / "cache")}
    command = [sys.executable, "-c", RUN, str(folder), expression]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.split()


@pytest.mark.process("compiles in a process of its own")
def test_a_caller_in_another_process_finds_the_long_kernel_it_calls_by_name(tmp_path: Path) -> None:
    (tmp_path / "probe.py").write_text(PROBE)
    plain: dict[str, Any] = {}
    exec(PROBE.replace("@kernel", "").replace("from lotus.jit import kernel", ""), plain)
    expected = float(plain["outer"](np.arange(1.0, 4.0), [1]))
    assert in_a_process(tmp_path, "probe.short_one(values, 1)")[1:] == ["2", "1", "1", "0", "False"]
    made, read = in_a_process(tmp_path, OUTER), in_a_process(tmp_path, OUTER)
    # one kind of integer for 1, 2 and a word of 32 bits; short_one came from the first process
    assert made == [expected.hex(), "1", "1", "1", "1", "False"]
    # outer has short_one within it and asks for long_one alone
    assert read == [expected.hex(), "0", "1", "0", "1", "False"]
