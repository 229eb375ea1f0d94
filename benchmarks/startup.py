"""Start-up: from starting Python to a pipeline that is warm and ready for the first frame, kernel cache filled.

Reference of the same run: Python importing only the third-party packages that this needs. Wall time of processes.
"""

import subprocess
import sys
import time

from benchmarks.harness import Figure, Sizes, in_turn

_READY = """
from lotus.detectors.registry import shipped_detectors
from lotus.manifest import Manifest
from lotus_live.day_lane import LaneSpec
from lotus_live.warm_up import warm_up
manifest = Manifest()
assert warm_up(LaneSpec(manifest, manifest.universe, tuple(shipped_detectors()), "main"))
"""
_IMPORTS = "import asyncio, msgspec, numba, numpy, picows, psycopg, pyarrow, uvloop, zstandard"


def run(sizes: Sizes) -> list[Figure]:
    """Measure `startup_s`: seconds."""
    ready, imports = in_turn(sizes.starts, lambda: _python(_READY), lambda: _python(_IMPORTS), clock=time.perf_counter)
    reference = "Python with third-party imports only"
    return [Figure("startup_s", ready.typical, "s", reference, imports.typical, ready.worst, "kernel cache filled")]


def _python(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
