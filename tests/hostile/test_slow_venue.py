"""A venue that hangs or drips, briefly, in every run of the tests; `slow_venue.py` takes any number."""

import asyncio
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from slow_venue import TIMEOUT_S, attack


@pytest.mark.clock("a venue that does not answer is given up after its limit, in five ways")
def test_a_venue_that_hangs_or_drips_holds_nothing_up() -> None:
    began = time.monotonic()
    figures, faults = asyncio.run(attack(6, 0.05, TIMEOUT_S, threads=4))
    assert not faults, faults
    assert figures["honest: answered"] == 25
    assert time.monotonic() - began < 30.0
