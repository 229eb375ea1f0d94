"""Start-up: from starting Python to a pipeline that is warm and ready for the first frame, kernel cache filled.

Reference of the same run: Python importing only the third-party packages that this needs. Wall time of processes.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial

from benchmarks.harness import Figure, Sizes, in_turn

_READY = """
from lotus.detectors.registry import shipped_detectors
from lotus.manifest import Manifest
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_live.pipeline.warm_up import warm_up
manifest = Manifest()
assert warm_up(LaneSpec(manifest, manifest.universe, tuple(shipped_detectors()), "main"))
"""
_IMPORTS = "import asyncio, msgspec, numba, numpy, picows, psycopg, pyarrow, uvloop, zstandard"


def run(sizes: Sizes) -> list[Figure]:
    """Measure `startup_s`: seconds."""
    reference = "Python with third-party imports only"
    with tempfile.TemporaryDirectory(prefix="lotus-bench-") as bytecode:
        starts = [partial(_python, code, bytecode) for code in (_READY, _IMPORTS)]
        ready, imports = in_turn(sizes.starts, *starts, clock=time.perf_counter)
        spent, least = in_turn(sizes.starts, *starts, clock=_children_cpu_s)
    note = f"kernel cache and bytecode filled; CPU {spent.typical:.2f} s, of the reference {least.typical:.2f} s"
    return [Figure("startup_s", ready.typical, "s", reference, imports.typical, ready.worst, note)]


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _python(code: str, bytecode: str) -> None:
    """Start Python as an installed one starts, whose bytecode was written before."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = bytecode
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=environment)
