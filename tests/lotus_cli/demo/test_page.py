"""The page of a world without publications in the trap."""

import pytest
from small_home import Cli, Facts

from lotus_cli.demo.page import page

pytestmark = pytest.mark.process("in the home that `lotus demo` makes")


def test_the_page_of_a_world_without_publications_in_the_trap(lotus: Cli, facts: Facts) -> None:
    text = page(facts, f" --home {lotus.home}")
    for part in (
        "LOTUS DEMO   world demo, seed 11",
        "LESSONS   planted 2",
        "TRAP",
        "BELIEFS",
        "PARITY",
        "TRADED",
        "MONEY",
        "TIME",
        "NEXT",
    ):
        assert part in text
    assert "equal, bit for bit" in text
    assert "nan" not in text
    assert "family-wise error 98 %" in text
    assert f"lotus explain {facts['example_event']} --home {lotus.home}" in text
    empty = facts["trap"][0] | {"published": 0, "hit_rate": None, "naive_z": None, "net_bps": None}
    assert "too few publications to be fallen for" in page(facts | {"trap": [empty]}, "")
