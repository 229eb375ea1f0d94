"""`lotus_cli/demo/command.py`, `lotus demo --coins --compose`: what is off by default, in a branch of its own."""

import json
from pathlib import Path

from lotus.simulation.spec import WorldSpec
from lotus_cli.demo.command import Faculties, plan_of

SPEC = WorldSpec(seed=5, days=2)


def test_a_demo_keeps_its_faculties_with_its_branch(tmp_path: Path) -> None:
    some = plan_of(str(tmp_path), SPEC, faculties=Faculties(segments=True)).settings
    assert (some.branch, some.manifest.learning.segment_context) == ("demo-5-segments", True)
    both = plan_of(str(tmp_path), SPEC, faculties=Faculties(coins=True, compose=True)).settings
    assert (both.tape, both.branch) == ("demo-5", "demo-5-coins-compose")
    assert both.manifest.learning.asset_context
    assert both.trading.compose_styles
    assert both.manifest.learning.looks == "final"
    plain = plan_of(str(tmp_path), SPEC).settings
    assert plain.branch == "demo-5"
    assert not plain.manifest.learning.asset_context
    assert not plain.trading.compose_styles
    (held,) = tmp_path.glob("branches/demo-5.json")
    assert sorted(json.loads(held.read_bytes())) == ["learning", "outcomes", "universe"], "off, a branch is as before"
