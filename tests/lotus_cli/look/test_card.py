"""`lotus card`: the newest stored card after the demo, the specification in an empty home, a sentence for strangers."""

import pytest
from small_home import Cli

from lotus.detectors.registry import shipped_detectors

pytestmark = pytest.mark.process("in the home that `lotus demo` makes")

VERSIONS = {d.detector_id: d.version for d in shipped_detectors()}
NAMES = list(VERSIONS)
BRANCH = "demo-11"


def test_after_the_demo_every_card_names_its_verdict(lotus: Cli) -> None:
    for name in NAMES:
        row = lotus.json("card", name, "--branch", BRANCH)
        text = lotus("card", name, "--branch", BRANCH).stdout
        assert row["card"].startswith(f"# {name} v{row['spec_version']}: ")
        assert "| --- |" not in text
        assert "**" not in text
        assert row["day"] in text
        low, high = row["net_low_bps"], row["net_high_bps"]
        if low is None:
            assert "it cannot be judged" in " ".join(text.split())
        else:
            word = "loses" if high < 0.0 else "earns" if low > 0.0 else "is undecided"
            assert f"it {word}" in " ".join(text.split())
        assert (row["spec_version"], row["stage"], row["horizon_s"] > 0) == (2, "experimental", True)


def test_without_a_committed_day_the_card_is_the_specification(fresh: Cli) -> None:
    row = fresh.json("card", NAMES[0])
    assert "day" not in row
    assert "No day is committed" in fresh("card", NAMES[0]).stdout


def test_a_stranger_or_another_version_is_refused(fresh: Cli) -> None:
    assert "there is no card of nobody" in fresh.refused("card", "nobody")
    assert f"{NAMES[0]} v99" in fresh.refused("card", NAMES[0], "--version", "99")
