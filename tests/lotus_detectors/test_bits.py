"""The same bits on another CPU model, optimisation level and C library path: every scored event keeps its hash."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lotus.detectors.daily import day_tables
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.score import score_windows
from lotus.detectors.windows import build_windows
from lotus.experts.machine import annotate
from lotus.hashing import content_hash
from lotus.manifest import Manifest
from lotus.microtape.frame_machine import build_frames
from lotus.microtape.frame_samples import sample_events
from lotus.priors.types import priors_0

ROOT = Path(__file__).resolve().parents[2]


def events_hash() -> str:
    """Score a random stretch of tape on a first day and hash all columns."""
    manifest, detectors = Manifest(), shipped_detectors()
    frames = build_frames(sample_events(77, 20_000), manifest, manifest.universe)
    windows = build_windows(frames, annotate(frames), manifest)
    assert len(windows) > 20
    tables = day_tables("2025-01-01", [], manifest, manifest.universe, detectors)
    return content_hash(score_windows(windows, manifest, manifest.universe, tables, [priors_0("main")], "main"))


@pytest.mark.slow
def test_hashes_do_not_depend_on_the_machine(tmp_path: Path) -> None:
    other = {
        "NUMBA_OPT": "1",
        "NUMBA_CPU_NAME": "generic",
        "NUMBA_CPU_FEATURES": "",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F",
        "LOTUS_KERNEL_CACHE": str(tmp_path),
        "PYTHONPATH": f"{ROOT}{os.pathsep}{Path(__file__).parent}",
    }
    command = [sys.executable, "-c", "import test_bits; print(test_bits.events_hash())"]
    run = subprocess.run(command, env=os.environ | other, capture_output=True, text=True, check=True, timeout=280)
    assert run.stdout.split() == [events_hash()]
