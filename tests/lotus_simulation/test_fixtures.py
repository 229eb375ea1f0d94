"""The statement of a world survives JSON and finds any change."""

import json
from dataclasses import replace

import pytest

from lotus.errors import TapeError
from lotus.simulation.fixtures import check, statement
from lotus.simulation.spec import WorldSpec

SMALL = WorldSpec("demo", 9, 2, sessions=(("08:00", "08:02"), ("14:00", "14:02")))


def test_a_statement_survives_json_and_finds_any_change() -> None:
    recorded = json.loads(json.dumps(statement(SMALL)))
    assert check(recorded, spec=SMALL) == 4
    assert check(recorded, days=[1], spec=SMALL) == 2
    with pytest.raises(TapeError, match="manifest"):
        check(recorded, spec=replace(SMALL, seed=10))
    recorded["raw_sha256"]["2026-01-06"][1] = "0" * 64
    assert check(recorded, days=[0], spec=SMALL) == 2
    with pytest.raises(TapeError, match="session 1 of 2026-01-06"):
        check(recorded, spec=SMALL)
