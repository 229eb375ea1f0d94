"""Some dozen damaged recordings in every run of the tests; the campaign takes any number."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from damaged_tapes import HARMS, Damaged, simulated


def test_damaged_recordings_cost_what_was_damaged_and_both_ways_agree(tmp_path: Path) -> None:
    campaign = Damaged(simulated(20), tmp_path, 7)
    assert campaign.run(3 * len(HARMS)), campaign.faults[:5]
    assert campaign.figures["put aside"] > 50
    assert campaign.figures["over a websocket"] == 1
