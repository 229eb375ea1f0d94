"""The same bits on another CPU model, optimisation level and C library path: frames and annotations keep their hash."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lotus.experts.machine import annotate
from lotus.manifest import Manifest
from lotus.microtape.frame_machine import build_frames
from lotus.microtape.frame_samples import sample_events

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
from lotus.experts.machine import annotate
from lotus.manifest import Manifest
from lotus.microtape.frame_machine import build_frames
from lotus.microtape.frame_samples import sample_events
frames = build_frames(sample_events(77, 10_000), Manifest(), Manifest().universe)
print(frames.content_hash(), annotate(frames).content_hash())
"""


@pytest.mark.slow
def test_hashes_do_not_depend_on_the_machine(tmp_path: Path) -> None:
    frames = build_frames(sample_events(77, 10_000), Manifest(), Manifest().universe)
    other = {
        "NUMBA_OPT": "1",
        "NUMBA_CPU_NAME": "generic",
        "NUMBA_CPU_FEATURES": "",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F",
        "LOTUS_KERNEL_CACHE": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=os.environ | other, capture_output=True, text=True, check=True, timeout=240
    )
    assert run.stdout.split() == [frames.content_hash(), annotate(frames).content_hash()]
