"""The benchmark of the tape stages runs on minutes of tape and names its reference. No time is asserted here."""

import json

import pytest

from benchmarks.tape_stages import KERNELS, TOGETHER, main
from lotus_assets.stages.order import TAPE_STAGES

pytestmark = pytest.mark.process("the tape stages on minutes of a simulated day")


def test_every_stage_has_its_cost_beside_the_kernels() -> None:
    figures = json.loads(main(["--days", "1", "--minutes", "12", "--light", "--json"]))
    names = [cost["name"] for cost in figures["costs"]]
    assert names == [KERNELS, *(stage.name for stage in TAPE_STAGES), TOGETHER]
    assert all(cost["cpu_s"] > 0 and cost["messages"] > 1_000 and cost["peak_mb"] > 0 for cost in figures["costs"])
    assert figures["share_of_kernels"] > 0
