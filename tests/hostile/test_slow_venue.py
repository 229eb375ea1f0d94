"""A venue that hangs or drips, briefly, in every run of the tests; `slow_venue.py` takes any number."""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from slow_venue import attack


def test_a_venue_that_hangs_or_drips_holds_nothing_up() -> None:
    figures, faults = asyncio.run(attack(5, 0.03, 0.1, threads=4))
    assert not faults, faults
    assert figures["honest: answered"] == 20
