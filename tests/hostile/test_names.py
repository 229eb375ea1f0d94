"""Some hundred hostile names in every run of the tests; the campaign takes any number."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from names import Hostile


def test_no_hostile_name_gets_out_of_its_home(tmp_path: Path) -> None:
    campaign = Hostile(tmp_path / "outside", 7)
    assert campaign.run(180), campaign.faults[:5]
    for door in campaign.doors:
        assert campaign.figures[f"{door.__name__} taken"] > 5, campaign.figures
    assert campaign.figures["path refused"] > 5
